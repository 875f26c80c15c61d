/*
 * search_server_impl.h - the inside of search_server.h: search_server.c asks and moves
 * the alias, search_bulk.c sends documents.
 */
#ifndef BF_FETCH_SEARCH_SERVER_IMPL_H
#define BF_FETCH_SEARCH_SERVER_IMPL_H

#include <jansson.h>

#include "common/buf.h"
#include "fetch/search_server.h"

typedef void search_server_answer_cb(struct search_server *server, const json_t *json);

/* Lines of _bulk that are sent again, and their ids as in struct search_bulk. */
struct search_again {
	struct buf lines, ids;
	size_t count;
};

struct search_server {
	struct ev_loop *loop;		/* borrowed */
	struct http *http;		/* likewise */

	/* owned */
	char *url, *alias, *index;
	char *authorization;		/* NULL: none */
	struct http_request *request;	/* NULL: none is under way */
	struct buf answer;

	/* of what is under way */
	search_server_answer_cb *on_answer;
	int64_t retry_after_ms;		/* as the last answer says; -1: it does not */
	bool may_be_missing;		/* 404 is an answer: an empty object */
	search_server_done_cb *on_done;
	void *arg;

	/* search_bulk.c's */
	struct search_bulk bulk;	/* lines and ids: what was sent last */
	struct search_again again;	/* what they are in, if not the caller's; owned */
	int64_t busy_since_ms;		/* that it takes nothing, monotonic; 0: it does */
	unsigned busy_count;		/* answers of that kind in a row */
	struct ev_timer later;
};

/* The end, from the last callback of a request. */
void search_server_fail(struct search_server *server, const char *text);
void search_server_succeed(struct search_server *server);

/* body.ptr is NULL for a GET. */
void search_server_ask(struct search_server *server, const char *path, const char *type,
    struct bytes body, search_server_answer_cb *on_answer);

/* The answer is a 429 as a whole: true if the same is sent again. */
bool search_bulk_is_put_off(struct search_server *server);

void search_bulk_init(struct search_server *server);
void search_bulk_clear(struct search_server *server);

#endif

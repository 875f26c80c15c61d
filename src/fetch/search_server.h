/*
 * search_server.h - putting documents into OpenSearch or Elasticsearch.
 *
 * A new index beside the one that is searched: documents go into an index of a name
 * of its own (_bulk), and at the end the alias that is searched is moved to it, in
 * the one request that also removes the indexes that the alias had (_aliases).
 *
 * The server is the operator's: it is asked wherever its URL says.  It is not
 * believed more than others: every answer is bounded and may be anything.
 *
 * Process: the full-reindex worker.  One request at a time; none of the calls calls
 * back from inside.
 */
#ifndef BF_FETCH_SEARCH_SERVER_H
#define BF_FETCH_SEARCH_SERVER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"
#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct search_server;

/* For an alias, to which we put an operation's id behind a '-'. */
bool search_server_name_is_valid(const char *name);

/* url is where the API begins, "http://127.0.0.1:9200"; loop and http are borrowed.
 * credentials are "USER:PASSWORD", "ApiKey KEY" or empty; they go to that origin alone. */
struct search_server *search_server_new(struct ev_loop *loop, struct http *http,
    const char *url, const char *credentials, const char *alias, const char *index);
void search_server_free(struct search_server **server);	/* and what is under way */

typedef void search_server_done_cb(const struct fetch_error *error, void *arg);

struct search_bulk {
	/* Lines of _bulk, each `index` line with its document, and what those name, in the
	 * same order, each with a NUL behind it.  Borrowed until the end. */
	struct bytes lines, ids;
	/* Of a server that says 429 of all that it is sent: how long it is asked again. */
	int64_t patience_ms;

	/* One document was refused; class is "refused" or "rate-limited".  For the call. */
	void (*on_refused)(struct str id, const char *class, struct str text, void *arg);
	/* So many documents were put off, and are sent again after this wait. */
	void (*on_later)(size_t documents, int64_t wait_ms, void *arg);
	search_server_done_cb *on_done;
	void *arg;
};

/*
 * Send it.  The same lines again change nothing.  A document of which the server says 429
 * is sent again, after the pause that the server asks for or one that grows; when the
 * patience is at its end it is refused, and so is then what comes until the server takes
 * one again.  FETCH_INVALID: the answer does not tell of each of these documents.
 */
void search_server_bulk(struct search_server *server, const struct search_bulk *bulk);

/* Move the alias.  If it is there already nothing is changed.  FETCH_INVALID: the server
 * does not say what has it now, or names what is not one index. */
void search_server_publish(struct search_server *server,
    search_server_done_cb *on_done, void *arg);

#endif

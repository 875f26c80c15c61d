/*
 * request.h - one HTTP request, from its first line to its answer.
 *
 * http.c feeds it and sends what it answers; this file decides, in the order of
 * the reference server: path, method, parameters, authentication, body, handler.
 * What is known to be wrong before the body is there is answered after it, so
 * that the connection lives on, unless the body is too long for that.
 */
#ifndef BF_API_REQUEST_H
#define BF_API_REQUEST_H

#include "api/caller.h"
#include "api/feed.h"
#include "api/head.h"
#include "api/op_query.h"
#include "api/params.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/supervisor_link.h"
#include "common/tid.h"
#include "search/search.h"

struct api;
struct http_conn;
struct json_t;
struct request;
struct session;

/* Write the reply from the supervisor's answer. */
typedef void request_answer_cb(struct request *request, const struct msg *msg);

struct request {
	/* borrowed, outlive us */
	struct api *api;
	struct http_conn *conn;

	/* what was asked */
	struct buf target;		/* owned; path and query as they came */
	struct head head;
	const struct route *route;	/* static */
	struct str path_arg;		/* ":id" of the route; into target */
	struct op_query query;		/* of the lists of operations; into params */
	struct caller from;		/* who sent it, if not by a cookie */
	struct search_request search;	/* of searchRecords; into params */
	struct session *session;	/* held; NULL: not by a cookie */
	struct buf lxm;			/* owned; the method that a token has to be for */
	struct str caller;		/* who, once authenticated; into one of these */
	struct buf body;		/* owned */
	struct json_t *input;		/* owned; of a procedure, while its handler runs */

	/* the answer */
	bool is_complete;		/* the body is there */
	char op_id[TID_SIZE];		/* the operation it is about, or empty; for the log */
	struct reply reply;
	struct feed_reader reader;	/* of a reply that is a stream */
	struct link_wait wait;		/* for the supervisor */
	enum msg_type expected;		/* from it */
	request_answer_cb *on_answer;

	/* Into target; of a form: into body.  Last, as its list, which is most of a
	 * request, need not be cleared. */
	struct params params;
};

void request_init(struct request *request, struct api *api, struct http_conn *conn,
    struct str target);
void request_reset(struct request *request);	/* keeps memory for the next one */
void request_clear(struct request *request);

enum request_next {
	REQUEST_READ,		/* go on reading the body */
	REQUEST_WAIT,		/* until http_resume() */
	REQUEST_ANSWER,		/* send request->reply */
};

/* The headers are there, in request->head; err says why they cannot be trusted,
 * or is NULL. */
enum request_next request_begin(struct request *request, struct str method,
    const struct err *untrusted) BF_MUSTCHECK;

/* A part of the body.  All of it is Content-Length long, which was checked. */
void request_body(struct request *request, struct bytes part);

/* The body is complete, or the wait over.  REQUEST_WAIT or REQUEST_ANSWER. */
enum request_next request_end(struct request *request) BF_MUSTCHECK;

/* For handlers that are given credentials: look at them as at an Authorization header
 * of this value, which has to live until this returns.  After CALLER_WAITS the
 * request waits for on_known, which writes a reply and calls http_resume(). */
enum caller_next request_look(struct request *request, struct str authorization,
    caller_cb *on_known) BF_MUSTCHECK;

/*
 * For handlers: ask the supervisor and wait.  An answer of the expected type goes
 * to on_answer; everything else (it is gone, too slow, says error) is replied to
 * here.
 */
void request_ask(struct request *request, struct msg *msg, int64_t timeout_ms,
    enum msg_type expected, request_answer_cb *on_answer);

#endif

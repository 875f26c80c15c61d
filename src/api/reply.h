/*
 * reply.h - the answer to one request, while it is being written.
 *
 * Handlers write JSON (or a page, or text) straight into the body that is sent.
 * Embedded in struct request; answer.c makes libmicrohttpd's response of it.
 */
#ifndef BF_API_REPLY_H
#define BF_API_REPLY_H

#include <stdbool.h>

#include "api/xrpc_error.h"
#include "common/attr.h"
#include "common/buf.h"
#include "common/json.h"

struct reply {
	unsigned status;		/* 0: nothing to send yet */
	struct buf body;		/* owned; may be empty */
	struct bytes fixed;		/* static; sent instead of the body if it is set */
	const char *content_type;	/* static; NULL: application/json */
	bool is_stream;			/* the body is what request->reader reads */
	bool is_tagged;			/* ETag; 304 to a client that has it */
	bool is_for_browser;		/* with what keeps a page to itself (CSP) */
	char *location;			/* owned; NULL: no such header */
	char *cookie;			/* owned; of Set-Cookie; likewise */
	bool closes;			/* the connection, after this answer */
	bool asks_password;		/* WWW-Authenticate: Basic */
	bool asks_token;		/* WWW-Authenticate: Bearer */
	bool allows_methods;		/* the answer to OPTIONS */
	unsigned retry_after_secs;	/* 0: no such header */
};

void reply_clear(struct reply *reply);
void reply_reset(struct reply *reply);	/* for the next request; keeps the memory */

/* Start an answer of text; content_type is static. */
struct buf *reply_text(struct reply *reply, unsigned status, const char *content_type);

/* 303: the browser goes there by GET. */
void reply_redirect(struct reply *reply, const char *location);

/* Start an answer: the caller writes one JSON value. */
struct json reply_json(struct reply *reply, unsigned status);

/* An XRPC error, {error, message}.  Replaces what was written before. */
void reply_error(struct reply *reply, enum xrpc_error error, const char *fmt, ...)
    BF_PRINTF(3, 4);

/* As above, about an operation, whose id goes along as `id` unless empty. */
void reply_error_about(struct reply *reply, enum xrpc_error error,
    struct str message, struct str id);

/* 401 AuthenticationRequired; `reason` is a word that says more. */
void reply_refuse(struct reply *reply, const char *reason, const char *message);

#endif

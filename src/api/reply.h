/*
 * reply.h - the answer to one request, while it is being written.
 *
 * Handlers write JSON straight into the body that is sent.  Embedded in struct
 * request; http.c hands it to libmicrohttpd.
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
	struct buf body;		/* owned; JSON, or empty */
	bool closes;			/* the connection, after this answer */
	bool asks_credentials;		/* WWW-Authenticate */
	bool allows_methods;		/* the answer to OPTIONS */
	unsigned retry_after_secs;	/* 0: no such header */
};

void reply_clear(struct reply *reply);
void reply_reset(struct reply *reply);	/* for the next request; keeps the memory */

/* Start an answer: the caller writes one JSON value. */
struct json reply_json(struct reply *reply, unsigned status);

/* An XRPC error, {error, message}.  Replaces what was written before. */
void reply_error(struct reply *reply, enum xrpc_error error, const char *fmt, ...)
    BF_PRINTF(3, 4);

/* As above, about an operation, whose id goes along as `id` unless empty. */
void reply_error_about(struct reply *reply, enum xrpc_error error,
    struct str message, struct str id);

#endif

/*
 * xrpc.h - an XRPC query (GET) and the meaning of its error.
 *
 * Servers differ in the status that they send with an error: a PDS answers 400
 * RepoNotFound where a relay answers 404, proxies answer HTML.  So the name in
 * the body decides first and the status second.
 */
#ifndef BF_FETCH_XRPC_H
#define BF_FETCH_XRPC_H

#include <jansson.h>

#include "fetch/fetch_error.h"
#include "fetch/http.h"
#include "fetch/url.h"

struct xrpc;

struct xrpc_query {
	const char *origin;		/* scheme://host[:port] of the server; copied */
	const char *nsid;		/* copied */
	const struct url_param *params;	/* copied */
	size_t param_count;
	uint64_t body_bytes;		/* cap of the answer; 0: LIMIT_FETCH_JSON_BYTES */
	bool is_trusted;		/* as in struct http_get */
};

struct xrpc_reply {
	struct fetch_error error;
	json_t *json;			/* with FETCH_OK an object; for the callback */
	int64_t retry_after_ms;		/* -1: the server did not say */
};

/* The query is freed when this returns. */
typedef void xrpc_cb(const struct xrpc_reply *reply, void *arg);

/* Begin a query whose answer is JSON.  An answer that is not a JSON object is
 * FETCH_INVALID.  Never calls back from inside. */
struct xrpc *xrpc_get(struct http *http, const struct xrpc_query *query, xrpc_cb *cb,
    void *arg);

/* Drop it, without a callback; sets *xrpc to NULL.  NULL is fine. */
void xrpc_cancel(struct xrpc **xrpc);

/*
 * Refine what http.h said of an answer that is not 2xx by its body, which may
 * be anything.  Pure.  Leaves results without a status as they are.
 */
void xrpc_explain(const struct http_result *result, struct fetch_error *error_out);

#endif

#include "fetch/get_blob.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "fetch/url.h"
#include "fetch/xrpc.h"

struct get_blob {
	struct http_request *req;	/* NULL once it is done */
	const struct get_blob_events *events;
	void *arg;
	struct cid cid;
	struct sha256 *sha;		/* owned */
};

static void
on_head(struct http_request *req, const struct http_head *head, void *arg)
{
	struct get_blob *get = arg;

	if (head->status != 200)
		http_fail(req, FETCH_INVALID, "getBlob: status %u", head->status);
	sha256_begin(get->sha);
}

static void
on_body(struct http_request *req BF_UNUSED, struct bytes chunk, void *arg)
{
	struct get_blob *get = arg;

	sha256_add(get->sha, chunk);
	get->events->on_body(get, chunk, get->arg);
}

static void
on_restart(struct http_request *req BF_UNUSED, void *arg)
{
	struct get_blob *get = arg;

	get->events->on_restart(get, get->arg);
}

static void
get_blob_free(struct get_blob *get)
{
	sha256_free(&get->sha);
	free(get);
}

static bool
is_what_the_cid_names(struct get_blob *get)
{
	uint8_t digest[SHA256_BYTES];

	sha256_end(get->sha, digest);
	return memcmp(digest, cid_digest(&get->cid), SHA256_BYTES) == 0;
}

static void
on_done(struct http_request *req BF_UNUSED, const struct http_result *http, void *arg)
{
	struct get_blob *get = arg;
	struct get_blob_result result = {
		.body_bytes = http->body_bytes,
		.retry_after_ms = http->retry_after_ms,
	};

	get->req = NULL;
	xrpc_explain(http, &result.error);
	/* Without a marked end, wrong bytes are most likely only too few. */
	if (result.error.class == FETCH_OK && !is_what_the_cid_names(get))
		fetch_error_set(&result.error,
		    http->end_is_marked ? FETCH_INVALID : FETCH_TRUNCATED,
		    "getBlob: the %llu bytes are not what the CID names",
		    (unsigned long long)http->body_bytes);
	get->events->on_done(get, &result, get->arg);
	get_blob_free(get);
}

struct get_blob *
get_blob_start(struct http *http, const struct get_blob_query *query,
    const struct get_blob_events *events, void *arg)
{
	struct get_blob *get = xcalloc(1, sizeof(*get));
	struct http_limits limits = HTTP_LIMITS_REPO;
	char cid[CID_TEXT_SIZE];
	struct url_param params[] = {
		{ STR("did"), query->did },
		{ STR("cid"), { cid, CID_TEXT_LEN } },
	};
	struct buf url = BUF_INIT;
	struct http_get http_request = {
		.limits = &limits,
		.is_bulk = true,
		.on_head = on_head,
		.on_body = on_body,
		.on_restart = on_restart,
		.on_done = on_done,
		.arg = get,
	};

	get->events = events;
	get->arg = arg;
	get->cid = query->cid;
	get->sha = sha256_new();
	limits.body_bytes = LIMIT_FETCH_BLOB_BYTES;
	if (query->body_bytes > 0 && query->body_bytes < LIMIT_FETCH_BLOB_BYTES)
		limits.body_bytes = query->body_bytes;
	cid_format(&query->cid, cid);
	url_format_xrpc(&url, query->pds, "com.atproto.sync.getBlob", params,
	    BF_ARRAY_LEN(params));
	http_request.url = (const char *)buf_data(&url);
	get->req = http_get(http, &http_request);
	buf_clear(&url);
	return get;
}

void
get_blob_cancel(struct get_blob **get)
{
	/* Inside its own on_done there is nothing left to cancel. */
	if (*get != NULL && (*get)->req != NULL) {
		http_cancel(&(*get)->req);
		get_blob_free(*get);
	}
	*get = NULL;
}

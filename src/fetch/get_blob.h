/*
 * get_blob.h - com.atproto.sync.getBlob: a blob as a stream of bytes, proven.
 *
 * What comes is hashed on its way, and the end is FETCH_OK only if it is what the
 * CID names; until then nobody may believe the bytes.  Its media type is what its
 * uploader said and means nothing.  A server may redirect to where it keeps blobs.
 */
#ifndef BF_FETCH_GET_BLOB_H
#define BF_FETCH_GET_BLOB_H

#include "atproto/cid.h"
#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct get_blob;

struct get_blob_query {
	const char *pds;		/* origin of the server; copied */
	struct str did;			/* of the account; copied */
	struct cid cid;			/* with the codec raw, as all blobs have */
	/* What the record says is its size: more is FETCH_TOO_LARGE.  0, or over
	 * LIMIT_FETCH_BLOB_BYTES: that limit. */
	uint64_t body_bytes;
};

struct get_blob_result {
	struct fetch_error error;	/* already explained (xrpc.h) */
	uint64_t body_bytes;
	int64_t retry_after_ms;		/* -1: the server did not say */
};

typedef void get_blob_body_cb(struct get_blob *get, struct bytes chunk, void *arg);

/* The transfer was cut: what was handed over is void, it begins again. */
typedef void get_blob_restart_cb(struct get_blob *get, void *arg);

/* The download is freed when this returns. */
typedef void get_blob_done_cb(struct get_blob *get,
    const struct get_blob_result *result, void *arg);

struct get_blob_events {
	get_blob_body_cb *on_body;
	get_blob_restart_cb *on_restart;
	get_blob_done_cb *on_done;
};

/* Begin.  events are borrowed until the end.  Never calls back from inside. */
struct get_blob *get_blob_start(struct http *http, const struct get_blob_query *query,
    const struct get_blob_events *events, void *arg);

/* Drop it, without a callback, also from inside one; sets *get to NULL.  NULL is
 * fine. */
void get_blob_cancel(struct get_blob **get);

#endif

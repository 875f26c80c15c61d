/*
 * get_repo.h - com.atproto.sync.getRepo: a repository as a stream of CAR bytes.
 *
 * Hands on bytes only after the head of the answer has been checked: status
 * 200, media type application/vnd.ipld.car, first bytes those of a CAR header.
 * HTML or JSON with status 200 is FETCH_INVALID.  A transfer that was cut is
 * FETCH_TRUNCATED even if what came parses; what the bytes mean is for
 * atproto/car.h.  Account states come as their classes (FETCH_DEACTIVATED, ...).
 */
#ifndef BF_FETCH_GET_REPO_H
#define BF_FETCH_GET_REPO_H

#include "common/attr.h"
#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct get_repo;

struct get_repo_query {
	const char *pds;		/* origin of the server; copied */
	struct str did;			/* copied */
	struct str since;		/* a rev, or empty for the whole; copied */
	uint64_t body_bytes;		/* cap; 0: LIMIT_FETCH_REPO_BYTES */
	bool is_trusted;		/* as in struct http_get */
};

/* As in struct http_result; error is already explained (xrpc.h). */
struct get_repo_result {
	struct fetch_error error;
	uint64_t body_bytes;
	int64_t retry_after_ms;
	bool end_is_marked;
};

typedef void get_repo_body_cb(struct get_repo *get, struct bytes chunk, void *arg);

/* The download is freed when this returns. */
typedef void get_repo_done_cb(struct get_repo *get,
    const struct get_repo_result *result, void *arg);

/* Begin.  Never calls back from inside. */
struct get_repo *get_repo_start(struct http *http, const struct get_repo_query *query,
    get_repo_body_cb *on_body, get_repo_done_cb *on_done, void *arg);

/* As http_fail(). */
void get_repo_fail(struct get_repo *get, enum fetch_class class, const char *fmt, ...)
    BF_PRINTF(3, 4);

/* Drop it, without a callback; sets *get to NULL.  NULL is fine. */
void get_repo_cancel(struct get_repo **get);

#endif

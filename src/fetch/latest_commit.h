/*
 * latest_commit.h - com.atproto.sync.getLatestCommit: where a repository stands.
 *
 * One small request that says whether a repository moved, before anything is
 * downloaded.
 */
#ifndef BF_FETCH_LATEST_COMMIT_H
#define BF_FETCH_LATEST_COMMIT_H

#include "common/limits.h"
#include "common/str.h"
#include "common/tid.h"
#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct latest_commit;

struct latest_commit_result {
	struct fetch_error error;
	/* With FETCH_OK: */
	char rev[TID_SIZE];
	struct str cid;			/* of the commit; borrowed for the callback */
	int64_t retry_after_ms;		/* -1: the server did not say */
};

/* The request is freed when this returns. */
typedef void latest_commit_cb(const struct latest_commit_result *result, void *arg);

/* Begin.  pds is the origin of the server, copied.  Never calls back from inside. */
struct latest_commit *latest_commit_get(struct http *http, const char *pds,
    struct str did, latest_commit_cb *cb, void *arg);

/* Drop it, without a callback; sets *latest to NULL.  NULL is fine. */
void latest_commit_cancel(struct latest_commit **latest);

#endif

/*
 * describe_repo.h - com.atproto.repo.describeRepo: which collections does it have?
 *
 * A hint and no proof: it spares the download of a repository without any wanted
 * collection.
 */
#ifndef BF_FETCH_DESCRIBE_REPO_H
#define BF_FETCH_DESCRIBE_REPO_H

#include <stdbool.h>

#include "common/str.h"
#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct describe_repo;
struct filter;

/* With FETCH_OK: does it have a collection that the filter wants?  The request is
 * freed when this returns. */
typedef void describe_repo_cb(const struct fetch_error *error, bool is_wanted,
    void *arg);

/* Begin.  pds is the origin of the server, copied; filter is borrowed.  Never calls
 * back from inside. */
struct describe_repo *describe_repo_get(struct http *http, const char *pds,
    struct str did, const struct filter *filter, describe_repo_cb *cb, void *arg);

/* Drop it, without a callback; sets *describe to NULL.  NULL is fine. */
void describe_repo_cancel(struct describe_repo **describe);

#endif

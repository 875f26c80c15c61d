/*
 * identity.h - from a DID to its document: did:plc and did:web.
 *
 * One resolution is one HTTP request, without redirects.  The document is read
 * by atproto/diddoc.h and belongs to the DID that was asked for, else the
 * outcome is FETCH_INVALID.  Nothing is cached here.
 *
 * Outcomes: FETCH_OK; FETCH_NOT_FOUND, the DID was never registered or its host
 * does not know it; FETCH_GONE, it is tombstoned; a transient class, nothing is
 * known and nothing may be concluded; any other, the answer is no document.
 *
 * Sources: did-method-plc (200, 404 "not registered" or "not available", 410),
 * did:web with atproto's restriction to host names (no path, a port only for
 * localhost).
 */
#ifndef BF_FETCH_IDENTITY_H
#define BF_FETCH_IDENTITY_H

#include <stdbool.h>

#include "common/str.h"
#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct diddoc;
struct identity;

struct identity_options {
	const char *plc_url;		/* borrowed; origin of the directory; trusted */
	bool allow_plain_http;		/* development: did:web:localhost%3A2583 */
	const struct http_limits *limits; /* copied; NULL: HTTP_LIMITS_SMALL */
};

struct identity_result {
	struct fetch_error error;
	const struct diddoc *doc;	/* with FETCH_OK; borrowed for the callback */
	struct bytes json;		/* the document as received; likewise */
	int64_t retry_after_ms;		/* -1: the server did not say */
};

/* The resolution is freed when this returns. */
typedef void identity_cb(const struct identity_result *result, void *arg);

/*
 * Begin to resolve a DID.  Never fails at once and never calls back from
 * inside: a DID that is no DID, or of another method, ends in the callback as
 * FETCH_INVALID.
 */
struct identity *identity_resolve(struct http *http,
    const struct identity_options *options, struct str did, identity_cb *cb,
    void *arg);

/* Drop it, without a callback; sets *identity to NULL.  NULL is fine. */
void identity_cancel(struct identity **identity);

#endif

/*
 * crossref.h - the Crossref REST API: what a DOI is the DOI of.
 *
 * GET {url}/works/{doi}, with `mailto` for the polite pool if there is a mail address.
 * Documented rates (single records): 5 requests a second, one at a time, for anybody;
 * 10 a second, three at a time, in the polite pool.
 */
#ifndef BF_FETCH_CROSSREF_H
#define BF_FETCH_CROSSREF_H

#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct crossref;

struct crossref_work {
	struct str title, venue;	/* empty: not told; borrowed for the callback */
	unsigned year;			/* 0: not told */
};

/* work is NULL unless FETCH_OK.  FETCH_NOT_FOUND: Crossref does not know the DOI.  The
 * look-up is freed when this returns. */
typedef void crossref_cb(const struct fetch_error *error,
    const struct crossref_work *work, void *arg);

/* The rates; for an http of its own. */
struct polite_options crossref_rates(struct str mail);

/* Begin.  url and mail (may be empty) stand in the configuration.  Never calls back from
 * inside. */
struct crossref *crossref_look_up(struct http *http, const char *url, struct str mail,
    struct str doi, crossref_cb *cb, void *arg);

/* Drop it, without a callback; sets *crossref to NULL.  NULL is fine. */
void crossref_cancel(struct crossref **crossref);

#endif

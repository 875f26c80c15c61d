/*
 * scholar.h - the Semantic Scholar Graph API: the references of a paper by its DOI.
 *
 * GET {url}/paper/DOI:{doi}/references, page after page.  Documented rate without a
 * key: 100 requests in 5 minutes, shared by all who have none; so one at a time, one in
 * three seconds.
 */
#ifndef BF_FETCH_SCHOLAR_H
#define BF_FETCH_SCHOLAR_H

#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct scholar;

struct scholar_work {
	/* Empty: not told; borrowed for the callback. */
	struct str title, venue, doi, arxiv;
	struct str authors;		/* "A; B" */
	unsigned year;			/* 0: not told */
};

typedef void scholar_work_cb(const struct scholar_work *work, void *arg);

/* That was all of them, if FETCH_OK.  FETCH_NOT_FOUND: it does not know the paper.
 * The query is freed when this returns. */
typedef void scholar_done_cb(const struct fetch_error *error, void *arg);

/* The rate; for an http of its own. */
struct polite_options scholar_rates(void);

/* Begin; url stands in the configuration.  Never calls back from inside. */
struct scholar *scholar_references(struct http *http, const char *url, struct str doi,
    scholar_work_cb *on_work, scholar_done_cb *on_done, void *arg);

/* Drop it, without a callback; sets *scholar to NULL.  NULL is fine. */
void scholar_cancel(struct scholar **scholar);

#endif

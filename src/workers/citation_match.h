/*
 * citation_match.h - the cited works of one eprint, looked up among the eprints.
 *
 * Work after work: candidates by DOI, then by title (citation/match.h), each read from
 * the index and compared.  Never the eprint itself, nor one with its DOI, which is
 * another version of it.
 */
#ifndef BF_WORKERS_CITATION_MATCH_H
#define BF_WORKERS_CITATION_MATCH_H

#include "citation/match.h"
#include "citation/work.h"

struct citation_env;
struct citation_match;

struct citation_found {
	enum citation_method method;	/* CITATION_UNMATCHED: no eprint is it */
	char *uri;			/* owned; NULL with CITATION_UNMATCHED */
};

struct citation_match_query {
	const struct works *works;	/* borrowed until the end */
	/* of the citing eprint; copied */
	struct str did, rkey;
	const char *doi;
};

/* found has one entry for each work and becomes the callee's, with its texts.  class is
 * NULL, or why the index could not be asked.  The match is freed when this returns. */
typedef void citation_match_cb(struct citation_found *found, const char *class,
    const char *text, void *arg);

/* Begin.  Never calls back from inside. */
struct citation_match *citation_match_start(const struct citation_env *env,
    const struct citation_match_query *query, citation_match_cb *cb, void *arg);

/* Drop it, without a callback; sets *match to NULL.  NULL is fine. */
void citation_match_cancel(struct citation_match **match);

void citation_found_free(struct citation_found **found, size_t count);

#endif

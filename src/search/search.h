/*
 * search.h - searching the live index.
 *
 * Process: backfill-api and backfillctl, each for its own reader.  The file is
 * opened anew when full-reindex has put another one in its place.
 */
#ifndef BF_SEARCH_SEARCH_H
#define BF_SEARCH_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"

struct search;

/* dir is where live.db is or will be. */
struct search *search_new(const char *dir);
void search_free(struct search **search);

struct search_request {
	struct str text;	/* what was typed; search_match.h tells its rules */
	struct str collection;	/* empty: all */
	uint64_t skip;		/* hits before the page, at most LIMIT_SEARCH_SKIP */
	uint64_t limit;		/* of the page */
	int64_t budget_ms;	/* of computing; 0: no bound */
};

/* Good for the call. */
struct search_hit {
	struct str uri, cid, collection;
	struct str title;	/* first line; may be empty */
	struct str snippet;	/* a part of what was found, U+2026 where it is cut */
	double score;		/* greater is better */
};

typedef void search_hit_cb(const struct search_hit *hit, void *arg);

/*
 * Hits by descending score.  *has_more_out: there is another page.  ERR_NOT_FOUND:
 * no index was made yet; ERR_INVALID, ERR_LIMIT: the request; ERR_TIMEOUT: over
 * the budget; ERR_VERSION: made by another version; ERR_CORRUPT; ERR_SYSTEM.
 */
int search_run(struct search *search, const struct search_request *request,
    search_hit_cb *each, void *arg, bool *has_more_out, struct err *err)
    BF_MUSTCHECK;

#endif

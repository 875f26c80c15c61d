/*
 * match.h - which eprints of the index may a cited work be?
 *
 * Holds of every eprint two 64-bit hashes, of its DOI and of its title's normal form,
 * and where it stands: about 60 bytes for a usual repository and key.  A hash that
 * fits is a candidate only; who asks reads the record and compares the texts.
 */
#ifndef BF_CITATION_MATCH_H
#define BF_CITATION_MATCH_H

#include <stdint.h>

#include "citation/eprint.h"
#include "common/attr.h"
#include "common/str.h"
#include "rows/citation_row.h"

struct match_table;

struct match_table *match_table_new(void);
void match_table_free(struct match_table **table);

/* Enter an eprint; those of one repository one behind the other.  did and rkey are
 * copied.  -1: LIMIT_EPRINTS are there. */
int match_add(struct match_table *table, struct str did, struct str rkey,
    const struct eprint *eprint) BF_MUSTCHECK;

/* All are entered: now it can be asked. */
void match_ready(struct match_table *table);

uint64_t match_count(const struct match_table *table);

/* Walks the candidates in the order they were entered. */
struct match_search {
	const struct match_table *table;
	enum citation_method method;
	uint64_t hash;
	uint64_t next;
};

/* Begin a search for a DOI, or for a title in its normal form. */
struct match_search match_begin(const struct match_table *table,
    enum citation_method method, struct str text);

struct match_candidate {
	struct str did, rkey;		/* good as long as the table */
};

/* The next candidate; false: there are no more. */
bool match_next(struct match_search *search, struct match_candidate *candidate_out);

/* Whether an eprint was entered. */
bool match_has(const struct match_table *table, struct str did, struct str rkey);

#endif

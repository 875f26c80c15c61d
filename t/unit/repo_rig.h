/*
 * repo_rig.h - feeding and proving repositories in tests, in several ways.
 */
#ifndef BF_T_UNIT_REPO_RIG_H
#define BF_T_UNIT_REPO_RIG_H

#include <stdbool.h>
#include <stdio.h>

#include "atproto/repo.h"
#include "common/buf.h"

/* How a repository is fed and stored; what comes out must not depend on it. */
struct repo_way {
	size_t piece_bytes, memory_bytes;
	bool spills, maps, has_car;	/* has_car: the file is the CAR itself */
};

#define REPO_WAYS	7
extern const struct repo_way repo_ways[REPO_WAYS];

/* spill_out is the spill file, which the caller closes after the repository; NULL if
 * that way has none. */
struct repo *repo_rig_new(const struct repo_way *way, FILE **spill_out);

/* All of a CAR and its end. */
int repo_rig_feed(struct repo *repo, struct bytes car, size_t piece_bytes,
    struct fault *fault);

/* repo_rig_feed(), the commit and the tree. */
int repo_rig_prove(struct repo *repo, struct bytes car, const struct repo_way *way,
    const struct commit_expect *expect, struct fault *fault);

/* path<TAB>cid<TAB>bytes of each good record; bad ones are counted. */
struct buf repo_rig_list(struct repo *repo, const struct filter *filter, size_t *bad_out);

#endif

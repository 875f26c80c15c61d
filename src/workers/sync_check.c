/*
 * The part of a sync that proves what was fetched: the commit, then the tree.
 * All of it is computing, so it is cut into slices that leave the loop free.
 */
#include <string.h>

#include "common/clock.h"
#include "workers/sync_repo_impl.h"

#define SLICE_NODES	2000	/* about 2 ms */
#define SLICE_RECORDS	5000	/* likewise */

/* The reference server reads its blocks page by page while others write, so a
 * block that is missing once may be there the next time; and without a marked end
 * a cut transfer looks like a short repository. */
static bool
may_pass(const struct sync_repo *sync, const struct fault *fault)
{
	const char *kind = fault_kind(fault->code);

	return strcmp(kind, "Incomplete") == 0 ||
	    (strcmp(kind, "Truncated") == 0 && !sync->end_is_marked);
}

static void
refetch_or_fail(struct sync_repo *sync, const struct fault *fault)
{
	if (may_pass(sync, fault) && !sync->was_refetched) {
		char text[FAULT_TEXT_SIZE];

		sync->was_refetched = true;
		fault_format(fault, text);
		sync_note(sync, "%s; fetching it once more", text);
		sync_enter(sync, SYNC_FETCHING);
	} else {
		sync_fail_fault(sync, fault);
	}
}

static bool
is_about_signature(enum fault_code code)
{
	return strcmp(fault_kind(code), "BadSignature") == 0;
}

void
sync_check_commit(struct sync_repo *sync)
{
	struct commit_expect expect = {
		.did = str_from(sync->did),
		.key = &sync->key,
		.rev_known = str_from(sync->accepts_older ? NULL : sync->known.rev),
		.now_us = clock_wall_us(),
	};
	struct fault fault = FAULT_INIT;

	if (sync->step == SYNC_FETCHING && repo_feed_end(sync->repo, &fault) == -1) {
		refetch_or_fail(sync, &fault);
		return;
	}
	if (repo_check_commit(sync->repo, &expect, &fault) == 0) {
		sync_enter(sync, SYNC_CHECKING);
	} else if (is_about_signature(fault.code) && !sync->was_refreshed) {
		sync->fault = fault;
		sync_enter(sync, SYNC_REFRESHING);
	} else {
		sync_fail_fault(sync, &fault);
	}
}

/* --- checking --- */

void
sync_check_tree(struct sync_repo *sync)
{
	sync_slice_soon(sync);
}

void
sync_check_tree_slice(struct sync_repo *sync)
{
	struct fault fault = FAULT_INIT;

	switch (repo_check_tree(sync->repo, SLICE_NODES, &fault)) {
	case REPO_AGAIN:
		sync_slice_soon(sync);
		break;
	case REPO_DONE:
		sync->progress.total = 0;
		if (sync_wanted(sync) != NULL) {
			sync_enter(sync, SYNC_COUNTING);
			break;
		}
		sync->progress.total = repo_stats(sync->repo).records;
		sync_enter(sync, SYNC_DIFFING);
		break;
	case REPO_FAILED:
		refetch_or_fail(sync, &fault);
		break;
	}
}

/* --- counting --- */

void
sync_check_count(struct sync_repo *sync)
{
	sync->walk = repo_walk_new(sync->repo, sync_wanted(sync));
	sync_slice_soon(sync);
}

void
sync_check_count_slice(struct sync_repo *sync)
{
	struct repo_record record;
	struct fault fault = FAULT_INIT;
	int rc = 1;

	for (int i = 0; i < SLICE_RECORDS && rc == 1; i++) {
		rc = repo_walk_next(sync->walk, &record, &fault);
		if (rc == 1)
			sync->progress.total++;
	}
	if (rc == 1) {
		sync_slice_soon(sync);
	} else if (rc == 0) {
		repo_walk_free(&sync->walk);
		sync_enter(sync, SYNC_DIFFING);
	} else {
		sync_fail_fault(sync, &fault);
	}
}

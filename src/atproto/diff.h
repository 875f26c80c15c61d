/*
 * diff.h - what has to change in an index for it to equal a repository.
 *
 * Merges a walk over the repository with the rows of the index, both in the order
 * of their paths.  The rows come from the caller, one at a time and whenever it
 * has them, so they may arrive from another process in batches:
 *
 *	for (;;) switch (diff_next(diff, &change, &fault)) {
 *	case DIFF_NEED_ROW:	diff_row(diff, path, &cid) or diff_rows_end(diff);
 *				or return to the loop until the next batch is there
 *	case DIFF_CHANGED:	act on change
 *	case DIFF_DONE:		...
 *	case DIFF_FAILED:	...
 *	}
 *
 * Both sides have to be the same selection: rows only of the collections that the
 * walk's filter wants.  Changes come in the order of their paths, and none of them
 * waits for rows behind it: a batch of changes can be sent as soon as it is full.
 */
#ifndef BF_ATPROTO_DIFF_H
#define BF_ATPROTO_DIFF_H

#include <stdint.h>

#include "atproto/cid.h"
#include "atproto/fault.h"
#include "atproto/repo.h"
#include "common/attr.h"
#include "common/str.h"

struct diff;

enum diff_kind {
	DIFF_CREATE,		/* in the repository alone */
	DIFF_UPDATE,		/* in both, with other CIDs */
	DIFF_DELETE,		/* in the index alone */
	DIFF_REFUSE,		/* bad in the repository: record.bad says why; the index
				 * has nothing there */
	DIFF_REFUSE_DELETE,	/* likewise, and the index has an older version, which is
				 * no longer what the repository says */
};

struct diff_change {
	enum diff_kind kind;
	struct str path;		/* good until the next call on diff */
	struct repo_record record;	/* not for DIFF_DELETE */
};

enum diff_step {
	DIFF_FAILED = -1,	/* fault is set */
	DIFF_DONE = 0,
	DIFF_CHANGED,		/* *change_out is set */
	DIFF_NEED_ROW,		/* diff_row() or diff_rows_end(), then again */
};

struct diff_counts {
	uint64_t same, created, updated, deleted, refused;
};

/* Borrows walk, which stands at its start, for its own life. */
struct diff *diff_new(struct repo_walk *walk);
void diff_free(struct diff **diff);

enum diff_step diff_next(struct diff *diff, struct diff_change *change_out,
    struct fault *fault) BF_MUSTCHECK;

/*
 * The next row of the index; path is copied.  Only after DIFF_NEED_ROW.  Rows have
 * to ascend by the bytes of "COLLECTION/RKEY": FAULT_DIFF_ORDER otherwise (note
 * that '.' and '-' sort before '/').
 */
int diff_row(struct diff *diff, struct str path, const struct cid *cid,
    struct fault *fault) BF_MUSTCHECK;
void diff_rows_end(struct diff *diff);

struct diff_counts diff_counts(const struct diff *diff);

#endif

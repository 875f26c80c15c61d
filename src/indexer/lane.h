/*
 * lane.h - one repository that a worker has open.
 *
 * A lane exists from `begin` until it is acked, refused or aborted, or until its
 * worker is gone.  It claims its DID: no second lane, of whatever worker, can
 * have it at the same time.  Process: backfill-indexer; peer.c makes and frees
 * lanes, apply.c commits them.
 */
#ifndef BF_INDEXER_LANE_H
#define BF_INDEXER_LANE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "indexer/stage.h"
#include "store/records.h"

struct peer;

/* What became of a commit. */
struct lane_result {
	uint64_t created, updated, deleted;
	bool has_failed;
	struct err why;
};

struct lane {
	struct peer *peer;		/* borrowed, outlives us */
	uint64_t number;		/* the worker's */

	/* owned */
	char *did;
	struct stage *stage;

	bool is_ready;			/* `commit` came: in the queue of ready lanes */
	bool is_broken;			/* a change could not be staged: why says it */
	struct err why;

	/* as `commit` says; its slices point into commit_bytes */
	struct repo_row commit;
	struct buf commit_bytes;	/* owned */
	struct lane_result result;

	LIST_ENTRY(lane) of_peer;
	TAILQ_ENTRY(lane) of_ready;
	LIST_ENTRY(lane) of_claims;
};

LIST_HEAD(lane_list, lane);
TAILQ_HEAD(lane_queue, lane);

/* The DIDs that are taken. */
#define CLAIMS_BUCKETS	4096
struct claims {
	struct lane_list buckets[CLAIMS_BUCKETS];
};

void claims_init(struct claims *claims);

/* A lane that has the DID now, or NULL if another one has it. */
struct lane *lane_new(struct claims *claims, struct stage_pool *pool,
    struct peer *peer, uint64_t number, struct str did);

/* Gives up the DID and drops what was staged.  Not while it is in a queue. */
void lane_free(struct lane **lane);

/* Stage one change.  A failure is kept and becomes the answer to `commit`: the
 * worker has more changes under way and need not be told before. */
void lane_add(struct lane *lane, const struct stage_change *change);

/* Copy what `commit` says. */
void lane_set_commit(struct lane *lane, const struct repo_row *row);

#endif

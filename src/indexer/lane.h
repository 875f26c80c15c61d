/*
 * lane.h - one repository, or one batch of rows, that a worker has open.
 *
 * A lane exists from its first message until its commit is answered, until it is
 * aborted, or until its worker is gone.  That of a repository claims its DID: no
 * second lane, of whatever worker, can have it at the same time.  Process:
 * backfill-indexer; the files of peer.h make and free lanes, apply.c commits them.
 */
#ifndef BF_INDEXER_LANE_H
#define BF_INDEXER_LANE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "indexer/stage.h"
#include "store/records.h"

struct peer;

enum lane_kind {
	LANE_REPO,		/* from `begin` on; claims its DID */
	LANE_BATCH,		/* from its first row message on */
};

/* What became of a commit. */
struct lane_result {
	struct records_changes changes;
	bool has_failed;
	struct err why;
};

struct lane {
	enum lane_kind kind;
	struct peer *peer;		/* borrowed, outlives us */
	uint64_t number;		/* the worker's */
	const char *op_id;		/* borrowed, the peer's; "": has none */

	/* owned */
	char *did;			/* NULL: claims none */
	struct stage *stage;		/* NULL: broken or refused */

	bool is_refused;		/* its scan failed: what comes is passed over
					 * until the worker frees the lane */
	bool is_ready;			/* `commit` came: in the queue of ready lanes */
	bool is_broken;			/* a change could not be staged: why says it */
	struct err why;

	/* as the commit says */
	bool is_counted;		/* in the operation's tally */
	struct repo_row commit;		/* its slices point into commit_bytes */
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

/* A lane for a batch of rows. */
struct lane *lane_new_batch(struct stage_pool *pool, struct peer *peer,
    uint64_t number);

/* Give up the DID and drop what was staged; the lane stays, refused. */
void lane_refuse(struct lane *lane);

/* As lane_refuse(), and free it.  Not while it is in a queue. */
void lane_free(struct lane **lane);

/* Stage one change.  A failure is kept and becomes the answer to `commit`: the
 * worker has more changes under way and need not be told before. */
void lane_add(struct lane *lane, const struct stage_change *change);

/* Copy what `commit` says. */
void lane_set_commit(struct lane *lane, const struct repo_row *row);

#endif

/*
 * work.h - what all peers of the indexer share: the store, who has which
 * repository, and what is to be done in the next turn of the loop.
 *
 * Process: backfill-indexer.  indexer.c owns it, peer.c puts lanes and scans
 * into its queues, and once per turn work_turn() takes them out: the lanes that
 * are ready are committed as a group and answered, the scans go on a bit.
 */
#ifndef BF_INDEXER_WORK_H
#define BF_INDEXER_WORK_H

#include <stdbool.h>

#include "indexer/lane.h"
#include "indexer/scan.h"

struct work {
	struct records *records;	/* borrowed */
	struct stage_pool stages;
	struct claims claims;
	struct lane_queue ready;	/* in the order of their commits */
	struct scan_queue running;	/* the next one first */
	bool is_disk_full;		/* as of the last commit; said once in the log */
};

/* stage_dir is borrowed. */
void work_init(struct work *work, struct records *records, const char *stage_dir);

/* Put a scan at the end of the queue, or take it out wherever it is. */
void work_run_scan(struct work *work, struct scan *scan);
void work_stop_scan(struct work *work, struct scan *scan);

/* Commit, answer, go on with scans. */
void work_turn(struct work *work);

/* Something is left for the next turn: the loop must not wait. */
bool work_is_pending(const struct work *work);

#endif

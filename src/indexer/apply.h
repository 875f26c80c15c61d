/*
 * apply.h - bring what lanes have staged into records/.
 *
 * Process: backfill-indexer.  All lanes that are ready in one turn of the loop
 * share one write transaction, since the sync to disk costs more than the
 * changes: group commit.
 */
#ifndef BF_INDEXER_APPLY_H
#define BF_INDEXER_APPLY_H

#include "indexer/lane.h"

/*
 * Commit a group of lanes and fill in the result of each.  When it returns, a
 * lane that has not failed is on disk.  If the group fails, each lane is tried
 * alone, so that none fails for another's sake.
 */
void apply_group(struct records *records, struct lane_queue *group);

#endif

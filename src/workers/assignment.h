/*
 * assignment.h - what a worker is told to do, as it comes in over fd 3.
 *
 * `listed_item`*, `assign`, then as many `spill` as it announces and, for a retry,
 * `retry_item`* and `retry_end`.  Part of the harness (worker.c), which starts its type once
 * the assignment is complete.
 */
#ifndef BF_WORKERS_ASSIGNMENT_H
#define BF_WORKERS_ASSIGNMENT_H

#include <stdbool.h>

#include "common/err.h"
#include "workers/worker.h"

struct assignment {
	struct worker_assignment given;	/* its texts and descriptors are owned */
	struct str *items;		/* owned; of a retry, none twice */
	size_t items_count, items_came;
	struct str *listed;		/* owned; sorted once `assign` has come */
	size_t listed_count;
	bool has_assign;
	uint64_t spills_to_come;
	bool items_to_come;
};

void assignment_init(struct assignment *assignment);
void assignment_clear(struct assignment *assignment);

/* Is the message one of those that make up an assignment? */
bool assignment_is_part(const struct msg *msg);

/* Take one of them, and the descriptor that came with it (-1: none), which is ours
 * from then on.  ERR_PROTOCOL: it is out of order, or one too many. */
int assignment_take(struct assignment *assignment, const struct msg *msg, int fd,
    struct err *err) BF_MUSTCHECK;

/* An attempt that died has listed this item as failed; true only once. */
bool assignment_unlist(struct assignment *assignment, struct str item);

bool assignment_is_complete(const struct assignment *assignment);

#endif

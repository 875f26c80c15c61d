/*
 * queue.h - which queued operation runs next.
 *
 * Oldest first, as many as max_workers allows, and only while the indexer can
 * take their records.  The queue itself is in the store; nothing here has to
 * survive a restart.
 */
#ifndef BF_SUPERVISOR_QUEUE_H
#define BF_SUPERVISOR_QUEUE_H

#include "supervisor/supervisor.h"

void queue_init(struct supervisor *sup);

/* There may be something to start: after a trigger, an end, or when the indexer is
 * ready.  It is done from a turn of the loop of its own, a few at a time. */
void queue_wake(struct supervisor *sup);

#endif

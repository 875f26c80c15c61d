/*
 * citation_queue.h - eprints under way, some at a time, ended in the order they began.
 *
 * An eprint that is done early waits for those before it, so that "the last one that
 * ended" says all: whatever is before it is in the index.  That is the checkpoint.
 */
#ifndef BF_WORKERS_CITATION_QUEUE_H
#define BF_WORKERS_CITATION_QUEUE_H

#include <stdbool.h>

#include "workers/citation_job.h"

struct citation_queue;

/* The next eprint in order has ended; more may be added from here. */
typedef void citation_queue_cb(struct str did, struct str path,
    const struct citation_outcome *outcome, void *arg);

/* env is borrowed; at most so many at a time. */
struct citation_queue *citation_queue_new(struct citation_env *env, unsigned at_a_time,
    citation_queue_cb *cb, void *arg);
void citation_queue_free(struct citation_queue **queue);	/* without a word */

unsigned citation_queue_room(const struct citation_queue *queue);
bool citation_queue_is_empty(const struct citation_queue *queue);

/* Only if there is room; as citation_job_start(). */
void citation_queue_add(struct citation_queue *queue, struct str did, struct str path,
    struct bytes record);

/* One that failed before it could begin; item is any text instead of a path. */
void citation_queue_add_failed(struct citation_queue *queue, struct str item,
    const char *class, const char *text);

#endif

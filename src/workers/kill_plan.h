/*
 * kill_plan.h - die at a random moment of the work, if a test asks for it.
 *
 * In builds with sanitizers, which are for tests, BF_KILL_PLAN=SEED:KILLS:TURNS in the
 * daemon's environment makes the first KILLS attempts of every operation kill
 * themselves, by SIGKILL, at a turn of the loop that SEED and the attempt choose: three
 * of four within a fifth of TURNS, the fourth within TURNS.  With a SEED of 0 they die
 * later and later instead, one after the other through all of TURNS.  Turns are counted
 * from where such a death is not the operation's end: in the first attempt from when its
 * first checkpoint has left, in a later one from its assignment.  A worker that comes to
 * its end says how many it has counted.  In all other builds this is nothing.
 */
#ifndef BF_WORKERS_KILL_PLAN_H
#define BF_WORKERS_KILL_PLAN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "workers/worker.h"

struct channel;

struct kill_plan {
	struct channel *control;	/* borrowed */
	const struct worker_assignment *given;	/* borrowed */
	bool has_checkpoint;		/* to count from */
	uint64_t turns, due;		/* due 0: live */
	struct ev_prepare turn;
};

#ifdef BF_SANITIZED
/* When the work begins. */
void kill_plan_start(struct kill_plan *plan, struct ev_loop *loop,
    struct channel *control, const struct worker_assignment *given);

/* A checkpoint is sent. */
void kill_plan_checkpoint(struct kill_plan *plan);

/* The last words are said; what was not started may be stopped. */
void kill_plan_stop(struct kill_plan *plan, struct ev_loop *loop);
#else
static inline void
kill_plan_start(struct kill_plan *plan, struct ev_loop *loop, struct channel *control,
    const struct worker_assignment *given)
{
	(void)plan, (void)loop, (void)control, (void)given;
}
static inline void kill_plan_checkpoint(struct kill_plan *plan) { (void)plan; }
static inline void
kill_plan_stop(struct kill_plan *plan, struct ev_loop *loop)
{
	(void)plan, (void)loop;
}
#endif

#endif

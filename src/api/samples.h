/*
 * samples.h - how fast operations went over time, for the dashboard's chart.
 *
 * Filled from the supervisor's news and kept in this process alone: an operation is
 * known from when this API first heard of it.  All of an operation's time fits into
 * SAMPLES_MOST steps; when it does not any more, two steps become one twice as long.
 * Beyond LIMIT_SAMPLED_OPS the one not heard of for longest is forgotten.  Pure but
 * for memory.
 */
#ifndef BF_API_SAMPLES_H
#define BF_API_SAMPLES_H

#include <stdint.h>

#include "op/op.h"

#define SAMPLES_MOST		120
#define SAMPLES_FIRST_STEP_MS	1000

struct samples;

struct samples *samples_new(void);
void samples_free(struct samples **samples);

/* An operation as it is at this time; one that waits in the queue is passed over. */
void samples_op(struct samples *samples, const struct op *op, int64_t now_ms);

struct samples_view {
	int64_t start_ms;		/* wall clock */
	int64_t step_ms;
	unsigned count;			/* steps that are over */
	double rate[SAMPLES_MOST];	/* records per second in each */
	double most;			/* of them */
};

/* False if nothing is known of it. */
bool samples_get(const struct samples *samples, struct str id,
    struct samples_view *view_out);

#endif

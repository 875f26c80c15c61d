/*
 * metrics.h - what this process counts for /metrics.
 *
 * Counters start at 0 with the process, as Prometheus expects it; what is true at one
 * moment (how many wait, how large a store is) is asked for when it is wanted
 * (h_metrics.c).  Operations are counted from the supervisor's news, so of one that
 * was running before this process started only what it has done since.
 */
#ifndef BF_API_METRICS_H
#define BF_API_METRICS_H

#include <stdbool.h>

#include "common/buf.h"
#include "op/op.h"

struct metrics;
struct route;

struct metrics *metrics_new(void);
void metrics_free(struct metrics **metrics);

/* An operation that ran before this process did. */
void metrics_op_known(struct metrics *metrics, const struct op *op);

/* An operation as it is now. */
void metrics_op(struct metrics *metrics, const struct op *op);

/* The queue is counted anew: begin, then each that waits. */
void metrics_waiting_begin(struct metrics *metrics);
void metrics_waiting(struct metrics *metrics, struct str type);

/* A request was answered; route is NULL if there was none for it. */
void metrics_request(struct metrics *metrics, const struct route *route, unsigned status,
    double seconds);

/* All of it as text. */
void metrics_write(const struct metrics *metrics, struct buf *to);

#endif

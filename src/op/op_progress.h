/*
 * op_progress.h - what an operation's counters say: how far, how long still.
 *
 * Pure; the API, the dashboard's events and backfillctl show the same figures
 * because they all ask here.
 */
#ifndef BF_OP_OP_PROGRESS_H
#define BF_OP_OP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "op/op.h"

/* An estimate further away than this says nothing. */
#define OP_ETA_MAX_SECS		(100ull * 24 * 3600)

/* What is shown: records; or, of a stage that counts otherwise (repositories, after a
 * catch-up's events), what that has done. */
struct op_progress {
	uint64_t done, total;	/* total 0: not known yet */
	bool is_of_stage;
};
struct op_progress op_progress(const struct op *op);

/* 0-100 of that, rounded down, so that 100 means all of it.  False (and percent_out
 * untouched) while the total is not known. */
bool op_percent(const struct op *op, unsigned *percent_out);

/* Seconds left at the present rate, rounded up.  False unless the operation
 * runs, its total is known and it moves. */
bool op_eta_secs(const struct op *op, uint64_t *secs_out);

/* Cancelling was asked for, and its process has not ended yet. */
bool op_is_being_cancelled(const struct op *op);

/* A pause is wanted: it does not go on, or will soon stop. */
bool op_is_paused(const struct op *op);

/* Its status for people, who want to know what is going on: also "cancelling",
 * "pausing" and "paused". */
const char *op_condition(const struct op *op);

#endif

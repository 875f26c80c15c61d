/*
 * outcome.h - how an operation ended, in a sentence or two.
 */
#ifndef BF_CTL_OUTCOME_H
#define BF_CTL_OUTCOME_H

#include "common/buf.h"
#include "ctl/term.h"
#include "op/op.h"

/* Append lines such as "completed: 20,000 records in 16 s (1,250/s)"; only for
 * an operation that has ended. */
void outcome_format(const struct op *op, const struct term *term, struct buf *to);

/* Append how its last process ended: "exit status 0", "killed by SIGSEGV". */
void outcome_format_exit(const struct op *op, struct buf *to);

/* Append "20,000 created, 3 updated, 0 deleted". */
void outcome_format_changes(const struct op *op, struct buf *to);

/* The last attempt's duration, or the whole one if it never started. */
int64_t outcome_took_ms(const struct op *op);

#endif

/*
 * op.h - what an operation is: the record that every process means by the word.
 *
 * The supervisor writes it (store/ops.h), the API and backfillctl show it, a
 * worker only ever sees its own parameters (proto: assign).  This directory
 * does no I/O.
 *
 * All text members are borrowed slices: they point into the encoded value or
 * message that the record was decoded from, or into memory that its maker
 * keeps alive.  Absent text is empty, an absent number is 0.
 */
#ifndef BF_OP_OP_H
#define BF_OP_OP_H

#include "common/field.h"
#include "common/tid.h"
#include "op/op_met.h"
#include "op/op_state.h"

/*
 * The persistent fields: F(KIND, member), stored under `number`.
 *
 * This list is the disk format.  To change it: add new rows at the end of their
 * group with the next free number, never reuse or renumber one, never change
 * what a member means.  An old value simply lacks the new members.  Anything
 * else needs a new OP_VERSION and a decoder for the old one (docs/store.md).
 */
#define OP_FIELDS(F)							\
	/* identity */							\
	F(1, TEXT, id)			/* TID */			\
	F(2, TEXT, type)		/* as in op_type.h: "did-sync" */ \
	F(3, U64, status)		/* enum op_status */		\
	/* parameters, as triggered */					\
	F(4, TEXT, did)							\
	F(5, TEXT, pds_url)						\
	F(6, TEXT, uri)							\
	F(7, U64, batch_size)						\
	/* who and when; wall clock, milliseconds */			\
	F(8, TEXT, started_by)		/* a DID, or "admin", "uid 1000" */ \
	F(9, U64, created_ms)		/* accepted; the lexicon's startedAt */ \
	F(10, U64, started_ms)		/* the last attempt's start */	\
	F(11, U64, completed_ms)	/* reached a terminal state */	\
	F(12, U64, updated_ms)		/* last progress or transition */ \
	F(13, TEXT, cancelled_by)	/* set when cancelling is asked for */ \
	F(14, TEXT, cancel_reason)					\
	F(15, U64, cancel_asked_ms)					\
	/* progress */							\
	F(16, TEXT, stage)						\
	F(17, U64, records_processed)					\
	F(18, U64, records_total)	/* 0: not known yet */		\
	F(19, U64, items_failed)					\
	F(20, U64, rate_milli)		/* records per 1000 s, smoothed */ \
	F(21, U64, bytes_fetched)					\
	F(22, U64, records_created)	/* what the index changed */	\
	F(23, U64, records_updated)					\
	F(24, U64, records_deleted)					\
	/* how it ran and ended */					\
	F(25, U64, attempt)		/* 1 for the first start */	\
	F(26, U64, worker_pid)		/* while running */		\
	F(27, TEXT, error_class)	/* a word: "unreachable", "worker-died" */ \
	F(28, TEXT, error_text)						\
	F(29, U64, exit_status)		/* wait(2) status + 1; 0: no worker ended */ \
	F(30, BOOL, was_killed)		/* we had to send SIGKILL */	\
	F(31, U64, cpu_ms)		/* of all attempts */		\
	F(32, U64, max_rss_kib)		/* highest of all attempts */	\
	F(33, U64, crashes)		/* attempts that the daemon or the indexer \
					 * did not survive (max_attempts) */ \
	/* parameters */						\
	F(34, TEXT, items_of)		/* TID: only what failed in that one */ \
	F(39, TEXT, tier)		/* op_tier.h */			\
	/* who and when, beyond the trigger */				\
	F(35, U64, paused_ms)		/* since when a pause is wanted; 0: none is */ \
	F(36, TEXT, paused_by)						\
	F(37, TEXT, idempotency_key)	/* the client's, for asking twice safely */ \
	F(38, U64, priority)		/* enum op_priority */		\
	/* how often it met what, in all attempts (op_met.h): 40 to 58 */ \
	OP_MET(OP_MET_FIELD, F)						\
	/* for its failed items (docs/store.md): checkpoints written, and	\
	 * rows of `item` that have nothing any more */			\
	F(80, U64, checkpoints)						\
	F(81, U64, item_rows_empty)					\
	/* progress of a stage that is no matter of records */		\
	F(82, U64, stage_done)						\
	F(83, U64, stage_total)		/* 0: not known yet */

#define OP_VERSION	1	/* of the disk format */

/* Which of the queued ones starts first. */
enum op_priority {
	OP_PRIORITY_BULK = 0,		/* scans, and what a schedule triggers */
	OP_PRIORITY_INTERACTIVE = 1,	/* somebody waits for it */
};

#define OP_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct op {
	OP_FIELDS(OP_MEMBER)
};

#undef OP_MEMBER

/* The rows of OP_FIELDS in order, and the number of each on disk. */
extern const struct field op_fields[];
extern const uint8_t op_field_numbers[];
extern const size_t op_fields_count;

static inline enum op_status op_status(const struct op *op)
{
	return (enum op_status)op->status;
}

#endif

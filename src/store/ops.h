/*
 * ops.h - operations/: the durable record of every operation (LMDB).
 *
 * The supervisor opens it as the only writer; backfill-api opens it read only.
 * Every change is one transaction that is on disk when the function returns;
 * only progress is batched by the caller.  Transactions never outlive the
 * function or the read block that began them.  Tables, keys and formats:
 * docs/store.md.
 *
 * Texts that a peer had a say in are cut at LIMIT_OP_TEXT_BYTES, between two
 * characters.  What is passed in to be written must not be borrowed from the
 * store itself.
 *
 * Errors: ERR_NOT_FOUND, ERR_EXISTS, ERR_CONFLICT as each function says;
 * everywhere ERR_DISK_FULL (LMDB's EIO, ENOSPC or MDB_MAP_FULL on a write:
 * what was committed before is unharmed), ERR_CORRUPT (a value fails its
 * checksum) and ERR_SYSTEM.
 */
#ifndef BF_STORE_OPS_H
#define BF_STORE_OPS_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "op/op.h"

struct ops;

enum ops_mode {
	OPS_WRITE,	/* makes what is missing; sets up the schema */
	OPS_READ,
};

/*
 * dir exists.  One per process (LMDB).  ERR_VERSION: written by a newer version,
 * and untouched; ERR_EXISTS: this process has it open; ERR_NOT_FOUND: nothing to
 * read there yet; ERR_CORRUPT: damaged, or no store of ours.
 */
int ops_open(const char *dir, enum ops_mode mode, struct ops **ops_out,
    struct err *err) BF_MUSTCHECK;
void ops_close(struct ops **ops);

/* --- writing (supervisor) --- */

/*
 * Make a queued operation: op->id, type, parameters, started_by, created_ms,
 * priority and idempotency_key are the caller's; the status becomes queued and the
 * event `triggered` is written.
 * ERR_EXISTS if an operation with the same type and parameters is active; its id
 * is then put into active_id_out.  ERR_INVALID if the id is not a TID or the type
 * not a name, ERR_LIMIT if a parameter is too long, ERR_CONFLICT if the id was
 * given out before.
 */
int ops_create(struct ops *ops, const struct op *op, char active_id_out[TID_SIZE],
    struct err *err) BF_MUSTCHECK;

/* Change fields of an operation that is being written.  Slices put into it must
 * live until the function that was given the callback returns.  Must not touch
 * id, type, parameters or status. */
typedef void ops_edit_cb(struct op *op, void *arg);

/*
 * The one function that changes an operation's state: looks the operation up,
 * asks op_status_next(), lets `edit` (may be NULL) fill in fields, writes the
 * record, its indexes and the event with its text, all in one transaction.
 * updated_ms is set to now_ms; completed_ms too when the new state is terminal,
 * and the checkpoint goes.  worker_pid becomes 0 unless the new state is running.
 * ERR_CONFLICT if the present state does not allow the event; status_out (may be
 * NULL) then has the present state, otherwise the new one.
 */
int ops_change(struct ops *ops, struct str id, enum op_event event,
    struct str event_text, int64_t now_ms, ops_edit_cb *edit, void *arg,
    enum op_status *status_out, struct err *err) BF_MUSTCHECK;

/*
 * Write an event that changes no state, and let `edit` change fields with it:
 * a cancel that was asked for, a kill, a worker's log line.  ERR_CONFLICT if the
 * operation is in a terminal state.
 */
int ops_note(struct ops *ops, struct str id, enum op_event event,
    struct str event_text, int64_t now_ms, ops_edit_cb *edit, void *arg,
    struct err *err) BF_MUSTCHECK;

/*
 * A group of writes that reach the disk together: each of them is still all or
 * nothing, but is on disk only when the group is committed.  For what many report
 * at once, not for transitions.  Begun and committed by one function.
 */
int ops_group_begin(struct ops *ops, struct err *err) BF_MUSTCHECK;
int ops_group_commit(struct ops *ops, struct err *err) BF_MUSTCHECK;
void ops_group_abort(struct ops *ops);	/* instead of commit: as if never begun */

/*
 * A part of a group, for several writes about one operation: they are all or nothing
 * together, which also costs less.  One that fails leaves only ops_part_abort().
 */
int ops_part_begin(struct ops *ops, struct err *err) BF_MUSTCHECK;
int ops_part_commit(struct ops *ops, struct err *err) BF_MUSTCHECK;
void ops_part_abort(struct ops *ops);

/* Progress of one running operation; absolute numbers. */
struct ops_progress {
	char id[TID_SIZE];
	struct str stage;
	uint64_t processed, total, bytes, rate_milli;
	uint64_t failed;	/* replaces items_failed, unless more items are kept; 0: the
				 * items alone are counted */
	uint64_t stage_done, stage_total;
	const uint64_t *met;	/* by enum op_met; NULL: as it was */
	int64_t now_ms;
};

/* Write the progress of many in one transaction.  Operations that are not
 * running any more, and those whose record is damaged, are passed over. */
int ops_write_progress(struct ops *ops, const struct ops_progress *list,
    size_t count, struct err *err) BF_MUSTCHECK;

/* A worker's checkpoint replaces the one before, with its counter, atomically.
 * ERR_LIMIT over LIMIT_CHECKPOINT_BYTES, ERR_CONFLICT in a terminal state. */
int ops_put_checkpoint(struct ops *ops, struct str id, struct bytes data,
    uint64_t processed, int64_t now_ms, struct err *err) BF_MUSTCHECK;

/*
 * An item that could not be done.  One that is kept already is not counted again, and
 * has the class and the text that came last: an attempt that goes on from a checkpoint
 * may come to it once more.  Beyond LIMIT_OP_ITEMS only items_failed grows.
 * ERR_CONFLICT in a terminal state.
 */
struct ops_item {
	int64_t at_ms;
	struct str item, class, text;
};
int ops_add_item(struct ops *ops, struct str id, const struct ops_item *item,
    struct err *err) BF_MUSTCHECK;

/*
 * An item that is kept could be done after all, by an attempt that came to it again: it
 * is neither kept nor counted any more.  Nothing if it is not kept.  ERR_CONFLICT in a
 * terminal state.
 */
int ops_take_back_item(struct ops *ops, struct str id, struct str item, int64_t now_ms,
    struct err *err) BF_MUSTCHECK;

/*
 * Replace the damaged record of an operation by one that says so: failed, class
 * "damaged", with `why` as its text (a finished one keeps its state).  Its
 * parameters are lost; history and failed items stay.  ERR_INVALID: no id.
 */
int ops_mend(struct ops *ops, struct str id, struct str why, int64_t now_ms,
    struct err *err) BF_MUSTCHECK;

/* What is known of a schedule, by its name.  The texts read are borrowed. */
struct ops_schedule {
	struct str rule;	/* as configured; another one starts anew */
	int64_t next_ms;	/* wall clock */
	int64_t last_ms;	/* its last turn; 0: none yet */
	struct str last_id;	/* the operation of the last turn that made one */
	int64_t skipped_ms;	/* the last turn that was skipped; 0: none */
};
int ops_put_schedule(struct ops *ops, struct str name,
    const struct ops_schedule *schedule, struct err *err) BF_MUSTCHECK;

/* Write something of no meaning, to the disk: can it be done?  (The watchdog.) */
int ops_probe(struct ops *ops, int64_t now_ms, struct err *err) BF_MUSTCHECK;

/* The greatest id ever given out, or 0. */
int ops_last_id(struct ops *ops, uint64_t *tid_out, struct err *err) BF_MUSTCHECK;

/* Free reader slots of dead processes; returns how many, or -1. */
int ops_check_readers(struct ops *ops);

/* The last transaction on the disk; 0: not known. */
uint64_t ops_last_txn(struct ops *ops);

/* The processes, `size` of them at most, that have been reading one snapshot since
 * before that transaction: no page of it can be used again meanwhile. */
size_t ops_old_readers(struct ops *ops, uint64_t before, pid_t *pids_out, size_t size);

/* LMDB's lock file is not the one that we opened: processes that open the store now
 * and we do not see each other.  Only opening it anew helps. */
bool ops_lost_its_lock(const struct ops *ops);

/* --- reading --- */

/*
 * A snapshot.  Everything read from it is borrowed until ops_read_end(); keep it
 * for as short as possible, never across a turn of the event loop.
 */
struct ops_read;

int ops_read_begin(struct ops *ops, struct ops_read **read_out, struct err *err)
    BF_MUSTCHECK;
void ops_read_end(struct ops_read **read);

int ops_get(struct ops_read *read, struct str id, struct op *op_out,
    struct err *err) BF_MUSTCHECK;				/* ERR_NOT_FOUND */

/* Empty if there is none. */
int ops_get_checkpoint(struct ops_read *read, struct str id,
    struct bytes *data_out, struct err *err) BF_MUSTCHECK;

struct ops_filter {
	enum op_status status;	/* 0: all */
	bool finished_only;	/* completed, failed or cancelled; with status 0 */
	struct str type;	/* kebab-case; empty: all */
	struct str before_id;	/* only older ones: the cursor; empty: from the newest */
	bool oldest_first;	/* for the queue; before_id is then ignored */
};
/* ERR_INVALID: before_id is not an id. */

/*
 * Walk operations newest first, from an index: the cost is that of what is
 * returned, not of what is stored.  `each` returns false to stop.
 */
typedef bool ops_each_cb(const struct op *op, void *arg);
int ops_list(struct ops_read *read, const struct ops_filter *filter,
    ops_each_cb *each, void *arg, struct err *err) BF_MUSTCHECK;

/*
 * What may be started, a turn each: by priority, the highest first, then by type,
 * then the oldest first.  A paused operation is not among them.  `each` says how
 * to go on; to pass over a type costs one step, however many wait.
 */
struct ops_turn {
	struct str id, type;
	uint64_t priority;
	const struct op *op;	/* NULL: its record is damaged (ops_mend) */
};
enum ops_verdict {
	OPS_NEXT,		/* the next one of this type */
	OPS_NEXT_TYPE,		/* the first one of the next type */
	OPS_STOP,
};
typedef enum ops_verdict ops_turn_cb(const struct ops_turn *turn, void *arg);
int ops_queue(struct ops_read *read, ops_turn_cb *each, void *arg, struct err *err)
    BF_MUSTCHECK;

/* The type of each operation that may be started, by the index alone. */
typedef void ops_waiting_cb(struct str type, void *arg);
int ops_waiting(struct ops_read *read, ops_waiting_cb *each, void *arg, struct err *err)
    BF_MUSTCHECK;

/* The oldest operation in a state, by the index alone: also of one whose record is
 * damaged.  Empty: there is none. */
int ops_first_id(struct ops_read *read, enum op_status status, char id_out[TID_SIZE],
    struct err *err) BF_MUSTCHECK;

/*
 * The operation that was made with the idempotency key of `request`; empty: none,
 * or longer ago than OPS_KEY_LIFE_MS.  ERR_CONFLICT: it has another type or other
 * parameters.
 */
#define OPS_KEY_LIFE_MS	(24 * 3600 * 1000ll)
int ops_find_key(struct ops_read *read, const struct op *request,
    struct str *id_out, struct err *err) BF_MUSTCHECK;

int ops_get_schedule(struct ops_read *read, struct str name,
    struct ops_schedule *schedule_out, bool *is_there_out, struct err *err)
    BF_MUSTCHECK;

/*
 * Read everything, and call `each` for every row: with NULL, or with what is wrong
 * with it.  It returns false to stop.  Only for a process that may die of it.
 */
struct ops_damage {
	const char *table;
	struct str id;		/* the operation that it is about; may be empty */
	bool is_record;		/* of the operation itself: ops_mend() */
	struct str text;
};
typedef bool ops_damage_cb(const struct ops_damage *damage, void *arg);
int ops_verify(struct ops_read *read, ops_damage_cb *each, void *arg, struct err *err)
    BF_MUSTCHECK;

/* How many operations are in each state; indexed by enum op_status. */
int ops_count(struct ops_read *read, uint64_t counts_out[OP_STATUS_COUNT + 1],
    struct err *err) BF_MUSTCHECK;

/* History and failed items of one operation, oldest first.  Of more than
 * LIMIT_OP_EVENTS events the oldest log lines are gone, but no transition is. */
struct ops_event {
	int64_t at_ms;
	enum op_event event;
	struct str text;
};
typedef bool ops_event_cb(const struct ops_event *event, void *arg);
int ops_events(struct ops_read *read, struct str id, ops_event_cb *each, void *arg,
    struct err *err) BF_MUSTCHECK;

typedef bool ops_item_cb(const struct ops_item *item, void *arg);
int ops_items(struct ops_read *read, struct str id, ops_item_cb *each, void *arg,
    struct err *err) BF_MUSTCHECK;

/* Those that an attempt said which died before a checkpoint covered them, and that
 * nothing was said of since: of work that is done again. */
int ops_open_items(struct ops_read *read, struct str id, ops_item_cb *each, void *arg,
    struct err *err) BF_MUSTCHECK;

#endif

/*
 * ops_internal.h - what the files of operations/ share; see ops.h.
 *
 * ops.c opens and reads, ops_write.c changes, ops_index.c keeps what hangs on
 * an operation's state, ops_queue.c has what may start, ops_key.c the idempotency
 * keys, ops_schedule.c the schedules, ops_list.c walks the indexes, ops_history.c
 * has events and failed items, ops_mend.c replaces what is damaged.  The tables are
 * described in docs/store.md.
 */
#ifndef BF_STORE_OPS_INTERNAL_H
#define BF_STORE_OPS_INTERNAL_H

#include "common/buf.h"
#include "common/limits.h"
#include "store/env.h"
#include "store/item_sets.h"
#include "store/ops.h"

#define OPS_SCHEMA	2	/* 2: the table `queue` */

/* T(NAME, name, version of its values) */
#define OPS_TABLES(T)				\
	T(OP,		"op",		OP_VERSION) \
	T(BY_STATUS,	"by-status",	1)	\
	T(BY_TYPE,	"by-type",	1)	\
	T(TARGET,	"target",	1)	\
	T(EVENT,	"event",	1)	\
	T(ITEM,		"item",		1)	\
	T(CHECKPOINT,	"checkpoint",	1)	\
	T(QUEUE,	"queue",	1)	\
	T(KEY,		"key",		1)	\
	T(SCHEDULE,	"schedule",	1)

enum ops_table {
#define T(NAME, name, version) OPS_##NAME,
	OPS_TABLES(T)
#undef T
	OPS_TABLE_COUNT
};

struct ops {
	/* owned */
	struct env *env;
	struct table tables[OPS_TABLE_COUNT];
	struct buf encoded;	/* for the value being written */
	struct item_sets items;	/* of the operations that have failed items just now */
};

struct ops_read {
	struct ops *ops;	/* borrowed */
	struct txn txn;
};

/* --- ops.c --- */

/* ERR_NOT_FOUND; its text points into the map. */
int ops_find(struct ops *ops, struct txn *txn, struct str id, struct op *op_out,
    struct err *err) BF_MUSTCHECK;

/* --- ops_write.c --- */

int ops_put(struct ops *ops, struct txn *txn, struct op *op, struct err *err)
    BF_MUSTCHECK;

/* --- ops_queue.c --- */

/* Does the operation have a row in `queue`?  Whoever writes a record sees to it. */
bool ops_queue_has(const struct op *op);
int ops_queue_put(struct ops *ops, struct txn *txn, const struct op *op,
    struct err *err) BF_MUSTCHECK;
int ops_queue_delete(struct ops *ops, struct txn *txn, const struct op *op,
    struct err *err) BF_MUSTCHECK;

/* Schema 1 had no such table. */
int ops_queue_fill(struct ops *ops, struct txn *txn, struct err *err) BF_MUSTCHECK;

/* --- ops_key.c --- */

/* Remember a new operation's idempotency key, if it has one, and forget old ones. */
int ops_key_put(struct ops *ops, struct txn *txn, const struct op *op,
    struct err *err) BF_MUSTCHECK;

/* --- ops_index.c --- */

/*
 * Move an operation from one state to another in by-status and by-type, and in
 * the counts.  from is 0 for a new one.
 */
int ops_index_move(struct ops *ops, struct txn *txn, const struct op *op,
    enum op_status from, enum op_status to, struct err *err) BF_MUSTCHECK;

/* The active operation with op's type and parameters; empty: none. */
int ops_target_find(struct ops *ops, struct txn *txn, const struct op *op,
    struct str *id_out, struct err *err) BF_MUSTCHECK;
int ops_target_put(struct ops *ops, struct txn *txn, const struct op *op,
    struct err *err) BF_MUSTCHECK;
int ops_target_delete(struct ops *ops, struct txn *txn, const struct op *op,
    struct err *err) BF_MUSTCHECK;

/*
 * A key of an index without the id: by-status has `status`, by-type has
 * `type 0 status`.  A type that is longer than LIMIT_OP_TYPE_BYTES is nobody's.
 */
#define OPS_INDEX_KEY_MAX	(LIMIT_OP_TYPE_BYTES + 2 + TID_LEN)
struct ops_index_key {
	uint8_t bytes[OPS_INDEX_KEY_MAX];
	size_t len;
};
struct ops_index_key ops_status_prefix(enum op_status status);
struct ops_index_key ops_type_prefix(struct str type, enum op_status status);

/* --- ops_history.c --- */

int ops_event_add(struct ops *ops, struct txn *txn, struct str id,
    const struct ops_event *event, struct err *err) BF_MUSTCHECK;

/* In the place of what was said of the same item before; keeps no new one once there
 * are LIMIT_OP_ITEMS. */
int ops_item_add(struct ops *ops, struct txn *txn, const struct op *op,
    const struct ops_item *item, bool *is_new_out, struct err *err) BF_MUSTCHECK;

/* An attempt begins: those of the one before that no checkpoint of that one covers are
 * open from now on. */
int ops_items_settle(struct ops *ops, struct txn *txn, const struct op *op,
    struct err *err) BF_MUSTCHECK;

/* Its row has nothing any more. */
int ops_item_take_back(struct ops *ops, struct txn *txn, struct str id, struct str item,
    bool *was_there_out, struct err *err) BF_MUSTCHECK;

/* How many rows there are, those that have nothing any more among them. */
int ops_item_rows(struct ops *ops, struct txn *txn, struct str id, uint32_t *count_out,
    struct err *err) BF_MUSTCHECK;

#endif

#include "common/limits.h"
#include "store/ops_internal.h"

/* What the indexes still know of an operation whose record is damaged. */
struct remains {
	char type[LIMIT_OP_TYPE_BYTES + 1];
	enum op_status status;		/* 0: nothing is left of it */
};

static int
is_in_index(struct ops *ops, struct txn *txn, struct str type, enum op_status status,
    struct str id, bool *is_out, struct err *err)
{
	struct ops_index_key key = ops_type_prefix(type, status);
	struct cursor cursor;
	struct bytes whole;
	int rc;

	memcpy(key.bytes + key.len, id.ptr, TID_LEN);
	whole = (struct bytes){ key.bytes, key.len + TID_LEN };
	if (cursor_open(&cursor, txn, &ops->tables[OPS_BY_TYPE], err) == -1)
		return -1;
	rc = cursor_seek(&cursor, whole, err);
	*is_out = rc == 0 && bytes_eq(cursor.key, whole);
	cursor_close(&cursor);
	return rc;
}

/* The next type in by-type behind the one given; empty: there is none. */
static int
next_type(struct ops *ops, struct txn *txn, char type[LIMIT_OP_TYPE_BYTES + 1],
    struct err *err)
{
	struct ops_index_key behind = ops_type_prefix(str_from(type), 0);
	struct cursor cursor;
	size_t len;
	int rc;

	behind.bytes[behind.len - 2] = 1;
	if (cursor_open(&cursor, txn, &ops->tables[OPS_BY_TYPE], err) == -1)
		return -1;
	rc = cursor_seek(&cursor, (struct bytes){ behind.bytes, behind.len - 1 }, err);
	len = rc == 0 && cursor.key.ptr != NULL ?
	    strnlen((const char *)cursor.key.ptr, cursor.key.len) : 0;
	(void)str_copy(type, LIMIT_OP_TYPE_BYTES + 1,
	    (struct str){ (const char *)cursor.key.ptr, len });
	cursor_close(&cursor);
	return rc;
}

static int
find_remains(struct ops *ops, struct txn *txn, struct str id, struct remains *to,
    struct err *err)
{
	bool is_there = false;

	*to = (struct remains){ 0 };
	if (next_type(ops, txn, to->type, err) == -1)
		return -1;
	while (to->type[0] != '\0') {
		for (enum op_status s = OP_QUEUED; s <= OP_CANCELLED && !is_there; s++) {
			if (is_in_index(ops, txn, str_from(to->type), s, id, &is_there,
			    err) == -1)
				return -1;
			to->status = s;
		}
		if (is_there)
			return 0;
		if (next_type(ops, txn, to->type, err) == -1)
			return -1;
	}
	to->status = 0;
	return 0;
}

static int
drop_rows(struct ops *ops, struct txn *txn, const struct op *op, struct err *err)
{
	struct op turn = *op;
	bool was_there;

	for (turn.priority = OP_PRIORITY_BULK; turn.priority <= OP_PRIORITY_INTERACTIVE;
	    turn.priority++)
		if (ops_queue_delete(ops, txn, &turn, err) == -1)
			return -1;
	return table_delete(txn, &ops->tables[OPS_CHECKPOINT], key_str(op->id),
	    &was_there, err);
}

static int
replace(struct ops *ops, struct txn *txn, struct op *op, enum op_status from,
    struct err *err)
{
	struct ops_event event = { (int64_t)op->updated_ms, OP_EVENT_FAIL,
	    op->error_text };

	if (drop_rows(ops, txn, op, err) == -1 || ops_put(ops, txn, op, err) == -1)
		return -1;
	if (from != op_status(op) && ops_index_move(ops, txn, op, from, op_status(op),
	    err) == -1)
		return -1;
	return ops_event_add(ops, txn, op->id, &event, err);
}

int
ops_mend(struct ops *ops, struct str id, struct str why, int64_t now_ms,
    struct err *err)
{
	struct remains remains;
	struct txn txn;
	uint64_t tid;
	struct op op;

	if (tid_parse(id, &tid) == -1)
		return err_set(err, ERR_INVALID, "not an operation's id");
	if (txn_begin_write(ops->env, &txn, err) == -1)
		return -1;
	if (find_remains(ops, &txn, id, &remains, err) == -1)
		goto fail;
	op = (struct op){
		.id = id,
		.type = remains.status != 0 ? str_from(remains.type) : STR("unknown"),
		.status = remains.status != 0 && op_status_is_terminal(remains.status) ?
		    remains.status : OP_FAILED,
		.created_ms = (uint64_t)(tid_us(tid) / 1000),
		.updated_ms = (uint64_t)now_ms, .completed_ms = (uint64_t)now_ms,
		.error_class = STR("damaged"), .error_text = why,
	};
	if (replace(ops, &txn, &op, remains.status, err) == -1)
		goto fail;
	return txn_commit(&txn, err);
fail:
	txn_abort(&txn);
	return -1;
}

int
ops_first_id(struct ops_read *read, enum op_status status, char id_out[TID_SIZE],
    struct err *err)
{
	struct ops_index_key prefix = ops_status_prefix(status);
	struct bytes from = { prefix.bytes, prefix.len };
	struct cursor cursor;
	int rc;

	if (cursor_open(&cursor, &read->txn, &read->ops->tables[OPS_BY_STATUS],
	    err) == -1)
		return -1;
	rc = cursor_seek(&cursor, from, err);
	id_out[0] = '\0';
	if (rc == 0 && cursor_is_in(&cursor, from))
		(void)str_copy(id_out, TID_SIZE, (struct str){
		    (const char *)cursor.key.ptr + from.len, cursor.key.len - from.len });
	cursor_close(&cursor);
	return rc;
}

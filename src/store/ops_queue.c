#include "common/number.h"
#include "store/ops_internal.h"

/*
 * A row of `queue` is there for each operation that may be started: it is queued
 * and no pause is wanted.  Its key is
 *
 *	255 - priority, type, 0, id
 *
 * so that the rows of one type and priority are in the order of their ids, and
 * finding the next of every type costs one seek per type.
 */
#define QUEUE_KEY_MAX	(1 + LIMIT_OP_TYPE_BYTES + 1 + TID_LEN)

struct queue_key {
	uint8_t bytes[QUEUE_KEY_MAX];
	size_t len;
};

static struct queue_key
type_prefix(uint64_t priority, struct str type)
{
	struct queue_key key = { .len = 0 };

	if (type.len > LIMIT_OP_TYPE_BYTES)
		type.len = LIMIT_OP_TYPE_BYTES;
	key.bytes[key.len++] = (uint8_t)(UINT8_MAX - priority);
	memcpy(key.bytes + key.len, type.ptr, type.len);
	key.len += type.len;
	key.bytes[key.len++] = '\0';
	return key;
}

static struct queue_key
key_of(const struct op *op)
{
	struct queue_key key = type_prefix(op->priority, op->type);

	memcpy(key.bytes + key.len, op->id.ptr, TID_LEN);
	key.len += TID_LEN;
	return key;
}

static struct bytes
key_bytes(const struct queue_key *key)
{
	return (struct bytes){ key->bytes, key->len };
}

bool
ops_queue_has(const struct op *op)
{
	return op_status(op) == OP_QUEUED && op->paused_ms == 0;
}

int
ops_queue_put(struct ops *ops, struct txn *txn, const struct op *op, struct err *err)
{
	struct queue_key key = key_of(op);

	return table_put(txn, &ops->tables[OPS_QUEUE], key_bytes(&key), BYTES_NONE, err);
}

int
ops_queue_delete(struct ops *ops, struct txn *txn, const struct op *op,
    struct err *err)
{
	struct queue_key key = key_of(op);
	bool was_there;

	return table_delete(txn, &ops->tables[OPS_QUEUE], key_bytes(&key), &was_there,
	    err);
}

/* --- the walk over what may start --- */

/* Take the key apart; false if it is none of ours. */
static bool
read_key(struct bytes key, struct ops_turn *turn)
{
	const char *text = (const char *)key.ptr;

	if (key.len < 1 + 1 + 1 + TID_LEN || key.len > QUEUE_KEY_MAX ||
	    text[key.len - TID_LEN - 1] != '\0')
		return false;
	turn->priority = (uint64_t)(UINT8_MAX - key.ptr[0]);
	turn->type = (struct str){ text + 1, key.len - TID_LEN - 2 };
	turn->id = (struct str){ text + key.len - TID_LEN, TID_LEN };
	return tid_is_valid(turn->id);
}

/* Behind the last id that this type can have in this priority. */
static int
skip_type(struct cursor *cursor, const struct ops_turn *turn, struct err *err)
{
	struct queue_key key = type_prefix(turn->priority, turn->type);

	key.bytes[key.len - 1] = 1;
	return cursor_seek(cursor, key_bytes(&key), err);
}

/* 0 and op set; or 0 and op NULL if the record is damaged; -1 otherwise. */
static int
find_op(struct ops_read *read, struct ops_turn *turn, struct op *op, struct err *err)
{
	turn->op = NULL;
	if (ops_find(read->ops, &read->txn, turn->id, op, err) == 0)
		turn->op = op;
	else if (err->code != ERR_CORRUPT && err->code != ERR_NOT_FOUND)
		return -1;
	return 0;
}

/* The turn at the cursor, if there is one more. */
static int
read_turn(struct ops_read *read, struct cursor *cursor, struct ops_turn *turn,
    bool *is_there_out, struct err *err)
{
	*is_there_out = cursor->key.ptr != NULL;
	if (!*is_there_out || read_key(cursor->key, turn))
		return 0;
	return table_corrupt(&read->txn, &read->ops->tables[OPS_QUEUE], cursor->key,
	    "not a turn", err);
}

static int
open_queue(struct ops_read *read, struct cursor *cursor, struct err *err)
{
	if (cursor_open(cursor, &read->txn, &read->ops->tables[OPS_QUEUE], err) == -1)
		return -1;
	return cursor_seek(cursor, (struct bytes){ (const uint8_t *)"", 1 }, err);
}

int
ops_queue(struct ops_read *read, ops_turn_cb *each, void *arg, struct err *err)
{
	enum ops_verdict verdict = OPS_NEXT;
	struct cursor cursor = { 0 };
	struct ops_turn turn;
	struct op op;
	bool is_there;
	int rc = open_queue(read, &cursor, err);

	while (rc == 0 && verdict != OPS_STOP) {
		rc = read_turn(read, &cursor, &turn, &is_there, err);
		if (rc == -1 || !is_there)
			break;
		rc = find_op(read, &turn, &op, err);
		if (rc == -1)
			break;
		verdict = each(&turn, arg);
		rc = verdict == OPS_NEXT_TYPE ? skip_type(&cursor, &turn, err) :
		    cursor_next(&cursor, err);
	}
	cursor_close(&cursor);
	return rc;
}

int
ops_waiting(struct ops_read *read, ops_waiting_cb *each, void *arg, struct err *err)
{
	struct cursor cursor = { 0 };
	struct ops_turn turn;
	bool is_there;
	int rc = open_queue(read, &cursor, err);

	while (rc == 0) {
		rc = read_turn(read, &cursor, &turn, &is_there, err);
		if (rc == -1 || !is_there)
			break;
		each(turn.type, arg);
		rc = cursor_next(&cursor, err);
	}
	cursor_close(&cursor);
	return rc;
}

/* --- a store from before there was a queue table --- */

int
ops_queue_fill(struct ops *ops, struct txn *txn, struct err *err)
{
	struct ops_index_key prefix = ops_status_prefix(OP_QUEUED);
	struct bytes from = { prefix.bytes, prefix.len };
	struct cursor cursor;
	struct op op;
	int rc;

	if (cursor_open(&cursor, txn, &ops->tables[OPS_BY_STATUS], err) == -1)
		return -1;
	rc = cursor_seek(&cursor, from, err);
	while (rc == 0 && cursor_is_in(&cursor, from)) {
		struct str id = { (const char *)cursor.key.ptr + prefix.len,
		    cursor.key.len - prefix.len };

		rc = ops_find(ops, txn, id, &op, err);
		/* A damaged one is found and told when its turn comes. */
		if (rc == 0)
			rc = ops_queue_put(ops, txn, &op, err);
		else if (err->code == ERR_CORRUPT)
			rc = 0;
		if (rc == 0)
			rc = cursor_next(&cursor, err);
	}
	cursor_close(&cursor);
	return rc;
}

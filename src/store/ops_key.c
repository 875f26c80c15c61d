#include "store/ops_internal.h"

/*
 * Idempotency keys, in one table: 'k' key -> id, and 'i' id -> key, whose order is
 * that of time, for forgetting the oldest.
 */
#define BY_KEY	'k'
#define BY_ID	'i'

#define FORGET_AT_ONCE	16	/* more than are made, so that it never piles up */

struct row {
	uint8_t bytes[1 + LIMIT_IDEMPOTENCY_KEY_BYTES];
	size_t len;
};

static struct bytes
row(struct row *row, char space, struct str text)
{
	row->bytes[0] = (uint8_t)space;
	memcpy(row->bytes + 1, text.ptr, text.len);
	row->len = 1 + text.len;
	return (struct bytes){ row->bytes, row->len };
}

static int
find(struct ops *ops, struct txn *txn, struct str key, struct str *id_out,
    struct err *err)
{
	struct value value;
	struct row at;

	*id_out = STR_NONE;
	if (str_is_empty(key) || key.len > LIMIT_IDEMPOTENCY_KEY_BYTES)
		return 0;
	if (table_find(txn, &ops->tables[OPS_KEY], row(&at, BY_KEY, key), &value,
	    err) == -1)
		return -1;
	*id_out = (struct str){ (const char *)value.body.ptr, value.body.len };
	return 0;
}

/* It may be as old as the clock says or as far behind as there may be rows. */
static int
forget_old(struct ops *ops, struct txn *txn, int64_t now_ms, struct err *err)
{
	const struct table *table = &ops->tables[OPS_KEY];
	struct row oldest = { { BY_ID }, 1 }, by_key, by_id;
	struct cursor cursor;
	struct value value;
	uint64_t tid, entries;
	bool was_there;
	int rc = 0;

	for (int i = 0; rc == 0 && i < FORGET_AT_ONCE; i++) {
		if (table_entries(txn, table, &entries, err) == -1 ||
		    cursor_open(&cursor, txn, table, err) == -1)
			return -1;
		rc = cursor_seek(&cursor, (struct bytes){ oldest.bytes, oldest.len }, err);
		if (rc == -1 || cursor.key.len != 1 + TID_LEN || tid_parse((struct str){
		    (const char *)cursor.key.ptr + 1, TID_LEN }, &tid) == -1 ||
		    (entries <= 2 * LIMIT_IDEMPOTENCY_KEYS &&
		    tid_us(tid) / 1000 + OPS_KEY_LIFE_MS > now_ms) ||
		    (rc = cursor_value(&cursor, &value, err)) == -1 ||
		    value.body.len > LIMIT_IDEMPOTENCY_KEY_BYTES) {
			cursor_close(&cursor);
			return rc;
		}
		(void)row(&by_id, BY_ID, (struct str){ (const char *)cursor.key.ptr + 1,
		    TID_LEN });
		(void)row(&by_key, BY_KEY, (struct str){ (const char *)value.body.ptr,
		    value.body.len });
		cursor_close(&cursor);
		rc = table_delete(txn, table, (struct bytes){ by_id.bytes, by_id.len },
		    &was_there, err);
		if (rc == 0)
			rc = table_delete(txn, table,
			    (struct bytes){ by_key.bytes, by_key.len }, &was_there, err);
	}
	return rc;
}

int
ops_key_put(struct ops *ops, struct txn *txn, const struct op *op, struct err *err)
{
	const struct table *table = &ops->tables[OPS_KEY];
	struct str key = op->idempotency_key;
	struct row at;

	if (str_is_empty(key))
		return 0;
	if (table_put(txn, table, row(&at, BY_KEY, key), key_str(op->id), err) == -1 ||
	    table_put(txn, table, row(&at, BY_ID, op->id), key_str(key), err) == -1)
		return -1;
	return forget_old(ops, txn, (int64_t)op->created_ms, err);
}

static bool
asks_the_same(const struct op *a, const struct op *b)
{
	return str_eq(a->type, b->type) && str_eq(a->did, b->did) &&
	    str_eq(a->pds_url, b->pds_url) && str_eq(a->uri, b->uri) &&
	    a->batch_size == b->batch_size && str_eq(a->tier, b->tier) &&
	    str_eq(a->items_of, b->items_of);
}

int
ops_find_key(struct ops_read *read, const struct op *request, struct str *id_out,
    struct err *err)
{
	struct op op;
	struct str id;

	if (find(read->ops, &read->txn, request->idempotency_key, &id, err) == -1)
		return -1;
	if (!str_is_empty(id)) {
		if (ops_find(read->ops, &read->txn, id, &op, err) == -1)
			return -1;
		if (!asks_the_same(&op, request))
			return err_set(err, ERR_CONFLICT, "idempotencyKey: was used for "
			    "operation %.*s, which is another one", STR_FMT(id));
		id = op.id;
	}
	*id_out = id;
	return 0;
}

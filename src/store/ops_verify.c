#include <stdio.h>

#include "store/op_codec.h"
#include "store/ops_internal.h"

struct verifying {
	struct ops_read *read;
	ops_damage_cb *each;
	void *arg;
	bool goes_on;
	uint64_t by_status[OP_STATUS_COUNT + 1];	/* rows of the index */
};

/* The operation that a row is about, by its key; empty: none, or not to be told. */
static struct str
id_in(enum ops_table table, struct bytes key)
{
	const char *text = (const char *)key.ptr;
	struct str id = STR_NONE;

	switch (table) {
	case OPS_OP:
	case OPS_EVENT:
	case OPS_ITEM:
	case OPS_CHECKPOINT:
		if (key.len >= TID_LEN)
			id = (struct str){ text, TID_LEN };
		break;
	case OPS_BY_STATUS:
	case OPS_BY_TYPE:
	case OPS_QUEUE:
		if (key.len >= TID_LEN)
			id = (struct str){ text + key.len - TID_LEN, TID_LEN };
		break;
	default:
		break;
	}
	return tid_is_valid(id) ? id : STR_NONE;
}

static int
check_row(struct verifying *v, enum ops_table table, const struct cursor *cursor,
    struct err *err)
{
	struct value value;
	struct op op;

	if (cursor_value((struct cursor *)(uintptr_t)cursor, &value, err) == -1)
		return -1;
	if (table == OPS_OP && (op_decode(value.body, &op) == -1 ||
	    !bytes_eq(key_str(op.id), cursor->key)))
		return table_corrupt(&v->read->txn, cursor->table, cursor->key,
		    "not an operation", err);
	if (table == OPS_BY_STATUS && cursor->key.len == 1 + TID_LEN &&
	    op_status_is_valid(cursor->key.ptr[0]))
		v->by_status[cursor->key.ptr[0]]++;
	return 0;
}

static int
check_table(struct verifying *v, enum ops_table table, struct err *err)
{
	struct cursor cursor;
	struct err why;
	int rc;

	if (cursor_open(&cursor, &v->read->txn, &v->read->ops->tables[table], err) == -1)
		return -1;
	rc = cursor_seek(&cursor, (struct bytes){ (const uint8_t *)"", 1 }, err);
	while (rc == 0 && cursor.key.ptr != NULL && v->goes_on) {
		struct ops_damage damage = { .table = cursor.table->name };

		if (check_row(v, table, &cursor, &why) == -1) {
			damage.id = id_in(table, cursor.key);
			damage.is_record = table == OPS_OP;
			damage.text = str_from(why.text);
			v->goes_on = v->each(&damage, v->arg);
		} else {
			v->goes_on = v->each(NULL, v->arg);
		}
		rc = cursor_next(&cursor, err);
	}
	cursor_close(&cursor);
	return rc;
}

static int
check_counts(struct verifying *v, struct err *err)
{
	uint64_t counts[OP_STATUS_COUNT + 1];
	struct ops_damage damage = { .table = "meta",
	    .text = STR("the counts are not those of the index") };

	if (ops_count(v->read, counts, err) == -1)
		return -1;
	for (int s = OP_QUEUED; s <= OP_CANCELLED && v->goes_on; s++)
		if (counts[s] != v->by_status[s])
			v->goes_on = v->each(&damage, v->arg);
	return 0;
}

int
ops_verify(struct ops_read *read, ops_damage_cb *each, void *arg, struct err *err)
{
	struct verifying v = { .read = read, .each = each, .arg = arg, .goes_on = true };

	for (int table = 0; table < OPS_TABLE_COUNT && v.goes_on; table++)
		if (check_table(&v, (enum ops_table)table, err) == -1)
			return -1;
	return v.goes_on ? check_counts(&v, err) : 0;
}

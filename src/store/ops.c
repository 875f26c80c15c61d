#include "store/ops.h"

#include <stdlib.h>

#include "common/mem.h"
#include "common/number.h"
#include "common/utf8.h"
#include "store/op_codec.h"
#include "store/ops_internal.h"

/* An operation takes about 1 KB with its history: room for ten million. */
#define OPS_MAP_BYTES	((size_t)16 << 30)

#define SHOWN_ID_BYTES	64	/* of what is no id */

static int
convert(struct txn *txn, uint64_t from_schema, const struct table *tables,
    struct err *err)
{
	struct ops ops = { .env = txn->env };

	if (from_schema >= 2)
		return 0;
	memcpy(ops.tables, tables, sizeof(ops.tables));
	return ops_queue_fill(&ops, txn, err);
}

int
ops_open(const char *dir, enum ops_mode mode, struct ops **ops_out, struct err *err)
{
	static const struct table tables[] = {
#define T(NAME, table_name, table_version)	\
		{ .name = table_name, .version = table_version },
		OPS_TABLES(T)
#undef T
	};
	struct ops *ops = xcalloc(1, sizeof(*ops));
	struct env_options options = {
		.may_write = mode == OPS_WRITE,
		.schema = OPS_SCHEMA,
		.map_bytes = OPS_MAP_BYTES,
		.tables = ops->tables,
		.tables_count = OPS_TABLE_COUNT,
		.convert = convert,
	};

	memcpy(ops->tables, tables, sizeof(tables));
	if (env_open(dir, &options, &ops->env, err) == -1) {
		ops_close(&ops);
		return -1;
	}
	*ops_out = ops;
	return 0;
}

void
ops_close(struct ops **ops)
{
	if (*ops == NULL)
		return;
	env_close(&(*ops)->env);
	buf_clear(&(*ops)->encoded);
	item_sets_clear(&(*ops)->items);
	free(*ops);
	*ops = NULL;
}

int
ops_check_readers(struct ops *ops)
{
	return env_check_readers(ops->env);
}

uint64_t
ops_last_txn(struct ops *ops)
{
	return env_last_txn(ops->env);
}

size_t
ops_old_readers(struct ops *ops, uint64_t before, pid_t *pids_out, size_t size)
{
	return env_old_readers(ops->env, before, pids_out, size);
}

bool
ops_lost_its_lock(const struct ops *ops)
{
	return env_lost_its_lock(ops->env);
}

int
ops_read_begin(struct ops *ops, struct ops_read **read_out, struct err *err)
{
	struct txn txn;

	if (txn_begin_read(ops->env, &txn, err) == -1)
		return -1;
	*read_out = xmalloc(sizeof(**read_out));
	**read_out = (struct ops_read){ ops, txn };
	return 0;
}

void
ops_read_end(struct ops_read **read)
{
	if (*read == NULL)
		return;
	txn_abort(&(*read)->txn);
	free(*read);
	*read = NULL;
}

int
ops_find(struct ops *ops, struct txn *txn, struct str id, struct op *op_out,
    struct err *err)
{
	const struct table *table = &ops->tables[OPS_OP];
	struct value value = { BYTES_NONE, 0 };

	if (tid_is_valid(id) && table_find(txn, table, key_str(id), &value, err) == -1)
		return -1;
	if (value.body.ptr == NULL)
		return err_set(err, ERR_NOT_FOUND, "there is no operation %.*s",
		    STR_FMT(utf8_cut(id, SHOWN_ID_BYTES)));
	if (op_decode(value.body, op_out) == -1 || !str_eq(op_out->id, id))
		return table_corrupt(txn, table, key_str(id), "not an operation", err);
	return 0;
}

int
ops_get(struct ops_read *read, struct str id, struct op *op_out, struct err *err)
{
	return ops_find(read->ops, &read->txn, id, op_out, err);
}

int
ops_get_checkpoint(struct ops_read *read, struct str id, struct bytes *data_out,
    struct err *err)
{
	struct value value = { BYTES_NONE, 0 };

	if (tid_is_valid(id) && table_find(&read->txn,
	    &read->ops->tables[OPS_CHECKPOINT], key_str(id), &value, err) == -1)
		return -1;
	*data_out = value.body;
	return 0;
}

int
ops_last_id(struct ops *ops, uint64_t *tid_out, struct err *err)
{
	const struct table *table = &ops->tables[OPS_OP];
	struct cursor cursor;
	struct txn txn;
	int rc;

	if (txn_begin_read(ops->env, &txn, err) == -1)
		return -1;
	rc = cursor_open(&cursor, &txn, table, err);
	if (rc == 0)
		rc = cursor_last(&cursor, err);
	if (rc == 0 && cursor.key.ptr == NULL)
		*tid_out = 0;
	else if (rc == 0 && tid_parse((struct str){ (const char *)cursor.key.ptr,
	    cursor.key.len }, tid_out) == -1)
		rc = table_corrupt(&txn, table, cursor.key, "not an id", err);
	cursor_close(&cursor);
	txn_abort(&txn);
	return rc;
}

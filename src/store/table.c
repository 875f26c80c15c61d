#include "store/table.h"

#include <stdio.h>

#include "common/number.h"
#include "store/crc32c.h"
#include "store/env.h"

#define HEAD_BYTES	5	/* checksum and version */
#define SHOWN_KEY_BYTES	64

static MDB_val
val(struct bytes b)
{
	return (MDB_val){ b.len, (void *)(uintptr_t)b.ptr };
}

int
table_corrupt(const struct txn *txn, const struct table *table, struct bytes key,
    const char *why, struct err *err)
{
	char shown[SHOWN_KEY_BYTES * 4 + 1];
	size_t at = 0;

	for (size_t i = 0; i < key.len && i < SHOWN_KEY_BYTES; i++) {
		bool is_plain = key.ptr[i] > ' ' && key.ptr[i] < 0x7f && key.ptr[i] != '\\';

		at += (size_t)snprintf(shown + at, sizeof(shown) - at,
		    is_plain ? "%c" : "\\x%02x", key.ptr[i]);
	}
	shown[at] = '\0';
	return err_set(err, ERR_CORRUPT, "store %s: table %s, key %s%s: %s",
	    txn->env->dir, table->name, shown,
	    key.len > SHOWN_KEY_BYTES ? "..." : "", why);
}

/* The checksum covers the key, so that a value cannot turn up under another. */
static int
open_value(const struct txn *txn, const struct table *table, struct bytes key,
    MDB_val data, struct value *value_out, struct err *err)
{
	const uint8_t *at = data.mv_data;
	uint32_t crc;

	if (data.mv_size < HEAD_BYTES)
		return table_corrupt(txn, table, key, "value too short", err);
	crc = crc32c(0, key.ptr, key.len);
	crc = crc32c(crc, at + sizeof(crc), data.mv_size - sizeof(crc));
	if (crc != u32_decode(at))
		return table_corrupt(txn, table, key, "wrong checksum", err);
	if (at[4] == 0 || at[4] > table->version)
		return err_set(err, ERR_VERSION, "store %s: table %s has a value of "
		    "version %u; this version knows %u only", txn->env->dir,
		    table->name, at[4], table->version);
	*value_out = (struct value){
		{ at + HEAD_BYTES, data.mv_size - HEAD_BYTES }, at[4]
	};
	return 0;
}

int
table_find(struct txn *txn, const struct table *table, struct bytes key,
    struct value *value_out, struct err *err)
{
	MDB_val k = val(key), data;
	int rc = mdb_get(txn->mdb, table->dbi, &k, &data);

	if (rc == MDB_NOTFOUND) {
		*value_out = (struct value){ BYTES_NONE, 0 };
		return 0;
	}
	if (rc != 0)
		return env_fail(txn->env, rc, table->name, err);
	return open_value(txn, table, key, data, value_out, err);
}

int
table_put2(struct txn *txn, const struct table *table, struct bytes key,
    struct bytes first, struct bytes second, struct err *err)
{
	MDB_val k = val(key);
	MDB_val data = { HEAD_BYTES + first.len + second.len, NULL };
	uint8_t *at;
	uint32_t crc;
	int rc = mdb_put(txn->mdb, table->dbi, &k, &data, MDB_RESERVE);

	if (rc != 0)
		return env_fail(txn->env, rc, table->name, err);
	at = data.mv_data;
	at[4] = table->version;
	if (first.len > 0)
		memcpy(at + HEAD_BYTES, first.ptr, first.len);
	if (second.len > 0)
		memcpy(at + HEAD_BYTES + first.len, second.ptr, second.len);
	crc = crc32c(0, key.ptr, key.len);
	u32_encode(at, crc32c(crc, at + sizeof(crc), data.mv_size - sizeof(crc)));
	return 0;
}

int
table_put(struct txn *txn, const struct table *table, struct bytes key,
    struct bytes body, struct err *err)
{
	return table_put2(txn, table, key, body, BYTES_NONE, err);
}

int
table_delete(struct txn *txn, const struct table *table, struct bytes key,
    bool *was_there_out, struct err *err)
{
	MDB_val k = val(key);
	int rc = mdb_del(txn->mdb, table->dbi, &k, NULL);

	if (rc != 0 && rc != MDB_NOTFOUND)
		return env_fail(txn->env, rc, table->name, err);
	*was_there_out = rc == 0;
	return 0;
}

int
table_entries(struct txn *txn, const struct table *table, uint64_t *count_out,
    struct err *err)
{
	MDB_stat stat;
	int rc = mdb_stat(txn->mdb, table->dbi, &stat);

	if (rc != 0)
		return env_fail(txn->env, rc, table->name, err);
	*count_out = stat.ms_entries;
	return 0;
}

int
cursor_open(struct cursor *cursor, struct txn *txn, const struct table *table,
    struct err *err)
{
	int rc;

	*cursor = (struct cursor){ .txn = txn, .table = table };
	rc = mdb_cursor_open(txn->mdb, table->dbi, &cursor->mdb);
	return rc == 0 ? 0 : env_fail(txn->env, rc, table->name, err);
}

void
cursor_close(struct cursor *cursor)
{
	if (cursor->mdb != NULL)
		mdb_cursor_close(cursor->mdb);
	cursor->mdb = NULL;
}

static int
move(struct cursor *cursor, MDB_cursor_op op, struct bytes to, struct err *err)
{
	MDB_val k = val(to);
	int rc = mdb_cursor_get(cursor->mdb, &k, &cursor->data, op);

	if (rc == MDB_NOTFOUND) {
		cursor->key = BYTES_NONE;
		return 0;
	}
	if (rc != 0)
		return env_fail(cursor->txn->env, rc, cursor->table->name, err);
	cursor->key = (struct bytes){ k.mv_data, k.mv_size };
	return 0;
}

int
cursor_seek(struct cursor *cursor, struct bytes from, struct err *err)
{
	return move(cursor, MDB_SET_RANGE, from, err);
}

int
cursor_seek_below(struct cursor *cursor, struct bytes bound, struct err *err)
{
	if (move(cursor, MDB_SET_RANGE, bound, err) == -1)
		return -1;
	return move(cursor, cursor->key.ptr == NULL ? MDB_LAST : MDB_PREV,
	    BYTES_NONE, err);
}

int
cursor_last(struct cursor *cursor, struct err *err)
{
	return move(cursor, MDB_LAST, BYTES_NONE, err);
}

int
cursor_next(struct cursor *cursor, struct err *err)
{
	return move(cursor, MDB_NEXT, BYTES_NONE, err);
}

int
cursor_prev(struct cursor *cursor, struct err *err)
{
	return move(cursor, MDB_PREV, BYTES_NONE, err);
}

int
cursor_value(struct cursor *cursor, struct value *value_out, struct err *err)
{
	return open_value(cursor->txn, cursor->table, cursor->key, cursor->data,
	    value_out, err);
}

bool
cursor_is_in(const struct cursor *cursor, struct bytes prefix)
{
	return cursor->key.ptr != NULL && cursor->key.len >= prefix.len &&
	    memcmp(cursor->key.ptr, prefix.ptr, prefix.len) == 0;
}

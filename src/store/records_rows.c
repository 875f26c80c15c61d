#include "common/mem.h"
#include "store/records_internal.h"

/* All rows are in one LMDB table, under `table u8, key`. */
struct row_key {
	uint8_t bytes[1 + LIMIT_ROW_KEY_BYTES];
	size_t len;
};

#define CLEAR_STEP	256	/* rows found, then deleted */

static int
make_key(struct row_key *to, unsigned table, struct bytes key, struct err *err)
{
	if (table == 0 || table > LIMIT_ROW_TABLES)
		return err_set(err, ERR_INVALID, "row: no table %u", table);
	if (key.len > LIMIT_ROW_KEY_BYTES)
		return err_set(err, ERR_LIMIT, "row: a key of %zu bytes", key.len);
	to->bytes[0] = (uint8_t)table;
	if (key.len > 0)
		memcpy(to->bytes + 1, key.ptr, key.len);
	to->len = 1 + key.len;
	return 0;
}

/* As make_key(), for one row: an empty key is that of none. */
static int
make_row_key(struct row_key *to, unsigned table, struct bytes key, struct err *err)
{
	if (key.len == 0)
		return err_set(err, ERR_INVALID, "row: an empty key");
	return make_key(to, table, key, err);
}

static struct bytes
key_bytes(const struct row_key *key)
{
	return (struct bytes){ key->bytes, key->len };
}

int
records_put_row(struct records_write *write, unsigned table, struct bytes key,
    struct bytes value, enum record_effect *effect_out, struct err *err)
{
	const struct table *rows = &write->records->tables[RECORDS_ROW];
	struct row_key row_key;
	struct value old;
	bool is_new;

	if (make_row_key(&row_key, table, key, err) == -1)
		return -1;
	if (value.len > LIMIT_ROW_VALUE_BYTES)
		return err_set(err, ERR_LIMIT, "row: a value of %zu bytes", value.len);
	if (keyspace_find(&write->txn, rows, ROW_SPACE, key_bytes(&row_key), &old,
	    err) == -1)
		return -1;
	is_new = old.body.ptr == NULL;
	if (!is_new && bytes_eq(old.body, value)) {
		*effect_out = RECORD_UNCHANGED;
		return 0;
	}
	if (keyspace_put(&write->txn, rows, ROW_SPACE, key_bytes(&row_key), value,
	    BYTES_NONE, err) == -1)
		return -1;
	*effect_out = is_new ? RECORD_CREATED : RECORD_UPDATED;
	return 0;
}

int
records_delete_row(struct records_write *write, unsigned table, struct bytes key,
    bool *was_there_out, struct err *err)
{
	struct row_key row_key;

	if (make_row_key(&row_key, table, key, err) == -1)
		return -1;
	return keyspace_delete(&write->txn, &write->records->tables[RECORDS_ROW], ROW_SPACE,
	    key_bytes(&row_key), was_there_out, err);
}

/* The keys to delete next: each its length, then its bytes. */
static int
find_keys(struct records_write *write, const struct row_key *prefix, struct buf *keys,
    struct err *err)
{
	struct str start = { (const char *)prefix->bytes, prefix->len };
	struct keyspace_walk walk;
	unsigned found = 0;
	int rc;

	rc = keyspace_walk_open(&walk, &write->txn, &write->records->tables[RECORDS_ROW],
	    ROW_SPACE, key_bytes(prefix), false, err);
	while (rc == 0 && found < CLEAR_STEP &&
	    (rc = keyspace_walk_next(&walk, err)) == 0) {
		struct str key = { (const char *)walk.key.ptr, walk.key.len };

		if (key.ptr == NULL || !str_starts_with(key, start))
			break;
		buf_add(keys, &key.len, sizeof(key.len));
		buf_add_str(keys, key);
		found++;
	}
	keyspace_walk_close(&walk);
	return rc;
}

static int
delete_keys(struct records_write *write, struct buf *keys, uint64_t *deleted,
    struct err *err)
{
	while (buf_len(keys) > 0) {
		bool was_there;
		size_t len;

		memcpy(&len, buf_data(keys), sizeof(len));
		if (keyspace_delete(&write->txn, &write->records->tables[RECORDS_ROW],
		    ROW_SPACE, (struct bytes){ buf_data(keys) + sizeof(len), len },
		    &was_there, err) == -1)
			return -1;
		*deleted += was_there;
		buf_consume(keys, sizeof(len) + len);
	}
	return 0;
}

int
records_clear_rows(struct records_write *write, unsigned table, struct bytes prefix,
    uint64_t *deleted_out, struct err *err)
{
	struct buf keys = BUF_INIT;
	uint64_t deleted = 0;
	struct row_key start;
	bool is_done = false;
	int rc = 0;

	if (make_key(&start, table, prefix, err) == -1)
		return -1;
	while (rc == 0 && !is_done) {
		rc = find_keys(write, &start, &keys, err);
		is_done = buf_len(&keys) == 0;
		if (rc == 0)
			rc = delete_keys(write, &keys, &deleted, err);
	}
	buf_clear(&keys);
	if (rc == 0)
		*deleted_out = deleted;
	return rc;
}

int
records_get_row(struct records_read *read, unsigned table, struct bytes key,
    struct bytes *value_out, struct err *err)
{
	struct row_key row_key;
	struct value value;

	if (make_row_key(&row_key, table, key, err) == -1 ||
	    keyspace_find(&read->txn, &read->records->tables[RECORDS_ROW], ROW_SPACE,
	    key_bytes(&row_key), &value, err) == -1)
		return -1;
	if (value.body.ptr == NULL)
		return err_set(err, ERR_NOT_FOUND, "no such row in table %u", table);
	*value_out = value.body;
	return 0;
}

int
records_each_row(struct records_read *read, unsigned table, struct bytes prefix,
    struct bytes after, records_row_cb *each, void *arg, struct err *err)
{
	struct row_key start_key, after_key;
	struct str start, behind;
	struct keyspace_walk walk;
	bool is_after;
	int rc;

	if (make_key(&start_key, table, prefix, err) == -1 ||
	    make_key(&after_key, table, after, err) == -1)
		return -1;
	start = (struct str){ (const char *)start_key.bytes, start_key.len };
	behind = (struct str){ (const char *)after_key.bytes, after_key.len };
	is_after = str_cmp(behind, start) >= 0;
	rc = keyspace_walk_open(&walk, &read->txn, &read->records->tables[RECORDS_ROW],
	    ROW_SPACE, is_after ? key_bytes(&after_key) : key_bytes(&start_key), is_after,
	    err);
	while (rc == 0 && (rc = keyspace_walk_next(&walk, err)) == 0) {
		struct str key = { (const char *)walk.key.ptr, walk.key.len };

		if (key.ptr == NULL || !str_starts_with(key, start))
			break;
		if (!each((struct bytes){ walk.key.ptr + 1, walk.key.len - 1 },
		    walk.value.body, arg))
			break;
	}
	keyspace_walk_close(&walk);
	return rc;
}

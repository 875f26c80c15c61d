#include "common/number.h"
#include "store/records_internal.h"

/*
 * The table `by-checked` has an entry under `checked_ms u64, id u64` for each
 * repository, always that of its row in `repo`.
 */
#define CHECKED_KEY_BYTES	16

static struct bytes
checked_key(uint8_t key[CHECKED_KEY_BYTES], int64_t checked_ms, uint64_t id)
{
	u64_encode(key, (uint64_t)checked_ms);
	u64_encode(key + 8, id);
	return (struct bytes){ key, CHECKED_KEY_BYTES };
}

int
records_checked_move(struct records_write *write, uint64_t id, int64_t was_ms,
    int64_t now_ms, struct err *err)
{
	const struct table *table = &write->records->tables[RECORDS_BY_CHECKED];
	uint8_t key[CHECKED_KEY_BYTES];
	bool was_there;

	if (was_ms == now_ms)
		return 0;
	if (was_ms != -1 && table_delete(&write->txn, table, checked_key(key, was_ms, id),
	    &was_there, err) == -1)
		return -1;
	return table_put(&write->txn, table, checked_key(key, now_ms, id), BYTES_NONE, err);
}

int
records_convert(struct txn *txn, uint64_t from_schema BF_UNUSED,
    const struct table *tables, struct err *err)
{
	struct keyspace_walk walk;
	int rc;

	rc = keyspace_walk_open(&walk, txn, &tables[RECORDS_REPO], REPO_SPACE, BYTES_NONE,
	    false, err);
	while (rc == 0 && (rc = keyspace_walk_next(&walk, err)) == 0 &&
	    walk.key.ptr != NULL) {
		uint8_t key[CHECKED_KEY_BYTES];
		struct repo_row row;

		rc = records_decode_repo(walk.value.body, &row) == -1 ?
		    table_corrupt(txn, &tables[RECORDS_REPO], walk.key,
		    "not a repository", err) :
		    table_put(txn, &tables[RECORDS_BY_CHECKED],
		    checked_key(key, row.checked_ms, row.id), BYTES_NONE, err);
	}
	keyspace_walk_close(&walk);
	return rc;
}

/* The repository of the entry that the cursor stands on. */
static int
repo_at(struct records_read *read, const struct cursor *cursor,
    struct repo_row *row_out, struct err *err)
{
	if (cursor->key.len != CHECKED_KEY_BYTES)
		return table_corrupt(&read->txn, cursor->table, cursor->key,
		    "not a time and an id", err);
	return records_get_repo_by_id(read, u64_decode(cursor->key.ptr + 8), row_out, err);
}

int
records_each_repo_checked(struct records_read *read, int64_t after_ms,
    uint64_t after_id, records_repo_cb *each, void *arg, struct err *err)
{
	uint8_t key[CHECKED_KEY_BYTES];
	struct bytes after = checked_key(key, after_ms, after_id);
	struct cursor cursor;
	int rc;

	if (cursor_open(&cursor, &read->txn, &read->records->tables[RECORDS_BY_CHECKED],
	    err) == -1)
		return -1;
	rc = cursor_seek(&cursor, after, err);
	if (rc == 0 && bytes_eq(cursor.key, after))
		rc = cursor_next(&cursor, err);
	while (rc == 0 && cursor.key.ptr != NULL) {
		struct repo_row row;

		rc = repo_at(read, &cursor, &row, err);
		if (rc == -1 || !each(&row, arg))
			break;
		rc = cursor_next(&cursor, err);
	}
	cursor_close(&cursor);
	return rc;
}

/*
 * test_records_rows.c - src/store/records: rows, the order of checks, tallies, and
 * a store of schema 1.
 */
#include "t/unit/records_unit.h"

#include "common/number.h"
#include "store/records_internal.h"

#define TABLE	3

static struct bytes
bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

/* --- rows --- */

/* Keys that end where an LMDB key does, each a prefix of the next. */
static const size_t lengths[] = { 1, 2, 478, 479, 480, 481, 958, 959, 960, 4000,
	LIMIT_ROW_KEY_BYTES };

struct seen {
	size_t count, at_most;
	size_t lens[BF_ARRAY_LEN(lengths)];
	bool is_in_order;
	struct buf last;
};

static bool
on_row(struct bytes key, struct bytes value BF_UNUSED, void *arg)
{
	struct seen *seen = arg;
	struct str last = buf_str(&seen->last);

	seen->is_in_order = seen->count == 0 ||
	    str_cmp(last, (struct str){ (const char *)key.ptr, key.len }) < 0;
	assert_true(seen->is_in_order);
	buf_reset(&seen->last);
	buf_add(&seen->last, key.ptr, key.len);
	if (seen->count < BF_ARRAY_LEN(lengths))
		seen->lens[seen->count] = key.len;
	return ++seen->count < seen->at_most;
}

static size_t
count_rows(struct fixture *f, unsigned table, struct bytes prefix, struct bytes after,
    size_t at_most, struct seen *seen_out)
{
	struct seen seen = { .at_most = at_most };
	struct records_read *read;
	struct err err;

	assert_int_equal(records_read_begin(f->records, &read, &err), 0);
	assert_int_equal(records_each_row(read, table, prefix, after, on_row, &seen, &err),
	    0);
	records_read_end(&read);
	buf_clear(&seen.last);
	if (seen_out != NULL)
		*seen_out = seen;
	return seen.count;
}

static void
put_all(struct fixture *f, const uint8_t *key)
{
	struct records_write *write;
	enum record_effect effect;
	struct err err;

	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	for (size_t i = BF_ARRAY_LEN(lengths); i-- > 0;) {
		struct bytes row = { key, lengths[i] };

		assert_int_equal(records_put_row(write, TABLE, row, bytes_of("v"), &effect,
		    &err), 0);
		assert_int_equal(effect, RECORD_CREATED);
		assert_int_equal(records_put_row(write, TABLE, row, bytes_of("v"), &effect,
		    &err), 0);
		assert_int_equal(effect, RECORD_UNCHANGED);
		assert_int_equal(records_put_row(write, TABLE, row, bytes_of("w"), &effect,
		    &err), 0);
		assert_int_equal(effect, RECORD_UPDATED);
	}
	assert_int_equal(records_put_row(write, TABLE + 1, bytes_of("k"), BYTES_NONE,
	    &effect, &err), 0);
	assert_int_equal(records_write_commit(&write, &err), 0);
}

static void
rows__are_kept_in_order_whatever_the_length_of_their_keys(void **state)
{
	static uint8_t key[LIMIT_ROW_KEY_BYTES];
	struct fixture *f = *state;
	struct records_read *read;
	struct bytes value;
	struct seen seen;
	struct err err;

	memset(key, 'k', sizeof(key));
	put_all(f, key);
	assert_int_equal(count_rows(f, TABLE, BYTES_NONE, BYTES_NONE, SIZE_MAX, &seen),
	    BF_ARRAY_LEN(lengths));
	assert_memory_equal(seen.lens, lengths, sizeof(lengths));
	assert_int_equal(count_rows(f, TABLE - 1, BYTES_NONE, BYTES_NONE, SIZE_MAX, NULL),
	    0);
	assert_int_equal(count_rows(f, TABLE + 1, BYTES_NONE, BYTES_NONE, SIZE_MAX, NULL),
	    1);
	for (size_t i = 0; i < BF_ARRAY_LEN(lengths); i++) {
		struct bytes row = { key, lengths[i] };
		size_t left = BF_ARRAY_LEN(lengths) - i;

		assert_int_equal(count_rows(f, TABLE, BYTES_NONE, row, SIZE_MAX, NULL),
		    left - 1);
		assert_int_equal(count_rows(f, TABLE, row, BYTES_NONE, SIZE_MAX, NULL),
		    left);
		assert_int_equal(records_read_begin(f->records, &read, &err), 0);
		assert_int_equal(records_get_row(read, TABLE, row, &value, &err), 0);
		assert_true(bytes_eq(value, bytes_of("w")));
		records_read_end(&read);
	}
	assert_int_equal(count_rows(f, TABLE, bytes_of("x"), BYTES_NONE, SIZE_MAX, NULL), 0);
	assert_int_equal(count_rows(f, TABLE, BYTES_NONE, BYTES_NONE, 2, NULL), 2);
}

static void
rows__go_one_by_one_or_all_that_start_alike(void **state)
{
	static uint8_t key[LIMIT_ROW_KEY_BYTES];
	struct fixture *f = *state;
	struct records_write *write;
	enum record_effect effect;
	uint64_t deleted;
	bool was_there;
	struct err err;
	char many[32];

	memset(key, 'k', sizeof(key));
	put_all(f, key);
	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	for (int i = 0; i < 600; i++) {
		(void)snprintf(many, sizeof(many), "many/%d", i);
		assert_int_equal(records_put_row(write, TABLE, bytes_of(many), BYTES_NONE,
		    &effect, &err), 0);
	}
	assert_int_equal(records_delete_row(write, TABLE, (struct bytes){ key, 480 },
	    &was_there, &err), 0);
	assert_true(was_there);
	assert_int_equal(records_delete_row(write, TABLE, (struct bytes){ key, 480 },
	    &was_there, &err), 0);
	assert_false(was_there);
	assert_int_equal(records_clear_rows(write, TABLE, bytes_of("many/"), &deleted, &err),
	    0);
	assert_int_equal(deleted, 600);
	assert_int_equal(records_clear_rows(write, TABLE, (struct bytes){ key, 481 },
	    &deleted, &err), 0);
	assert_int_equal(deleted, 6);
	assert_int_equal(records_write_commit(&write, &err), 0);
	assert_int_equal(count_rows(f, TABLE, BYTES_NONE, BYTES_NONE, SIZE_MAX, NULL), 4);

	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	assert_int_equal(records_clear_rows(write, TABLE, BYTES_NONE, &deleted, &err), 0);
	assert_int_equal(deleted, 4);
	assert_int_equal(records_write_commit(&write, &err), 0);
	assert_int_equal(count_rows(f, TABLE + 1, BYTES_NONE, BYTES_NONE, SIZE_MAX, NULL),
	    1);
}

static void
rows__refuse_what_breaks_a_limit(void **state)
{
	static uint8_t big[LIMIT_ROW_VALUE_BYTES + 1];
	struct bytes long_key = { big, LIMIT_ROW_KEY_BYTES + 1 };
	struct fixture *f = *state;
	struct records_write *write;
	struct records_read *read;
	enum record_effect effect;
	struct bytes value;
	uint64_t deleted;
	bool was_there;
	struct err err;

	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	assert_int_equal(records_put_row(write, 0, bytes_of("k"), BYTES_NONE, &effect, &err),
	    -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(records_put_row(write, LIMIT_ROW_TABLES + 1, bytes_of("k"),
	    BYTES_NONE, &effect, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(records_put_row(write, TABLE, BYTES_NONE, BYTES_NONE, &effect,
	    &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(records_put_row(write, TABLE, long_key, BYTES_NONE, &effect, &err),
	    -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(records_put_row(write, TABLE, bytes_of("k"),
	    (struct bytes){ big, sizeof(big) }, &effect, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(records_delete_row(write, TABLE, long_key, &was_there, &err), -1);
	assert_int_equal(records_clear_rows(write, TABLE, long_key, &deleted, &err), -1);
	records_write_abort(&write);
	assert_int_equal(records_read_begin(f->records, &read, &err), 0);
	assert_int_equal(records_get_row(read, TABLE, long_key, &value, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(records_get_row(read, TABLE, bytes_of("k"), &value, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	records_read_end(&read);
}

/* --- the order of checks --- */

static bool
add_did(const struct repo_row *row, void *arg)
{
	buf_printf(arg, "%.*s:%d ", STR_FMT(row->did), (int)row->checked_ms);
	return true;
}

static void
assert_order(struct records *records, const char *expected)
{
	struct records_read *read;
	struct buf seen = BUF_INIT;
	struct err err;

	assert_int_equal(records_read_begin(records, &read, &err), 0);
	assert_int_equal(records_each_repo_checked(read, 0, 0, add_did, &seen, &err), 0);
	records_read_end(&read);
	buf_add_byte(&seen, '\0');
	assert_string_equal((const char *)buf_data(&seen), expected);
	buf_clear(&seen);
}

static void
repos__are_found_in_the_order_of_their_checks(void **state)
{
	struct fixture *f = *state;
	struct records_write *write;
	struct err err;

	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	assert_int_equal(records_put_repo(write, &(struct repo_row){ .did = STR("did:a"),
	    .synced_ms = 10 }, &err), 0);
	assert_int_equal(records_put_repo(write, &(struct repo_row){ .did = STR("did:b"),
	    .synced_ms = 20 }, &err), 0);
	assert_int_equal(records_write_commit(&write, &err), 0);
	assert_order(f->records, "did:a:10 did:b:20 ");

	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	assert_int_equal(records_set_checked(write, STR("did:a"), 30, &err), 0);
	assert_int_equal(records_set_checked(write, STR("did:a"), 5, &err), 0);
	assert_int_equal(records_set_checked(write, STR("did:c"), 5, &err), 0);
	assert_int_equal(records_write_commit(&write, &err), 0);
	assert_order(f->records, "did:b:20 did:a:30 ");

	assert_int_equal(records_write_begin(f->records, &write, &err), 0);
	assert_int_equal(records_put_repo(write, &(struct repo_row){ .did = STR("did:b"),
	    .synced_ms = 40 }, &err), 0);
	assert_int_equal(records_write_commit(&write, &err), 0);
	assert_order(f->records, "did:a:30 did:b:40 ");
}

/* --- schema 1 --- */

/* A repository as schema 1 wrote it: without checked_ms. */
static void
put_old_repo(struct txn *txn, const struct table *tables, uint64_t id, const char *did,
    uint8_t synced_ms)
{
	struct buf body = BUF_INIT;
	uint8_t key[8];
	struct err err;

	buf_add(&body, (uint8_t[]){ 1, 0, 1, (uint8_t)id }, 4);
	buf_add(&body, (uint8_t[]){ 2, 0, (uint8_t)strlen(did) }, 3);
	buf_add(&body, did, strlen(did));
	buf_add(&body, (uint8_t[]){ 8, 0, 1, synced_ms }, 4);
	assert_int_equal(keyspace_put(txn, &tables[RECORDS_REPO], REPO_SPACE, bytes_of(did),
	    buf_bytes(&body), BYTES_NONE, &err), 0);
	u64_encode(key, id);
	assert_int_equal(table_put(txn, &tables[RECORDS_REPO_ID],
	    (struct bytes){ key, sizeof(key) }, bytes_of(did), &err), 0);
	buf_clear(&body);
}

static void
make_old_store(const char *dir)
{
	struct table tables[] = {
		{ .name = "repo", .version = 1 }, { .name = "repo-id", .version = 1 },
		{ .name = "record", .version = 1 }, { .name = "collection", .version = 1 },
	};
	struct env_options options = { .may_write = true, .schema = 1,
	    .map_bytes = (size_t)1 << 30, .tables = tables,
	    .tables_count = BF_ARRAY_LEN(tables) };
	struct env *env;
	struct txn txn;
	uint64_t id;
	struct err err;

	assert_int_equal(env_open(dir, &options, &env, &err), 0);
	assert_int_equal(txn_begin_write(env, &txn, &err), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(txn_next_number(&txn, KEYSPACE_COUNTER, &id, &err), 0);
	put_old_repo(&txn, tables, 1, "did:a", 30);
	put_old_repo(&txn, tables, 2, "did:b", 10);
	put_old_repo(&txn, tables, 3, "did:c", 20);
	assert_int_equal(txn_commit(&txn, &err), 0);
	env_close(&env);
}

static void
records__of_schema_1_are_converted(void **state)
{
	const char *dir = *state;
	struct records_write *write;
	struct records *records;
	enum record_effect effect;
	struct err err;

	make_old_store(dir);
	assert_int_equal(records_open(dir, RECORDS_READ, &records, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(records_open(dir, RECORDS_WRITE, &records, &err), 0);
	assert_order(records, "did:b:10 did:c:20 did:a:30 ");

	/* It goes on as any other: the entries move, rows have their place. */
	assert_int_equal(records_write_begin(records, &write, &err), 0);
	assert_int_equal(records_set_checked(write, STR("did:b"), 25, &err), 0);
	assert_int_equal(records_put_row(write, TABLE, bytes_of("k"), bytes_of("v"), &effect,
	    &err), 0);
	assert_int_equal(records_write_commit(&write, &err), 0);
	assert_order(records, "did:c:20 did:b:25 did:a:30 ");
	records_close(&records);

	/* Once is enough. */
	assert_int_equal(records_open(dir, RECORDS_READ, &records, &err), 0);
	assert_order(records, "did:c:20 did:b:25 did:a:30 ");
	records_close(&records);
}

static const struct CMUnitTest records_rows[] = {
	RECORDS_TEST(rows__are_kept_in_order_whatever_the_length_of_their_keys),
	RECORDS_TEST(rows__go_one_by_one_or_all_that_start_alike),
	RECORDS_TEST(rows__refuse_what_breaks_a_limit),
	RECORDS_TEST(repos__are_found_in_the_order_of_their_checks),
	cmocka_unit_test_setup_teardown(records__of_schema_1_are_converted, tempdir_setup,
	    tempdir_teardown),
};

UNIT_MAIN(records_rows)

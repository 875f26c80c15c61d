/*
 * test_keyspace.c - src/store/keyspace: keys of any length against a sorted
 * array, with keys made to meet where a piece ends.
 */
#include "t/unit/unit.h"

#include "store/env.h"
#include "store/keyspace.h"
#include "t/unit/tempdir.h"

#define PIECE		KEYSPACE_PIECE_BYTES
#define KEY_MAX		(4 * PIECE + 100)
#define MODEL_KEYS	400
#define SPACE		7

struct fixture {
	char *dir;
	struct env *env;
	struct table table;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct env_options options = { .may_write = true, .schema = 1,
	    .map_bytes = (size_t)1 << 30, .tables = &f->table, .tables_count = 1 };
	struct err err;

	f->dir = tempdir_new();
	f->table = (struct table){ .name = "keys", .version = 1 };
	assert_int_equal(env_open(f->dir, &options, &f->env, &err), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	env_close(&f->env);
	tempdir_free(&f->dir);
	free(f);
	return 0;
}

struct model_key {
	uint8_t bytes[KEY_MAX];
	size_t len;
	uint32_t value;		/* 0: not in the table */
};

static struct bytes
key_of(const struct model_key *key)
{
	return (struct bytes){ key->bytes, key->len };
}

static int
compare(const void *a, const void *b)
{
	struct bytes x = key_of(a), y = key_of(b);

	return str_cmp((struct str){ (const char *)x.ptr, x.len },
	    (struct str){ (const char *)y.ptr, y.len });
}

/* Few different bytes and lengths around the ends of pieces: many keys are
 * prefixes of others, and most long ones share their first pieces. */
static size_t
make_keys(struct model_key *keys)
{
	size_t count = 0, kept = 0;

	while (count < MODEL_KEYS) {
		struct model_key *key = &keys[count++];
		size_t pieces = (size_t)rand() % 5;

		key->len = pieces * PIECE + (size_t)(rand() % 7);
		if (key->len >= 3)
			key->len -= 3;
		key->value = 0;
		memset(key->bytes, 'm', sizeof(key->bytes));
		for (int i = rand() % 4; i > 0; i--) {
			size_t near = ((size_t)rand() % 5) * PIECE + (size_t)(rand() % 5);

			if (near >= 2 && near - 2 < KEY_MAX)
				key->bytes[near - 2] = (uint8_t)"\0am\xff"[rand() % 4];
		}
	}
	qsort(keys, count, sizeof(*keys), compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare(&keys[kept - 1], &keys[i]) != 0)
			keys[kept++] = keys[i];
	return kept;
}

static void
assert_walk(struct fixture *f, struct txn *txn, const struct model_key *keys,
    size_t count, size_t from, bool is_after)
{
	static struct keyspace_walk walk;
	struct err err;

	assert_int_equal(keyspace_walk_open(&walk, txn, &f->table, SPACE,
	    key_of(&keys[from]), is_after, &err), 0);
	for (size_t i = is_after ? from + 1 : from; i < count; i++) {
		if (keys[i].value == 0)
			continue;
		assert_int_equal(keyspace_walk_next(&walk, &err), 0);
		assert_true(bytes_eq(walk.key, key_of(&keys[i])));
		assert_int_equal(walk.value.body.len, sizeof(keys[i].value));
		assert_memory_equal(walk.value.body.ptr, &keys[i].value,
		    sizeof(keys[i].value));
	}
	assert_int_equal(keyspace_walk_next(&walk, &err), 0);
	assert_null(walk.key.ptr);
	keyspace_walk_close(&walk);
}

static void
change_one(struct fixture *f, struct txn *txn, struct model_key *key, int round)
{
	struct value value;
	struct err err;
	bool was_there;

	if (rand() % 100 < (round % 2 == 0 ? 70 : 30)) {
		key->value = (uint32_t)rand() | 1;
		assert_int_equal(keyspace_put(txn, &f->table, SPACE, key_of(key),
		    (struct bytes){ (const uint8_t *)&key->value, 4 }, BYTES_NONE, &err), 0);
	} else {
		assert_int_equal(keyspace_delete(txn, &f->table, SPACE, key_of(key),
		    &was_there, &err), 0);
		assert_int_equal(was_there, key->value != 0);
		key->value = 0;
	}
	assert_int_equal(keyspace_find(txn, &f->table, SPACE, key_of(key), &value, &err),
	    0);
	assert_int_equal(value.body.ptr != NULL, key->value != 0);
}

static void
put_neighbours(struct fixture *f, struct txn *txn)
{
	static const uint8_t text[] = "other";
	struct err err;

	assert_int_equal(keyspace_put(txn, &f->table, SPACE - 1,
	    (struct bytes){ text, 5 }, BYTES_NONE, BYTES_NONE, &err), 0);
	assert_int_equal(keyspace_put(txn, &f->table, SPACE + 1,
	    (struct bytes){ text, 5 }, BYTES_NONE, BYTES_NONE, &err), 0);
}

static void
keyspace__agrees_with_a_sorted_array(void **state)
{
	static struct model_key keys[MODEL_KEYS];
	struct fixture *f = *state;
	uint64_t space;
	struct err err;
	struct txn txn;
	size_t count;

	srand(21);
	count = make_keys(keys);
	assert_int_equal(txn_begin_write(f->env, &txn, &err), 0);
	/* New spaces must not be those of the test. */
	for (int i = 0; i < SPACE + 1; i++)
		assert_int_equal(txn_next_number(&txn, KEYSPACE_COUNTER, &space, &err), 0);
	put_neighbours(f, &txn);
	assert_int_equal(txn_commit(&txn, &err), 0);

	for (int round = 0; round < 30; round++) {
		assert_int_equal(txn_begin_write(f->env, &txn, &err), 0);
		for (int i = 0; i < 150; i++)
			change_one(f, &txn, &keys[(size_t)rand() % count], round);
		for (int i = 0; i < 10; i++)
			assert_walk(f, &txn, keys, count, (size_t)rand() % count,
			    i % 2 == 0);
		assert_walk(f, &txn, keys, count, 0, false);
		assert_int_equal(txn_commit(&txn, &err), 0);
	}
}

static void
keyspace__leaves_nothing_behind_when_all_keys_are_gone(void **state)
{
	static struct model_key keys[MODEL_KEYS];
	struct fixture *f = *state;
	struct cursor cursor;
	struct err err;
	struct txn txn;
	size_t count;
	bool was_there;

	srand(22);
	count = make_keys(keys);
	assert_int_equal(txn_begin_write(f->env, &txn, &err), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(keyspace_put(&txn, &f->table, 0, key_of(&keys[i]),
		    BYTES_NONE, BYTES_NONE, &err), 0);
	for (size_t i = 0; i < count; i++) {
		size_t j = (i * 7919) % count;

		assert_int_equal(keyspace_delete(&txn, &f->table, 0, key_of(&keys[j]),
		    &was_there, &err), 0);
	}
	for (size_t i = 0; i < count; i++)
		assert_int_equal(keyspace_delete(&txn, &f->table, 0, key_of(&keys[i]),
		    &was_there, &err), 0);
	assert_int_equal(cursor_open(&cursor, &txn, &f->table, &err), 0);
	assert_int_equal(cursor_last(&cursor, &err), 0);
	assert_null(cursor.key.ptr);
	cursor_close(&cursor);
	txn_abort(&txn);
}

static void
keyspace__refuses_a_key_deeper_than_any_limit(void **state)
{
	static uint8_t long_key[40 * PIECE];
	struct bytes key = { long_key, sizeof(long_key) };
	struct fixture *f = *state;
	struct err err;
	struct txn txn;
	bool was_there;

	memset(long_key, 'k', sizeof(long_key));
	assert_int_equal(txn_begin_write(f->env, &txn, &err), 0);
	assert_int_equal(keyspace_put(&txn, &f->table, 0, key, BYTES_NONE, BYTES_NONE,
	    &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(keyspace_delete(&txn, &f->table, 0, key, &was_there, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	txn_abort(&txn);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest keyspace[] = {
	TEST(keyspace__agrees_with_a_sorted_array),
	TEST(keyspace__leaves_nothing_behind_when_all_keys_are_gone),
	TEST(keyspace__refuses_a_key_deeper_than_any_limit),
};

UNIT_MAIN(keyspace)

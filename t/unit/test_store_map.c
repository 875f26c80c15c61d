/*
 * test_store_map.c - src/store: the map and the table of readers when they are full,
 * readers that stay, a lock file that goes.
 */
#include "t/unit/store_unit.h"

#include "store/env.h"
#include "store/ops.h"

#define MAP_BYTES	((size_t)256 << 10)
#define VALUE_BYTES	1000
#define READERS		512	/* READERS_MAX of env.c */

static struct table table = { .name = "t", .version = 1 };

static int
open_small(const char *dir, bool may_write, struct env **env_out, struct err *err)
{
	struct env_options options = { .may_write = may_write, .schema = 1,
	    .map_bytes = MAP_BYTES, .tables = &table, .tables_count = 1 };

	return env_open(dir, &options, env_out, err);
}

static size_t
map_bytes(struct env *env)
{
	MDB_envinfo info;

	assert_int_equal(mdb_env_info(env->mdb, &info), 0);
	return info.me_mapsize;
}

static struct bytes
key_of(uint64_t *number)
{
	return (struct bytes){ (const uint8_t *)number, sizeof(*number) };
}

/* So many values from `from` on, in one transaction. */
static int
put(struct env *env, uint64_t from, uint64_t count, struct err *err)
{
	static const uint8_t body[VALUE_BYTES] = { 1 };
	struct txn txn;

	if (txn_begin_write(env, &txn, err) == -1)
		return -1;
	for (uint64_t i = from; i < from + count; i++) {
		if (table_put(&txn, &table, key_of(&i),
		    (struct bytes){ body, sizeof(body) }, err) == -1) {
			txn_abort(&txn);
			return -1;
		}
	}
	return txn_commit(&txn, err);
}

static uint64_t
entries(struct env *env)
{
	uint64_t count;
	struct txn txn;
	struct err err;

	assert_int_equal(txn_begin_read(env, &txn, &err), 0);
	assert_int_equal(table_entries(&txn, &table, &count, &err), 0);
	txn_abort(&txn);
	return count;
}

/* --- F46 --- */

static void
F46_full_map__grows_between_two_transactions(void **state)
{
	struct env *env;
	struct err err;

	assert_int_equal(open_small(*state, true, &env, &err), 0);
	for (uint64_t i = 0; i < 3000; i += 10)
		assert_int_equal(put(env, i, 10, &err), 0);
	assert_true(map_bytes(env) > 8 * MAP_BYTES);
	assert_int_equal(entries(env), 3000);
	env_close(&env);

	/* A new process sees all of it, whatever it asks for. */
	assert_int_equal(open_small(*state, true, &env, &err), 0);
	assert_int_equal(entries(env), 3000);
	assert_int_equal(put(env, 3000, 10, &err), 0);
	env_close(&env);
}

static void
F46_transaction_that_does_not_fit__fails_alone(void **state)
{
	struct env *env;
	struct err err;

	assert_int_equal(open_small(*state, true, &env, &err), 0);
	assert_int_equal(put(env, 0, 10, &err), 0);
	assert_int_equal(put(env, 100, 400, &err), -1);
	assert_int_equal(err.code, ERR_DISK_FULL);
	assert_non_null(strstr(err.text, "MDB_MAP_FULL"));
	assert_int_equal(entries(env), 10);
	assert_int_equal(put(env, 100, 150, &err), 0);	/* there is room now */
	assert_int_equal(entries(env), 160);
	env_close(&env);
}

static void
F46_full_map__does_not_move_under_a_reader(void **state)
{
	struct value value;
	uint64_t i = 0, first = 0;
	struct env *env;
	struct txn read;
	struct err err;

	assert_int_equal(open_small(*state, true, &env, &err), 0);
	assert_int_equal(put(env, 0, 1, &err), 0);
	assert_int_equal(txn_begin_read(env, &read, &err), 0);
	assert_int_equal(table_find(&read, &table, key_of(&first), &value, &err), 0);
	while (put(env, ++i, 1, &err) == 0)
		assert_true(i < 1000);
	assert_int_equal(err.code, ERR_DISK_FULL);
	assert_int_equal(map_bytes(env), MAP_BYTES);
	assert_int_equal(value.body.ptr[0], 1);
	txn_abort(&read);
	assert_int_equal(put(env, i, 1, &err), 0);
	assert_true(map_bytes(env) > MAP_BYTES);
	assert_int_equal(entries(env), i + 1);
	env_close(&env);
}

/* --- another process --- */

struct other {
	pid_t pid;
	int ask, answer;
};

static char
wait_byte(int fd)
{
	char byte = '\0';

	return read(fd, &byte, 1) == 1 ? byte : '\0';
}

/* A child that does `run` between two bytes; forked while nobody has a store open. */
static void
start_other(struct other *other, void (*run)(const char *dir, int ask, int answer),
    const char *dir)
{
	int ask[2], answer[2];

	assert_int_equal(pipe(ask), 0);
	assert_int_equal(pipe(answer), 0);
	other->pid = fork();
	if (other->pid == 0) {
		(void)close(ask[1]);
		(void)close(answer[0]);
		run(dir, ask[0], answer[1]);
		_exit(0);
	}
	(void)close(ask[0]);
	(void)close(answer[1]);
	other->ask = ask[1];
	other->answer = answer[0];
}

static void
tell_other(const struct other *other)
{
	assert_int_equal(write(other->ask, "x", 1), 1);
	assert_int_equal(wait_byte(other->answer), 'x');
}

static void
end_other(struct other *other)
{
	int status;

	(void)close(other->ask);
	assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
	assert_int_equal(status, 0);
	(void)close(other->answer);
}

/* --- F47 --- */

static void
write_much(const char *dir, int ask, int answer)
{
	struct env *env;
	struct err err;

	if (wait_byte(ask) != 'x' || open_small(dir, true, &env, &err) == -1 ||
	    put(env, 0, 1, &err) == -1 || write(answer, "x", 1) != 1 ||
	    wait_byte(ask) != 'x')
		_exit(1);
	for (uint64_t i = 1; i < 1000; i++)
		if (put(env, i, 1, &err) == -1)
			_exit(2);
	if (write(answer, "x", 1) != 1 || wait_byte(ask) != '\0')
		_exit(3);
	env_close(&env);
}

static void
F47_reader__follows_a_map_that_another_process_has_grown(void **state)
{
	struct txn old, new;
	struct other writer;
	struct env *env;
	struct err err;

	start_other(&writer, write_much, *state);
	tell_other(&writer);
	assert_int_equal(open_small(*state, false, &env, &err), 0);
	assert_int_equal(entries(env), 1);
	assert_int_equal(txn_begin_read(env, &old, &err), 0);
	tell_other(&writer);

	/* While we read, the map cannot follow: told as what it is. */
	assert_int_equal(txn_begin_read(env, &new, &err), -1);
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(err.text, "MDB_MAP_RESIZED"));
	assert_int_equal(map_bytes(env), MAP_BYTES);
	txn_abort(&old);
	assert_int_equal(entries(env), 1000);
	assert_true(map_bytes(env) > MAP_BYTES);
	env_close(&env);
	end_other(&writer);
}

/* --- F50 --- */

static void
F50_full_table_of_readers__is_told_and_passes(void **state)
{
	struct txn *reads = calloc(READERS, sizeof(*reads)), more;
	struct env *env;
	struct err err;

	assert_int_equal(open_small(*state, true, &env, &err), 0);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(txn_begin_read(env, &reads[i], &err), 0);
	assert_int_equal(txn_begin_read(env, &more, &err), -1);
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(err.text, "MDB_READERS_FULL"));
	assert_int_equal(put(env, 0, 1, &err), 0);	/* a writer needs no slot */
	txn_abort(&reads[7]);
	assert_int_equal(txn_begin_read(env, &more, &err), 0);
	txn_abort(&more);
	for (size_t i = 0; i < READERS; i++)
		txn_abort(&reads[i]);
	env_close(&env);
	free(reads);
}

static void
take_all_slots(const char *dir, int ask, int answer)
{
	struct txn *reads = calloc(READERS, sizeof(*reads));
	struct env *env;
	struct err err;

	if (wait_byte(ask) != 'x' || open_small(dir, true, &env, &err) == -1)
		_exit(1);
	for (size_t i = 0; i < READERS; i++)
		if (txn_begin_read(env, &reads[i], &err) == -1)
			_exit(2);
	if (write(answer, "x", 1) != 1)
		_exit(3);
	(void)wait_byte(ask);
	(void)kill(getpid(), SIGKILL);
}

static void
F50_table_of_readers_full_of_dead__is_cleared_by_who_needs_one(void **state)
{
	struct other dead;
	struct env *env;
	struct txn txn;
	struct err err;

	start_other(&dead, take_all_slots, *state);
	tell_other(&dead);
	assert_int_equal(open_small(*state, false, &env, &err), -1);
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	(void)close(dead.ask);
	assert_int_equal(waitpid(dead.pid, NULL, 0), dead.pid);
	(void)close(dead.answer);
	assert_int_equal(open_small(*state, false, &env, &err), 0);
	assert_int_equal(txn_begin_read(env, &txn, &err), 0);
	txn_abort(&txn);
	env_close(&env);
}

/* --- F49, F59 --- */

static void
read_for_long(const char *dir, int ask, int answer)
{
	struct ops_read *read;
	struct ops *ops;
	struct err err;

	if (wait_byte(ask) != 'x' || ops_open(dir, OPS_READ, &ops, &err) == -1 ||
	    ops_read_begin(ops, &read, &err) == -1 || write(answer, "x", 1) != 1 ||
	    wait_byte(ask) != '\0')
		_exit(1);
	ops_read_end(&read);
	ops_close(&ops);
}

static void
F49_reader_that_stays__is_known_by_its_old_snapshot(void **state)
{
	struct ops_read *short_read;
	struct other reader;
	uint64_t before;
	struct ops *ops;
	struct err err;
	pid_t pids[4];

	start_other(&reader, read_for_long, *state);
	assert_int_equal(ops_open(*state, OPS_WRITE, &ops, &err), 0);
	tell_other(&reader);
	/* As long as nothing is written, its snapshot is the newest: no harm is done. */
	assert_int_equal(ops_old_readers(ops, ops_last_txn(ops), pids, 4), 0);
	assert_int_equal(ops_probe(ops, 1, &err), 0);
	before = ops_last_txn(ops);
	assert_int_equal(ops_read_begin(ops, &short_read, &err), 0);
	assert_int_equal(ops_old_readers(ops, before, pids, 4), 1);
	assert_int_equal(pids[0], reader.pid);
	assert_int_equal(ops_old_readers(ops, before, pids, 0), 0);
	ops_read_end(&short_read);

	assert_int_equal(kill(reader.pid, SIGSTOP), 0);
	assert_int_equal(ops_check_readers(ops), 0);	/* it is not dead */
	assert_int_equal(ops_old_readers(ops, before, pids, 4), 1);
	assert_int_equal(kill(reader.pid, SIGCONT), 0);
	end_other(&reader);
	assert_int_equal(ops_old_readers(ops, before, pids, 4), 0);
	ops_close(&ops);
}

/* --- F55 --- */

static void
F55_lock_file__is_missed(void **state)
{
	struct ops *ops;
	struct err err;
	char *path;
	FILE *file;

	assert_true(asprintf(&path, "%s/lock.mdb", (char *)*state) > 0);
	assert_int_equal(ops_open(*state, OPS_WRITE, &ops, &err), 0);
	assert_false(ops_lost_its_lock(ops));
	assert_int_equal(unlink(path), 0);
	assert_true(ops_lost_its_lock(ops));
	file = fopen(path, "w");	/* or another one is in its place */
	assert_non_null(file);
	(void)fclose(file);
	assert_true(ops_lost_its_lock(ops));
	ops_close(&ops);
	assert_int_equal(ops_open(*state, OPS_WRITE, &ops, &err), 0);
	assert_false(ops_lost_its_lock(ops));
	ops_close(&ops);
	free(path);
}

static const struct CMUnitTest store_map[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, tempdir_setup, tempdir_teardown)
	TEST(F46_full_map__grows_between_two_transactions),
	TEST(F46_transaction_that_does_not_fit__fails_alone),
	TEST(F46_full_map__does_not_move_under_a_reader),
	TEST(F47_reader__follows_a_map_that_another_process_has_grown),
	TEST(F50_full_table_of_readers__is_told_and_passes),
	TEST(F50_table_of_readers_full_of_dead__is_cleared_by_who_needs_one),
	TEST(F49_reader_that_stays__is_known_by_its_old_snapshot),
	TEST(F55_lock_file__is_missed),
};

UNIT_MAIN(store_map)

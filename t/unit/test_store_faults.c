/*
 * test_store_faults.c - src/store when the disk is full, processes are killed,
 * or the store is not ours to open.
 */
#include "t/unit/store_unit.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "store/env.h"
#include "store/ops_internal.h"
#include "store/records.h"

static int
open_ops(const char *dir)
{
	struct ops *ops;
	struct err err;

	return ops_open(dir, OPS_WRITE, &ops, &err) == 0 ? 0 : 1;
}

static int
create_op(struct ops *ops, uint64_t number, char id[TID_SIZE], struct err *err)
{
	struct op op = { .type = STR("did-sync"), .started_by = STR("admin"),
	    .created_ms = 1 };
	char active[TID_SIZE], did[32];

	tid_format((number + 1) << 10, id);
	(void)snprintf(did, sizeof(did), "did:plc:%llu", (unsigned long long)number);
	op.id = str_from(id);
	op.did = str_from(did);
	return ops_create(ops, &op, active, err);
}

static bool
count_op(const struct op *op, void *arg)
{
	uint64_t *counts = arg;

	counts[op->status]++;
	return true;
}

/* Each operation is found by every way to it, in one state. */
static int
check_consistent(struct ops *ops, uint64_t expected)
{
	uint64_t all[OP_STATUS_COUNT + 1] = { 0 }, indexed[OP_STATUS_COUNT + 1] = { 0 };
	uint64_t typed[OP_STATUS_COUNT + 1] = { 0 }, counted[OP_STATUS_COUNT + 1];
	struct ops_filter filter = { 0 };
	struct ops_read *read;
	uint64_t total = 0;
	struct err err;

	if (ops_read_begin(ops, &read, &err) == -1 ||
	    ops_list(read, &filter, count_op, all, &err) == -1 ||
	    ops_count(read, counted, &err) == -1)
		return -1;
	filter.type = STR("did-sync");
	if (ops_list(read, &filter, count_op, typed, &err) == -1)
		return -1;
	filter.type = STR_NONE;
	for (enum op_status s = OP_QUEUED; s <= OP_CANCELLED; s++) {
		filter.status = s;
		if (ops_list(read, &filter, count_op, indexed, &err) == -1)
			return -1;
		total += all[s];
	}
	ops_read_end(&read);
	return memcmp(all, indexed, sizeof(all)) == 0 && total == expected &&
	    memcmp(all, typed, sizeof(all)) == 0 &&
	    memcmp(all, counted, sizeof(all)) == 0 ? 0 : -1;
}

static int
fill_disk(const char *dir)
{
	struct rlimit limit = { 300000, RLIM_INFINITY };
	char id[TID_SIZE];
	uint64_t made = 0;
	struct ops *ops;
	struct err err;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (ops_open(dir, OPS_WRITE, &ops, &err) == -1 ||
	    setrlimit(RLIMIT_FSIZE, &limit) == -1)
		return 1;
	while (create_op(ops, made, id, &err) == 0)
		if (++made > 100000)
			return 2;
	if (err.code != ERR_DISK_FULL || made < 20 || check_consistent(ops, made) == -1)
		return 3;

	/* Changes fail too, without harm, until there is space again. */
	tid_format(1 << 10, id);
	for (int i = 0; i < 50; i++)
		if (ops_note(ops, str_from(id), OP_EVENT_LOG, STR("line"), 1, NULL, NULL,
		    &err) == -1 && err.code != ERR_DISK_FULL)
			return 4;
	if (check_consistent(ops, made) == -1)
		return 5;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) == -1 ||
	    create_op(ops, made, id, &err) == -1 || check_consistent(ops, made + 1) == -1)
		return 6;
	ops_close(&ops);
	return 0;
}

static void
full_disk__is_told_as_such_and_harms_nothing(void **state)
{
	assert_int_equal(in_child(fill_disk, *state), 0);
}

/* Makes operations, takes each through its life, and tells the number of each
 * that ops_create() has accepted. */
static void
write_for_ever(const char *dir, int tell_fd)
{
	struct ops *ops;
	struct err err;
	uint64_t last;

	if (ops_open(dir, OPS_WRITE, &ops, &err) == -1 ||
	    ops_last_id(ops, &last, &err) == -1)
		_exit(1);
	for (uint64_t n = last >> 10;; n++) {
		char id[TID_SIZE];

		if (create_op(ops, n, id, &err) == -1 ||
		    write(tell_fd, &n, sizeof(n)) != sizeof(n) ||
		    ops_change(ops, str_from(id), OP_EVENT_START, STR(""), 1, NULL, NULL,
		    NULL, &err) == -1 ||
		    (n % 3 > 0 && ops_change(ops, str_from(id), n % 3 == 1 ?
		    OP_EVENT_COMPLETE : OP_EVENT_FAIL, STR(""), 2, NULL, NULL, NULL,
		    &err) == -1))
			_exit(2);
	}
}

static uint64_t
kill_after(const char *dir, unsigned accepted)
{
	uint64_t n = 0;
	int tell[2];
	pid_t pid;

	assert_int_equal(pipe(tell), 0);
	pid = fork();
	if (pid == 0)
		write_for_ever(dir, tell[1]);
	(void)close(tell[1]);
	while (accepted-- > 0)
		assert_int_equal(read(tell[0], &n, sizeof(n)), sizeof(n));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	while (read(tell[0], &n, sizeof(n)) == sizeof(n))
		continue;
	(void)close(tell[0]);
	return n;
}

static void
killed_writer__loses_nothing_that_it_had_accepted(void **state)
{
	srand(52);
	for (int round = 0; round < 15; round++) {
		uint64_t last = kill_after(*state, 1 + (unsigned)rand() % 30), stored;
		struct ops *ops;
		struct err err;

		assert_int_equal(ops_open(*state, OPS_WRITE, &ops, &err), 0);
		assert_int_equal(ops_last_id(ops, &stored, &err), 0);
		/* One more may be stored whose number was not told any more. */
		assert_true(stored >> 10 == last + 1 || stored >> 10 == last + 2);
		assert_int_equal(check_consistent(ops, stored >> 10), 0);
		ops_close(&ops);
	}
}

/* --- syncing --- */

static unsigned syncs;

/* In front of libc's, for LMDB too. */
int
fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

static void
commit__is_synced_before_it_returns(void **state)
{
	unsigned unsafe = MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_MAPASYNC |
	    MDB_NOLOCK;
	struct env_options options = { .may_write = true, .schema = OPS_SCHEMA,
	    .map_bytes = (size_t)1 << 30 };
	char id[TID_SIZE];
	struct env *env;
	struct ops *ops;
	struct err err;
	unsigned flags;

	assert_int_equal(ops_open(*state, OPS_WRITE, &ops, &err), 0);
	syncs = 0;
	assert_int_equal(create_op(ops, 1, id, &err), 0);
	assert_int_equal(syncs, 1);
	assert_int_equal(ops_change(ops, str_from(id), OP_EVENT_START, STR(""), 1, NULL,
	    NULL, NULL, &err), 0);
	assert_int_equal(syncs, 2);
	ops_close(&ops);

	/* And the page that makes it valid, through a descriptor with O_DSYNC. */
	assert_int_equal(env_open(*state, &options, &env, &err), 0);
	assert_int_equal(mdb_env_get_flags(env->mdb, &flags), 0);
	assert_int_equal(flags & unsafe, 0);
	env_close(&env);
}

/* --- readers --- */

static void
dead_reader__gives_its_slot_back(void **state)
{
	struct ops_read *read_txn;
	struct ops *ops;
	struct err err;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(in_child(open_ops, *state), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (ops_open(*state, OPS_READ, &ops, &err) == -1 ||
		    ops_read_begin(ops, &read_txn, &err) == -1 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(ops_open(*state, OPS_WRITE, &ops, &err), 0);
	assert_int_equal(ops_check_readers(ops), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(ops_check_readers(ops), 1);
	ops_close(&ops);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* --- what is not ours to open --- */

static void
store__is_opened_once_per_process(void **state)
{
	struct ops *ops, *again;
	struct err err;

	assert_int_equal(ops_open(*state, OPS_WRITE, &ops, &err), 0);
	assert_int_equal(ops_open(*state, OPS_READ, &again, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	ops_close(&ops);
	assert_int_equal(ops_open(*state, OPS_READ, &ops, &err), 0);
	ops_close(&ops);
}

static void
reader__finds_nothing_where_no_store_is(void **state)
{
	struct records *records;
	struct ops *ops;
	struct err err;

	assert_int_equal(ops_open("/nonexistent/store", OPS_READ, &ops, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(records_open(*state, RECORDS_READ, &records, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void
make_foreign(const char *dir, uint64_t schema, uint8_t value_version)
{
	struct table table = { .name = "op", .version = value_version };
	struct env_options options = { .may_write = true, .schema = schema,
	    .map_bytes = (size_t)1 << 30, .tables = &table, .tables_count = 1 };
	struct env *env;
	struct txn txn;
	struct err err;

	assert_int_equal(env_open(dir, &options, &env, &err), 0);
	assert_int_equal(txn_begin_write(env, &txn, &err), 0);
	assert_int_equal(table_put(&txn, &table, key_text("3migo7fijwi2k"),
	    key_text("from the future"), &err), 0);
	assert_int_equal(txn_commit(&txn, &err), 0);
	env_close(&env);
}

static void
newer_schema__is_refused_and_left_as_it_is(void **state)
{
	char *path = data_path(*state);
	uint8_t *before, *after;
	size_t size, size_after;
	struct ops *ops;
	struct err err;

	make_foreign(*state, 1000, 1);
	before = read_file(path, &size);
	assert_int_equal(ops_open(*state, OPS_WRITE, &ops, &err), -1);
	assert_int_equal(err.code, ERR_VERSION);
	assert_non_null(strstr(err.text, PACKAGE_VERSION));
	assert_int_equal(ops_open(*state, OPS_READ, &ops, &err), -1);
	assert_int_equal(err.code, ERR_VERSION);
	after = read_file(path, &size_after);
	assert_int_equal(size, size_after);
	assert_memory_equal(before, after, size);
	free(before);
	free(after);
	free(path);
}

static void
newer_value__is_refused_where_it_is_read(void **state)
{
	struct ops_read *read;
	struct ops *ops;
	struct err err;
	struct op op;

	make_foreign(*state, 1, OP_VERSION + 1);
	assert_int_equal(ops_open(*state, OPS_WRITE, &ops, &err), 0);
	assert_int_equal(ops_read_begin(ops, &read, &err), 0);
	assert_int_equal(ops_get(read, STR("3migo7fijwi2k"), &op, &err), -1);
	assert_int_equal(err.code, ERR_VERSION);
	ops_read_end(&read);
	ops_close(&ops);
}

static void
store__leaves_no_descriptor_to_a_child_and_no_file_to_others(void **state)
{
	DIR *dir = opendir("/proc/self/fd");
	struct records *records;
	struct dirent *entry;
	unsigned seen = 0;
	struct stat st;
	char *path;
	struct err err;

	assert_int_equal(records_open(*state, RECORDS_WRITE, &records, &err), 0);
	while ((entry = readdir(dir)) != NULL) {
		char target[256] = "";
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n <= 0 || strncmp(target, *state, strlen(*state)) != 0)
			continue;
		assert_int_equal(fcntl(atoi(entry->d_name), F_GETFD), FD_CLOEXEC);
		seen++;
	}
	(void)closedir(dir);
	assert_int_equal(seen, 3);	/* data, data again for meta pages, lock */
	path = data_path(*state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	free(path);
	records_close(&records);
}

static const struct CMUnitTest store_faults[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, tempdir_setup, tempdir_teardown)
	TEST(full_disk__is_told_as_such_and_harms_nothing),
	TEST(killed_writer__loses_nothing_that_it_had_accepted),
	TEST(commit__is_synced_before_it_returns),
	TEST(dead_reader__gives_its_slot_back),
	TEST(store__is_opened_once_per_process),
	TEST(reader__finds_nothing_where_no_store_is),
	TEST(newer_schema__is_refused_and_left_as_it_is),
	TEST(newer_value__is_refused_where_it_is_read),
	TEST(store__leaves_no_descriptor_to_a_child_and_no_file_to_others),
};

UNIT_MAIN(store_faults)

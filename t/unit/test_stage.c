/*
 * test_stage.c - src/indexer/stage: changes in memory and in a file.
 */
#include "t/unit/unit.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/limits.h"
#include "t/unit/tempdir.h"

#include "indexer/stage.c"	/* for open_and_unlink() */

static struct stage_pool
pool_of(void **state, size_t stage_memory_max)
{
	return (struct stage_pool){ .dir = *state, .stage_memory_max = stage_memory_max,
	    .memory_max = LIMIT_STAGES_MEMORY_BYTES, .stage_bytes_max = LIMIT_STAGE_BYTES };
}

/* The change with this number: sizes from nothing to more than a read takes. */
static struct stage_change
change_of(unsigned n, char path[32], uint8_t *record)
{
	static uint8_t cid[36];
	size_t len = n % 100 == 99 ? READ_BYTES * 3 : n * 37 % 5000;

	(void)snprintf(path, 32, "collection/%u", n);
	memset(record, (int)(n & 0xff), len);
	memset(cid, (int)(n % 251), sizeof(cid));
	if (n % 5 == 4)
		return (struct stage_change){ .kind = STAGE_DELETE,
		    .key = str_from(path) };
	return (struct stage_change){ .kind = n % 2 == 0 ? STAGE_PUT : STAGE_ROW_PUT,
	    .table = (uint8_t)n, .key = str_from(path), .cid = { cid, sizeof(cid) },
	    .record = { record, len }, .at_ms = n };
}

static void
fill_and_read_twice(struct stage_pool *pool, unsigned count, bool in_file)
{
	uint8_t *record = malloc(READ_BYTES * 3);
	struct stage *stage = stage_new(pool);
	struct stage_change got;
	char path[32];
	struct err err;
	bool has_one;

	for (unsigned n = 0; n < count; n++) {
		struct stage_change change = change_of(n, path, record);

		assert_int_equal(stage_add(stage, &change, &err), 0);
	}
	assert_int_equal(stage->fd != -1, in_file);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(stage_rewind(stage, &err), 0);
		for (unsigned n = 0; n < count; n++) {
			struct stage_change change = change_of(n, path, record);

			assert_int_equal(stage_next(stage, &got, &has_one, &err), 0);
			assert_true(has_one);
			assert_int_equal(got.kind, change.kind);
			assert_int_equal(got.table, change.table);
			assert_int_equal(got.at_ms, change.at_ms);
			assert_true(str_eq(got.key, change.key));
			assert_true(bytes_eq(got.cid, change.cid));
			assert_true(bytes_eq(got.record, change.record));
		}
		assert_int_equal(stage_next(stage, &got, &has_one, &err), 0);
		assert_false(has_one);
	}
	stage_free(&stage);
	assert_int_equal(pool->memory_used, 0);
	free(record);
}

static void
stage__gives_back_what_it_keeps_in_memory(void **state)
{
	struct stage_pool pool = pool_of(state, LIMIT_STAGE_MEMORY_BYTES);

	fill_and_read_twice(&pool, 0, false);
	fill_and_read_twice(&pool, 90, false);
}

static void
stage__gives_back_what_it_has_put_into_a_file(void **state)
{
	struct stage_pool pool = pool_of(state, 1000);

	fill_and_read_twice(&pool, 650, true);
	pool.stage_memory_max = LIMIT_STAGE_MEMORY_BYTES;
	fill_and_read_twice(&pool, 650, true);
}

static unsigned
entries_of(const char *path)
{
	DIR *dir = opendir(path);
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

static void
stage__leaves_no_file_and_no_descriptor(void **state)
{
	struct stage_pool pool = pool_of(state, 10);
	unsigned files = entries_of(*state), fds = entries_of("/proc/self/fd");
	struct stage_change change = { .kind = STAGE_PUT, .key = STR("a/b") };
	struct stage *stage = stage_new(&pool);
	struct err err;
	struct stat st;
	int fd;

	for (int i = 0; i < 100; i++)
		assert_int_equal(stage_add(stage, &change, &err), 0);
	assert_int_equal(entries_of(*state), files);
	assert_int_equal(fcntl(stage->fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(stage->fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	stage_free(&stage);

	/* The way of file systems without O_TMPFILE. */
	fd = open_and_unlink(*state);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fd_close(&fd);
	assert_int_equal(entries_of(*state), files);
	assert_int_equal(entries_of("/proc/self/fd"), fds);
}

static void
stage__goes_to_files_when_all_together_take_too_much(void **state)
{
	enum { STAGES = 90 };
	struct stage_pool pool = pool_of(state, LIMIT_STAGE_MEMORY_BYTES);
	uint8_t *record = calloc(1, LIMIT_STAGE_MEMORY_BYTES);
	struct stage_change change = { .kind = STAGE_PUT, .key = STR("a/b"),
	    .record = { record, LIMIT_STAGE_MEMORY_BYTES - 1000 } };
	struct stage *stages[STAGES];
	struct err err;

	for (int i = 0; i < STAGES; i++) {
		stages[i] = stage_new(&pool);
		assert_int_equal(stage_add(stages[i], &change, &err), 0);
		assert_true(pool.memory_used <= LIMIT_STAGES_MEMORY_BYTES);
	}
	assert_int_equal(stages[0]->fd, -1);
	assert_int_not_equal(stages[STAGES - 1]->fd, -1);
	for (int i = 0; i < STAGES; i++)
		stage_free(&stages[i]);
	assert_int_equal(pool.memory_used, 0);
	free(record);
}

static void
stage__refuses_more_than_its_limit(void **state)
{
	struct stage_pool pool = pool_of(state, 1000);
	struct stage_change change = { .kind = STAGE_PUT, .key = STR("a/b") };
	struct stage *stage;
	struct err err;
	int count = 0;

	pool.stage_bytes_max = 5000;	/* in the indexer: LIMIT_STAGE_BYTES */
	stage = stage_new(&pool);
	while (stage_add(stage, &change, &err) == 0)
		count++;
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(stage_bytes(stage) <= 5000);
	assert_true(count > 100);
	stage_free(&stage);
}

/* In a process of its own, since the limit stays. */
static int
fill_the_disk(void **state)
{
	struct stage_pool pool = pool_of(state, 1000);
	static const uint8_t record[10000];
	struct stage_change change = { .kind = STAGE_PUT, .key = STR("a/b"),
	    .record = { record, sizeof(record) } };
	struct stage *stage = stage_new(&pool);
	struct rlimit limit = { 1000000, 1000000 };
	struct err err = { 0 };

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) == -1)
		return 2;
	for (int i = 0; i < 1000; i++)
		if (stage_add(stage, &change, &err) == -1)
			break;
	stage_free(&stage);
	return err.code == ERR_DISK_FULL && pool.memory_used == 0 ? 0 : 1;
}

static void
stage__says_that_the_disk_is_full(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fill_the_disk(state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static const struct CMUnitTest stages[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, tempdir_setup, tempdir_teardown)
	TEST(stage__gives_back_what_it_keeps_in_memory),
	TEST(stage__gives_back_what_it_has_put_into_a_file),
	TEST(stage__leaves_no_file_and_no_descriptor),
	TEST(stage__goes_to_files_when_all_together_take_too_much),
	TEST(stage__refuses_more_than_its_limit),
	TEST(stage__says_that_the_disk_is_full),
};

UNIT_MAIN(stages)

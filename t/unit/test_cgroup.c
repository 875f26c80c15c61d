/*
 * test_cgroup.c - cgroups of workers (src/supervisor/cgroup.h): what the kernel's
 * files say, and, where a cgroup can be made (root, cgroup v2), what they do.
 */
#include "t/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "supervisor/cgroup.c"		/* for set_limits() */
#include "t/unit/tempdir.h"

#define ID	"3migo7fijwi2k"
#define NOBODY	65534

/* --- pure --- */

static void
own_cgroup__is_that_of_v2(void **state BF_UNUSED)
{
	static const struct {
		const char *text, *path;	/* NULL: none */
	} rows[] = {
		{ "0::/system.slice/backfilld.service\n", "/system.slice/backfilld.service" },
		{ "9:name=systemd:/x\n4:memory:/y\n0::/z\n", "/z" },
		{ "0::/\n", "/" },
		{ "0::/no-end", "/no-end" },
		{ "4:memory:/0::/y\n", NULL },
		{ "0::\n", NULL },
		{ "0::relative\n", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		struct str path = STR_NONE;
		int rc = cgroup_parse_own(str_from(rows[i].text), &path);

		assert_int_equal(rc, rows[i].path == NULL ? -1 : 0);
		if (rc == 0)
			assert_true(str_eq(path, str_from(rows[i].path)));
	}
}

static void
event__is_the_number_behind_its_name(void **state BF_UNUSED)
{
	struct str text = STR("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\n"
	    "oom_group_kill 1\n");

	assert_int_equal(cgroup_parse_event(text, STR("oom_kill")), 2);
	assert_int_equal(cgroup_parse_event(text, STR("oom")), 3);
	assert_int_equal(cgroup_parse_event(text, STR("max")), 12);
	assert_int_equal(cgroup_parse_event(text, STR("kill")), 0);
	assert_int_equal(cgroup_parse_event(STR("oom_kill\n"), STR("oom_kill")), 0);
	assert_int_equal(cgroup_parse_event(STR("oom_kill x\n"), STR("oom_kill")), 0);
	assert_int_equal(cgroup_parse_event(STR_NONE, STR("oom_kill")), 0);
}

static void
setting__is_a_word_or_a_path(void **state BF_UNUSED)
{
	assert_true(cgroup_is_setting("auto"));
	assert_true(cgroup_is_setting("off"));
	assert_true(cgroup_is_setting("/sys/fs/cgroup/x"));
	assert_false(cgroup_is_setting("on"));
	assert_false(cgroup_is_setting(""));
}

static void
setting__that_is_off_or_wrong_finds_none_and_says_why(void **state BF_UNUSED)
{
	char path[CGROUP_PATH_SIZE];
	struct err err;

	assert_int_equal(cgroup_find("off", path, &err), -1);
	assert_non_null(strstr(err.text, "off"));
	assert_int_equal(cgroup_find("/tmp", path, &err), -1);
	assert_non_null(strstr(err.text, "/tmp is no cgroup v2"));
}

/* --- with files in the place of the kernel's, since not every machine has them --- */

static void
make_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void
assert_says(int dir, const char *name, const char *expected)
{
	char text[TEXT_SIZE];

	assert_true(str_eq(read_at(dir, name, text), str_from(expected)));
}

static void
limits__are_written_where_there_is_a_controller(void **state BF_UNUSED)
{
	static const struct cgroup_limits limits = { 1 << 30, 64 };
	char *dir = tempdir_new();
	struct cgroup cgroup = { .fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	struct err err;

	assert_int_equal(mkdirat(cgroup.fd, "worker-" ID, 0700), 0);
	assert_int_equal(set_limits(&cgroup, ID, &limits, &err), 0);
	make_file(cgroup.fd, "worker-" ID "/memory.max", "");
	make_file(cgroup.fd, "worker-" ID "/memory.oom.group", "");
	make_file(cgroup.fd, "worker-" ID "/pids.max", "");
	cgroup.has_memory = cgroup.has_pids = true;
	assert_int_equal(set_limits(&cgroup, ID, &limits, &err), 0);
	assert_says(cgroup.fd, "worker-" ID "/memory.max", "1073741824");
	assert_says(cgroup.fd, "worker-" ID "/memory.oom.group", "1");
	assert_says(cgroup.fd, "worker-" ID "/pids.max", "64");
	assert_int_equal(set_limits(&cgroup, "3migo7fijwi2l", &limits, &err), -1);
	(void)close(cgroup.fd);
	tempdir_free(&dir);
}

static void
want_of_memory__is_what_memory_events_says(void **state BF_UNUSED)
{
	char *dir = tempdir_new();
	struct cgroup cgroup = { .fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.has_memory = true };

	assert_int_equal(mkdirat(cgroup.fd, "worker-" ID, 0700), 0);
	assert_false(cgroup_ran_out(&cgroup, ID));
	make_file(cgroup.fd, "worker-" ID "/memory.events", "oom 1\noom_kill 0\n");
	assert_false(cgroup_ran_out(&cgroup, ID));
	make_file(cgroup.fd, "worker-" ID "/memory.events", "oom 1\noom_kill 1\n");
	assert_true(cgroup_ran_out(&cgroup, ID));
	assert_false(cgroup_ran_out(NULL, ID));
	(void)close(cgroup.fd);
	tempdir_free(&dir);
}

static void
lacks__are_named(void **state BF_UNUSED)
{
	struct cgroup cgroup = { .has_pids = true };
	char lacks[CGROUP_LACKS_SIZE];

	cgroup_lacks(&cgroup, lacks);
	assert_string_equal(lacks, "memory, kill");
	cgroup.has_pids = false;
	cgroup_lacks(&cgroup, lacks);
	assert_string_equal(lacks, "memory, pids, kill");
	cgroup = (struct cgroup){ .has_memory = true, .has_pids = true, .has_kill = true };
	cgroup_lacks(&cgroup, lacks);
	assert_string_equal(lacks, "");
}

/* --- with the kernel: a test plays the daemon, in a process of its own --- */

/* A cgroup for the test to divide, or a skip that says why not. */
static void
make_base(char base[CGROUP_PATH_SIZE])
{
	const char *root = is_cgroup2("/sys/fs/cgroup") ? "/sys/fs/cgroup" :
	    "/sys/fs/cgroup/unified";

	(void)snprintf(base, CGROUP_PATH_SIZE, "%s/bf-unit-%d", root, (int)getpid());
	if (!is_cgroup2(root) || mkdir(base, 0755) == -1) {
		print_message("# %s: %s\n", base, is_cgroup2(root) ? strerror(errno) :
		    "there is no cgroup v2");
		skip();
	}
}

/* With whoever is still in it; that may take a moment. */
static void
remove_base(const char *base)
{
	const char *const names[] = { "/worker-" ID, "/" OWN, "" };
	char path[CGROUP_PATH_SIZE + 64];

	(void)snprintf(path, sizeof(path), "%s/cgroup.kill", base);
	(void)!write_at(AT_FDCWD, path, "1");
	for (size_t i = 0; i < BF_ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", base, names[i]);
		for (int n = 0; rmdir(path) == -1 && errno == EBUSY && n < 5000; n++)
			(void)usleep(1000);	/* lint: this is a wait for a state */
		assert_int_equal(access(path, F_OK), -1);
	}
}

/* A process that ends by itself, or has failed; a wait(2) status. */
static int
run(void (*what)(const char *base, bool is_marked), const char *base, bool is_marked)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		(void)alarm(30);
		what(base, is_marked);
	}
	(void)waitpid(pid, &status, 0);
	return status;
}

static bool
no_worker(struct str id BF_UNUSED, void *arg BF_UNUSED)
{
	return false;
}

/* Joins the cgroup, goes into a session of its own, and stays; its child does, too.
 * Returns with both there. */
static pid_t
start_family(const struct cgroup *cgroup, int dir_fd)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(cgroup->fd);	/* as exec would, and with it the lock */
		if (write_at(dir_fd, "cgroup.procs", "0") == -1 || setsid() == -1)
			_exit(1);
		if (fork() == 0)
			(void)setsid();
		(void)!write(ready[1], "x", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static void
run_in_base(void (*what)(const char *base, bool is_marked))
{
	char base[CGROUP_PATH_SIZE];
	int status;

	make_base(base);
	status = run(what, base, false);
	remove_base(base);
	assert_int_equal(status, 0);
}

/* The daemon's part of a test; its exit status is the line that failed. */
#define NEED(is_so)	do { if (!(is_so)) _exit(__LINE__ % 255 + 1); } while (0)

static void
divide_and_kill(const char *base, bool is_marked BF_UNUSED)
{
	static const struct cgroup_limits limits = { 1 << 30, 64 };
	struct cgroup *cgroup;
	int dir_fd, status;
	struct err err;
	pid_t pid;

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	cgroup = cgroup_new(base, false, &err);
	NEED(cgroup != NULL);
	NEED(cgroup_new(base, false, &err) == NULL);	/* nobody else divides it */
	cgroup_sweep(cgroup, no_worker, NULL);
	NEED(!cgroup_has_leftovers(cgroup));
	NEED(cgroup_make(cgroup, ID, &limits, &dir_fd, &err) == 0);
	pid = start_family(cgroup, dir_fd);
	(void)close(dir_fd);
	if (!cgroup->has_kill)
		_exit(0);

	cgroup_kill(cgroup, ID);
	NEED(waitpid(pid, &status, 0) == pid);
	NEED(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	NEED(waitpid(-1, &status, 0) > 0);		/* the grandchild, too */
	cgroup_remove(cgroup, ID);
	NEED(!cgroup_has_leftovers(cgroup));

	/* As after a crash: a family that no worker is known of. */
	NEED(cgroup_make(cgroup, ID, &limits, &dir_fd, &err) == 0);
	pid = start_family(cgroup, dir_fd);
	(void)close(dir_fd);
	cgroup_free(&cgroup);
	cgroup = cgroup_new(base, true, &err);
	NEED(cgroup != NULL && cgroup_has_leftovers(cgroup));
	cgroup_sweep(cgroup, no_worker, NULL);
	NEED(waitpid(pid, &status, 0) == pid && waitpid(-1, &status, 0) > 0);
	cgroup_sweep(cgroup, no_worker, NULL);
	NEED(!cgroup_has_leftovers(cgroup));
	cgroup_free(&cgroup);
	_exit(0);
}

static void
cgroup__is_killed_whole_and_removed(void **state BF_UNUSED)
{
	run_in_base(divide_and_kill);
}

static void
look_for_own(const char *base, bool is_marked)
{
	char path[CGROUP_PATH_SIZE], procs[CGROUP_PATH_SIZE + 16];
	struct cgroup *cgroup;
	struct err err;

	(void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", base);
	NEED(write_at(AT_FDCWD, procs, "0") == 0);
	if (!is_marked) {
		NEED(cgroup_find("auto", path, &err) == -1);
		NEED(strstr(err.text, "was not delegated") != NULL);
		_exit(0);
	}
	NEED(cgroup_find("auto", path, &err) == 0 && strcmp(path, base) == 0);
	cgroup = cgroup_new(path, false, &err);
	NEED(cgroup != NULL);
	/* From where we are now it is found, too. */
	NEED(cgroup_find("auto", path, &err) == 0 && strcmp(path, base) == 0);
	_exit(0);
}

/* As its user: that of nobody else, and then with somebody else in it. */
static void
look_as_owner(const char *base, bool is_marked BF_UNUSED)
{
	char path[CGROUP_PATH_SIZE], procs[CGROUP_PATH_SIZE + 16];
	struct cgroup *cgroup;
	struct err err;
	pid_t pid;

	(void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", base);
	NEED(chown(base, NOBODY, NOBODY) == 0 && chown(procs, NOBODY, NOBODY) == 0);
	NEED(write_at(AT_FDCWD, procs, "0") == 0);
	NEED(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			(void)pause();
	NEED(cgroup_find("auto", path, &err) == -1);
	NEED(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	NEED(cgroup_find("auto", path, &err) == 0 && strcmp(path, base) == 0);
	cgroup = cgroup_new(path, false, &err);
	NEED(cgroup != NULL);
	_exit(0);
}

static void
auto__takes_what_belongs_to_its_user_alone(void **state BF_UNUSED)
{
	run_in_base(look_as_owner);
}

static void
auto__takes_what_was_delegated_and_nothing_else(void **state BF_UNUSED)
{
	char base[CGROUP_PATH_SIZE];
	int status[2] = { 0, 0 };
	bool can_mark;

	make_base(base);
	status[0] = run(look_for_own, base, false);
	can_mark = setxattr(base, "user.delegate", "1", 1, 0) == 0;
	if (can_mark)
		status[1] = run(look_for_own, base, true);
	remove_base(base);
	assert_int_equal(status[0], 0);
	assert_int_equal(status[1], 0);
	if (!can_mark) {
		print_message("# cgroups cannot be marked as delegated here\n");
		skip();
	}
}

static const struct CMUnitTest cgroup_tests[] = {
	cmocka_unit_test(own_cgroup__is_that_of_v2),
	cmocka_unit_test(event__is_the_number_behind_its_name),
	cmocka_unit_test(setting__is_a_word_or_a_path),
	cmocka_unit_test(setting__that_is_off_or_wrong_finds_none_and_says_why),
	cmocka_unit_test(limits__are_written_where_there_is_a_controller),
	cmocka_unit_test(want_of_memory__is_what_memory_events_says),
	cmocka_unit_test(lacks__are_named),
	cmocka_unit_test(cgroup__is_killed_whole_and_removed),
	cmocka_unit_test(auto__takes_what_was_delegated_and_nothing_else),
	cmocka_unit_test(auto__takes_what_belongs_to_its_user_alone),
};

UNIT_MAIN(cgroup_tests)

/*
 * test_spawn.c - a program that cannot be run (src/supervisor/spawn.h).
 */
#include "t/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/spawn.h"

/* What is still a child when the supervisor looks for orphans would be told as one. */
static void
spawn__leaves_no_process_of_a_program_that_cannot_be_run(void **state BF_UNUSED)
{
	struct spawn_plan plan = { .path = "/nonexistent/worker", .name = "worker",
	    .second_fd = -1, .cgroup_fd = -1 };
	struct err err;
	pid_t pid = 0;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	plan.control_fd = fds[1];
	assert_int_equal(spawn(&plan, &pid, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "exec(/nonexistent/worker)"));
	assert_int_equal(pid, 0);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static const struct CMUnitTest spawn_tests[] = {
	cmocka_unit_test(spawn__leaves_no_process_of_a_program_that_cannot_be_run),
};

UNIT_MAIN(spawn_tests)

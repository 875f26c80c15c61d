/*
 * test_sandbox.c - each step of the sandbox, seen from a child that took it: what is
 * forbidden fails in the child, and what is not still works.
 */
#include "t/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "sandbox/sandbox.h"

#define UNAVAILABLE	99	/* the kernel refused the step: nothing was tested */

/* The wait status of a child that runs `body`, whose result is its exit status. */
static int
in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
expect_exit(int (*body)(void), int expected)
{
	int status = in_child(body);

	if (WIFEXITED(status) && WEXITSTATUS(status) == UNAVAILABLE)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

static int
open_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
leave_network(void)
{
	const struct sockaddr_in discard = {
		.sin_family = AF_INET, .sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sandbox sandbox;
	int fd;

	sandbox_init(&sandbox);
	sandbox_network(&sandbox);
	if (!sandbox_is_active(&sandbox, SANDBOX_NETWORK))
		return UNAVAILABLE;
	/* A new network has a loopback interface that is down. */
	fd = open_socket();
	if (connect(fd, (const struct sockaddr *)&discard, sizeof(discard)) != -1)
		return 1;
	return errno == ENETUNREACH ? 0 : 2;
}

static int
leave_network_as_nobody(void)
{
	if (geteuid() == 0 && setuid(65534) == -1)
		return UNAVAILABLE;
	return leave_network();
}

static void
sandbox_network__leaves_nothing_to_connect_to(void **state BF_UNUSED)
{
	expect_exit(leave_network, 0);
}

static void
sandbox_network__needs_no_root(void **state BF_UNUSED)
{
	expect_exit(leave_network_as_nobody, 0);
}

static int
keep_one_directory(void)
{
	const struct sandbox_path paths[] = {
		{ "/usr", SANDBOX_READ },
		{ "/nowhere/at/all", SANDBOX_READ },
	};
	int open_before = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	struct sandbox sandbox;
	char byte;

	sandbox_init(&sandbox);
	sandbox_files(&sandbox, paths, BF_ARRAY_LEN(paths));
	if (!sandbox_is_active(&sandbox, SANDBOX_FILES))
		return UNAVAILABLE;
	if (open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC) == -1)
		return 1;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) != -1 || errno != EACCES)
		return 2;
	if (open("/usr/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) != -1)
		return 3;
	if (access("/usr/bin/true", X_OK) == 0 &&
	    execl("/usr/bin/true", "true", (char *)NULL) != -1)
		return 4;
	return read(open_before, &byte, 1) == 1 ? 0 : 5;
}

static void
sandbox_files__are_those_of_the_given_paths_and_open_descriptors(void **state BF_UNUSED)
{
	expect_exit(keep_one_directory, 0);
}

static int
deny_some_calls(void)
{
	const struct sandbox_rule rules[] = {
		{ .syscall = "socket", .verdict = SANDBOX_DENY },
		{ .syscall = "personality", .verdict = SANDBOX_MISSING },
		{ .syscall = "no_such_call", .verdict = SANDBOX_DENY },
		{ .syscall = "openat", .verdict = SANDBOX_DENY,
		    .argument = 2, .mask = O_ACCMODE, .value = O_WRONLY },
	};
	struct sandbox sandbox;

	sandbox_init(&sandbox);
	sandbox_syscalls(&sandbox, rules, BF_ARRAY_LEN(rules), SANDBOX_ALLOW);
	if (!sandbox_is_active(&sandbox, SANDBOX_SYSCALLS))
		return UNAVAILABLE;
	if (open_socket() != -1 || errno != EPERM)
		return 1;
	if (open("/dev/null", O_WRONLY | O_CLOEXEC) != -1 || errno != EPERM)
		return 2;
	return open("/dev/null", O_RDONLY | O_CLOEXEC) != -1 ? 0 : 3;
}

static int
die_of_a_call(void)
{
	const struct sandbox_rule rule = { .syscall = "socket", .verdict = SANDBOX_KILL };
	struct sandbox sandbox;

	sandbox_init(&sandbox);
	sandbox_syscalls(&sandbox, &rule, 1, SANDBOX_ALLOW);
	if (!sandbox_is_active(&sandbox, SANDBOX_SYSCALLS))
		return UNAVAILABLE;
	(void)open_socket();
	return 0;
}

static void
sandbox_syscalls__are_denied_by_name_and_by_argument(void **state BF_UNUSED)
{
	expect_exit(deny_some_calls, 0);
}

static void
sandbox_syscalls__can_kill(void **state BF_UNUSED)
{
	int status = in_child(die_of_a_call);

	if (WIFEXITED(status) && WEXITSTATUS(status) == UNAVAILABLE)
		skip();
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static int
lower_limits(void)
{
	struct sandbox sandbox;
	struct rlimit limit;

	sandbox_init(&sandbox);
	sandbox_limit(&sandbox, RLIMIT_NOFILE, 20);
	sandbox_limit(&sandbox, RLIMIT_NOFILE, 30);
	if (!sandbox_is_active(&sandbox, SANDBOX_LIMITS))
		return 1;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 2;
	return limit.rlim_cur == 20 && limit.rlim_max == 20 ? 0 : 3;
}

static void
sandbox_limit__lowers_and_never_raises(void **state BF_UNUSED)
{
	expect_exit(lower_limits, 0);
}

static int
fail_to_limit(void)
{
	struct sandbox sandbox;

	sandbox_init(&sandbox);
	sandbox_limit(&sandbox, -1, 1);
	sandbox_limit(&sandbox, RLIMIT_CORE, 0);
	return sandbox_is_active(&sandbox, SANDBOX_LIMITS) ? 1 : 0;
}

static void
sandbox_limit__that_failed_is_not_hidden_by_another(void **state BF_UNUSED)
{
	expect_exit(fail_to_limit, 0);
}

static void
sandbox_format__names_every_part_and_why(void **state BF_UNUSED)
{
	struct sandbox sandbox = {
		.parts = {
			[SANDBOX_NETWORK] = { .is_active = true },
			[SANDBOX_FILES] = { .why = "Landlock: Function not implemented" },
			[SANDBOX_LIMITS] = { .is_active = true },
		},
	};
	char text[256], little[16];

	sandbox_format(&sandbox, text, sizeof(text));
	assert_string_equal(text, "network active, files not available (Landlock: "
	    "Function not implemented), system calls not asked for, limits active");
	sandbox_format(&sandbox, little, sizeof(little));
	assert_string_equal(little, "network active,");
}

static const struct CMUnitTest sandbox_tests[] = {
	cmocka_unit_test(sandbox_network__leaves_nothing_to_connect_to),
	cmocka_unit_test(sandbox_network__needs_no_root),
	cmocka_unit_test(sandbox_files__are_those_of_the_given_paths_and_open_descriptors),
	cmocka_unit_test(sandbox_syscalls__are_denied_by_name_and_by_argument),
	cmocka_unit_test(sandbox_syscalls__can_kill),
	cmocka_unit_test(sandbox_limit__lowers_and_never_raises),
	cmocka_unit_test(sandbox_limit__that_failed_is_not_hidden_by_another),
	cmocka_unit_test(sandbox_format__names_every_part_and_why),
};

UNIT_MAIN(sandbox_tests)

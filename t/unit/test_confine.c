/*
 * test_confine.c - what processes that gave up the rest can still do, and what not.
 */
#include "t/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "confine/confine.h"
#include "proto/channel.h"

enum { IS_AS_WANTED, IS_NOT };

static void
ignore_msg(struct channel *channel BF_UNUSED, const struct msg *msg BF_UNUSED,
    void *arg BF_UNUSED)
{
}

static void
ignore_close(struct channel *channel BF_UNUSED, const struct err *why BF_UNUSED,
    void *arg BF_UNUSED)
{
}

/* Of the kernel, whatever our code makes of it. */
static bool
has_seccomp(void)
{
	return access("/proc/sys/kernel/seccomp/actions_avail", R_OK) == 0;
}

/* The wait(2) status of a process so confined that runs `check`. */
static int
run_confined(unsigned needs, const char *dir, bool (*check)(const char *dir))
{
	struct channel_options options = {
		.accepts = FROM_SUPERVISOR, .frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = ignore_msg, .on_close = ignore_close,
	};
	int fds[2], status;
	struct err err;
	pid_t pid;

	if (!has_seccomp()) {
		print_message("# skipped: no seccomp here\n");
		skip();
	}
	assert_int_equal(fd_socketpair(fds, &err), 0);
	pid = fork();
	if (pid == 0) {
		struct channel *channel = channel_new(ev_loop_new(0), fds[1], &options);
		struct confine confine;

		confine_init(&confine, needs);
		confine_add(&confine, "/proc/self", SANDBOX_READ);
		if (dir != NULL)
			confine_add(&confine, dir, SANDBOX_READ | SANDBOX_WRITE);
		confine_self(&confine, channel, NULL, NULL);
		_exit(check(dir) ? IS_AS_WANTED : IS_NOT);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return status;
}

static bool
is_denied(int result)
{
	return result == -1 && (errno == EPERM || errno == EACCES);
}

static bool
has_no_sockets(const char *dir BF_UNUSED)
{
	return is_denied(socket(AF_INET, SOCK_STREAM, 0)) &&
	    is_denied(socket(AF_INET6, SOCK_DGRAM, 0)) &&
	    is_denied(socket(AF_UNIX, SOCK_STREAM, 0));
}

static bool
has_unix_sockets_only(const char *dir BF_UNUSED)
{
	return is_denied(socket(AF_INET, SOCK_STREAM, 0)) &&
	    is_denied(socket(AF_INET6, SOCK_STREAM, 0)) &&
	    is_denied(socket(AF_NETLINK, SOCK_RAW, 0)) &&
	    socket(AF_UNIX, SOCK_STREAM, 0) != -1;
}

static bool
connects(const char *dir BF_UNUSED)
{
	struct sockaddr_in nobody = { .sin_family = AF_INET, .sin_port = htons(9),
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd != -1 && connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)) == -1 &&
	    errno == ECONNREFUSED;
}

/* On a socket that it was given, say: the call itself is the end. */
static bool
calls_connect(const char *dir BF_UNUSED)
{
	struct sockaddr_un nobody = { .sun_family = AF_UNIX };

	(void)connect(0, (struct sockaddr *)&nobody, sizeof(nobody));
	return true;
}

static bool
writes_in(const char *dir)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	return fd != -1 && ftruncate(fd, 100) == 0 && unlink(path) == 0;
}

static bool
writes_nowhere_else(const char *dir BF_UNUSED)
{
	return is_denied(open("/tmp/backfilld-test-confine", O_WRONLY | O_CREAT, 0600));
}

static void *
nothing(void *arg)
{
	return arg;
}

static bool
has_threads(const char *dir BF_UNUSED)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) == 0 &&
	    pthread_join(thread, NULL) == 0;
}

static void
the_indexer_has_no_sockets(void **state BF_UNUSED)
{
	assert_int_equal(run_confined(CONFINE_WRITE, NULL, has_no_sockets), 0);
	assert_true(WIFSIGNALED(run_confined(CONFINE_WRITE, NULL, calls_connect)));
}

static void
the_api_connects_to_nobody_but_its_supervisor(void **state BF_UNUSED)
{
	assert_int_equal(run_confined(CONFINE_ACCEPT | CONFINE_UNIX, NULL,
	    has_unix_sockets_only), 0);
}

static void
a_worker_connects_to_servers_and_has_threads_to_find_them(void **state BF_UNUSED)
{
	assert_int_equal(run_confined(CONFINE_CONNECT, NULL, connects), 0);
	assert_int_equal(run_confined(CONFINE_CONNECT, NULL, has_threads), 0);
}

static void
who_may_write_does_so_where_it_may(void **state BF_UNUSED)
{
	char dir[] = "/tmp/backfilld-confine-XXXXXX";

	assert_non_null(mkdtemp(dir));
	assert_int_equal(run_confined(CONFINE_WRITE, dir, writes_in), 0);
	assert_true(WIFEXITED(run_confined(CONFINE_CONNECT, NULL, writes_nowhere_else)));
	assert_int_equal(run_confined(CONFINE_CONNECT, NULL, writes_nowhere_else), 0);
	assert_int_equal(rmdir(dir), 0);
}

static const struct CMUnitTest confine_tests[] = {
	cmocka_unit_test(the_indexer_has_no_sockets),
	cmocka_unit_test(the_api_connects_to_nobody_but_its_supervisor),
	cmocka_unit_test(a_worker_connects_to_servers_and_has_threads_to_find_them),
	cmocka_unit_test(who_may_write_does_so_where_it_may),
};

UNIT_MAIN(confine_tests)

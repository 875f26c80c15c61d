#include "t/unit/worker_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <poll.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "proto/fdlayout.h"
#include "t/unit/unit.h"

/* BUILD/t/unit/test_x -> BUILD/PROGRAM. */
void
rig_program_path(const char *program, char *path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", path, size - 1);

	assert_true(len > 0);
	path[len] = '\0';
	for (int up = 0; up < 3; up++)
		*strrchr(path, '/') = '\0';
	len = (ssize_t)strlen(path);
	(void)snprintf(path + len, size - (size_t)len, "/%s", program);
}

static void
become(const char *path, int control, int records)
{
	const char *name = strrchr(path, '/') + 1;

	/* A test that fails leaves without us. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(fcntl(control, F_DUPFD, 16), FD_CONTROL) == -1 ||
	    dup2(fcntl(records, F_DUPFD, 16), FD_RECORDS) == -1 ||
	    close_range(FD_RECORDS + 1, ~0u, 0) == -1)
		_exit(126);
	execl(path, name, (char *)NULL);
	_exit(127);
}

void
rig_start(struct rig *rig, const char *program)
{
	char path[4096];
	int control[2], records[2];
	struct err err;

	rig_program_path(program, path, sizeof(path));
	assert_int_equal(fd_socketpair(control, &err), 0);
	assert_int_equal(fd_socketpair(records, &err), 0);
	rig->pid = fork();
	assert_true(rig->pid >= 0);
	if (rig->pid == 0)
		become(path, control[1], records[1]);
	fd_close(&control[1]);
	fd_close(&records[1]);
	client_init(&rig->control, control[0], FROM_WORKER, LIMIT_FRAME_CONTROL_BYTES);
	client_init(&rig->records, records[0], FROM_RECORD_WRITER,
	    LIMIT_FRAME_RECORD_BYTES);
	rig->spill_fd = memfd_create("spill", MFD_CLOEXEC);
	assert_true(rig->spill_fd >= 0);
}

void
rig_say(struct client *client, const struct msg *msg)
{
	struct err err;

	assert_int_equal(client_send(client, msg, &err), 0);
}

void
rig_set(struct rig *rig, const char *name, const char *value)
{
	rig_say(&rig->control, &(struct msg){ .type = MSG_TYPE_SETTING,
	    .setting = { .name = str_from(name), .value = str_from(value) } });
}

static void
say_with_fd(struct client *client, const struct msg *msg, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct buf frame = BUF_INIT;
	struct iovec part;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control.space, .msg_controllen = sizeof(control.space) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(int));
	msg_pack(&frame, msg);
	part = (struct iovec){ buf_data(&frame), buf_len(&frame) };
	assert_int_equal(sendmsg(client->fd, &message, MSG_NOSIGNAL), buf_len(&frame));
	buf_clear(&frame);
}

void
rig_assign(struct rig *rig, const struct msg_assign *assign)
{
	struct msg hello = rig_expect(&rig->control, MSG_TYPE_HELLO);
	struct msg msg = { .type = MSG_TYPE_ASSIGN, .assign = *assign };

	assert_int_equal(hello.hello.version, PROTO_VERSION);
	assert_int_equal(hello.hello.pid, rig->pid);
	rig_say(&rig->control, &(struct msg){ .type = MSG_TYPE_HELLO,
	    .hello = { .version = PROTO_VERSION, .program = STR("backfilld"),
		.pid = (uint64_t)getpid() } });
	if (rig->spill_fd >= 0)
		say_with_fd(&rig->control, &msg, rig->spill_fd);
	else
		rig_say(&rig->control, &msg);
}

struct msg
rig_hear(struct client *client)
{
	struct msg msg;
	struct err err;

	if (client_receive(client, RIG_WAIT_MS, &msg, &err) == -1)
		fail_msg("nothing came: %s", err.text);
	return msg;
}

struct msg
rig_next(struct client *client)
{
	struct msg msg;

	/* What becomes of its confinement is the kernel's affair. */
	do {
		msg = rig_hear(client);
	} while (msg.type == MSG_TYPE_CONFINED || msg.type == MSG_TYPE_PONG);
	return msg;
}

struct msg
rig_expect(struct client *client, enum msg_type type)
{
	for (;;) {
		struct msg msg = rig_next(client);

		if (msg.type == type)
			return msg;
		if (msg.type == MSG_TYPE_FAIL)
			fail_msg("failed instead of %s: %.*s: %.*s", msg_name(type),
			    STR_FMT(msg.fail.class), STR_FMT(msg.fail.text));
		if (msg.type == MSG_TYPE_DONE)
			fail_msg("done instead of %s", msg_name(type));
	}
}

int
rig_wait(struct rig *rig)
{
	int pidfd = (int)syscall(SYS_pidfd_open, rig->pid, 0);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	int status;

	assert_true(pidfd >= 0);
	assert_int_equal(poll(&ended, 1, RIG_WAIT_MS), 1);
	(void)close(pidfd);
	assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
	rig->pid = 0;
	return status;
}

void
rig_end(struct rig *rig)
{
	if (rig->pid > 0) {
		(void)kill(rig->pid, SIGKILL);
		(void)waitpid(rig->pid, NULL, 0);
	}
	client_clear(&rig->control);
	client_clear(&rig->records);
	fd_close(&rig->spill_fd);
}

#include "t/unit/indexer_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/mem.h"
#include "proto/fdlayout.h"

#define DEADLINE_MS	20000

static void
say_hello(struct client *client)
{
	peer_say(client, (struct msg){ .type = MSG_TYPE_HELLO,
	    .hello = { .version = PROTO_VERSION, .program = STR("test"), .pid = 1 } });
}

static void
say_state_dir(struct daemon *daemon)
{
	peer_say(&daemon->control, (struct msg){ .type = MSG_TYPE_SETTING, .setting = {
		.name = STR("state_dir"), .value = str_from(daemon->state_dir),
	} });
}

/* Between fork and exec: only the control channel goes along. */
static void
become_indexer(const struct daemon *daemon, int control_fd)
{
	const char *dir = getenv("BF_BUILDDIR");
	char *path;

	if (asprintf(&path, "%s/backfill-indexer", dir != NULL ? dir : ".") == -1)
		_exit(126);
	if (daemon->file_limit_bytes > 0 && setrlimit(RLIMIT_FSIZE, &(struct rlimit){
	    daemon->file_limit_bytes, RLIM_INFINITY }) == -1)
		_exit(126);
	if (dup2(control_fd, FD_CONTROL) == -1 || close_range(FD_CONTROL + 1, ~0u, 0) == -1)
		_exit(126);
	(void)execl(path, path, (char *)NULL);
	_exit(127);
}

void
daemon_start(struct daemon *daemon)
{
	daemon_spawn(daemon);
	daemon_hear_ready(daemon);
}

void
daemon_hear_ready(struct daemon *daemon)
{
	(void)peer_hear(&daemon->control, MSG_TYPE_HELLO);
}

void
daemon_spawn(struct daemon *daemon)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	daemon->pid = fork();
	assert_true(daemon->pid >= 0);
	if (daemon->pid == 0)
		become_indexer(daemon, fds[1]);
	(void)close(fds[1]);
	client_init(&daemon->control, fds[0], FROM_ANY, LIMIT_FRAME_CONTROL_BYTES);
	say_hello(&daemon->control);
	say_state_dir(daemon);
}

int
daemon_wait(struct daemon *daemon)
{
	int64_t deadline = clock_mono_ms() + DEADLINE_MS;
	int status;

	for (;;) {
		pid_t pid = waitpid(daemon->pid, &status, WNOHANG);

		if (pid == daemon->pid)
			break;
		assert_int_equal(pid, 0);
		assert_true(clock_mono_ms() < deadline);
		(void)poll(NULL, 0, 2);
	}
	daemon->pid = 0;
	client_clear(&daemon->control);
	return status;
}

void
daemon_kill(struct daemon *daemon)
{
	assert_int_equal(kill(daemon->pid, SIGKILL), 0);
	(void)daemon_wait(daemon);
}

int
daemon_stop(struct daemon *daemon)
{
	(void)shutdown(daemon->control.fd, SHUT_RDWR);
	return daemon_wait(daemon);
}

int
daemon_setup(void **state)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));

	(void)signal(SIGPIPE, SIG_IGN);
	daemon->state_dir = tempdir_new();
	daemon_start(daemon);
	*state = daemon;
	return 0;
}

int
daemon_teardown(void **state)
{
	struct daemon *daemon = *state;

	if (daemon->pid != 0)
		assert_int_equal(daemon_stop(daemon), 0);
	tempdir_free(&daemon->state_dir);
	free(daemon);
	return 0;
}

static void
send_with_fd(int to, const struct buf *frame, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	struct iovec part = { buf_data(frame), buf_len(frame) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	assert_int_equal(sendmsg(to, &message, MSG_NOSIGNAL), buf_len(frame));
}

static void
attach(struct daemon *daemon, struct client *peer, const char *op_id, bool may_write)
{
	struct msg msg = { .type = MSG_TYPE_ATTACH, .attach = { .id = str_from(op_id),
	    .may_write = may_write } };
	struct buf frame = BUF_INIT;
	uint8_t tables[LIMIT_ROW_TABLES];
	int fds[2];

	for (unsigned i = 0; i < LIMIT_ROW_TABLES; i++)
		tables[i] = (uint8_t)(i + 1 == ROWS_OF_OTHERS ? 0 : i + 1);
	if (may_write)
		msg.attach.tables = (struct bytes){ tables, sizeof(tables) };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	msg_pack(&frame, &msg);
	send_with_fd(daemon->control.fd, &frame, fds[1]);
	buf_clear(&frame);
	(void)close(fds[1]);
	client_init(peer, fds[0], FROM_INDEXER, LIMIT_FRAME_RECORD_BYTES);
	(void)peer_hear(peer, MSG_TYPE_HELLO);
}

void
peer_attach_silent(struct daemon *daemon, struct client *peer, bool may_write)
{
	attach(daemon, peer, "", may_write);
}

void
peer_attach(struct daemon *daemon, struct client *peer, const char *op_id,
    bool may_write)
{
	attach(daemon, peer, op_id, may_write);
	say_hello(peer);
}

void
peer_say(struct client *peer, struct msg msg)
{
	struct err err = { 0 };

	if (client_send(peer, &msg, &err) == -1)
		assert_int_equal(err.code, ERR_UNAVAILABLE);
}

struct msg
peer_hear(struct client *peer, enum msg_type type)
{
	struct msg msg = { 0 };
	struct err err = { 0 };

	if (client_receive(peer, DEADLINE_MS, &msg, &err) == -1)
		fail_msg("waiting for %s: %s", msg_name(type), err.text);
	if (msg.type != type)
		fail_msg("%s came, not %s", msg_name(msg.type), msg_name(type));
	return msg;
}

void
assert_closed(struct client *peer)
{
	struct msg msg;
	struct err err;

	while (client_receive(peer, DEADLINE_MS, &msg, &err) == 0)
		continue;
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	client_clear(peer);
}

struct bytes
cid_of(uint32_t version, uint8_t cid[36])
{
	memset(cid, 0x71, 36);
	memcpy(cid + 4, &version, sizeof(version));
	return (struct bytes){ cid, 36 };
}

uint32_t
version_of(struct bytes cid)
{
	uint32_t version;

	assert_int_equal(cid.len, 36);
	memcpy(&version, cid.ptr + 4, sizeof(version));
	return version;
}

bool
is_record_of(struct bytes record, uint32_t version)
{
	for (size_t i = 0; i < record.len; i++)
		if (record.ptr[i] != (uint8_t)(version * 31 + i % 7))
			return false;
	return true;
}

void
say_put(struct client *peer, uint64_t lane, const char *path, uint32_t version,
    size_t record_bytes)
{
	uint8_t *record = xmalloc(record_bytes + 1);
	uint8_t cid[36];

	for (size_t i = 0; i < record_bytes; i++)
		record[i] = (uint8_t)(version * 31 + i % 7);
	peer_say(peer, (struct msg){ .type = MSG_TYPE_PUT, .put = {
		.lane = lane,
		.path = str_from(path),
		.cid = cid_of(version, cid),
		.record = { record, record_bytes },
	} });
	free(record);
}

void
say_begin(struct client *peer, uint64_t lane, const char *did)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_BEGIN,
	    .begin = { .lane = lane, .did = str_from(did) } });
}

void
say_scan(struct client *peer, uint64_t lane)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_SCAN, .scan = { .lane = lane } });
}

void
say_delete(struct client *peer, uint64_t lane, const char *path)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_DELETE,
	    .delete = { .lane = lane, .path = str_from(path) } });
}

void
say_commit(struct client *peer, uint64_t lane, const char *rev)
{
	uint8_t cid[36];

	peer_say(peer, (struct msg){ .type = MSG_TYPE_COMMIT, .commit = {
		.lane = lane,
		.pds_url = STR("https://pds.example"),
		.rev = str_from(rev),
		.commit_cid = cid_of(1, cid),
		.data_cid = cid_of(1, cid),
		.status = STR("active"),
	} });
}

void
open_lane(struct client *peer, uint64_t lane, const char *did)
{
	struct msg msg;

	say_begin(peer, lane, did);
	msg = peer_hear(peer, MSG_TYPE_STATE);
	assert_false(msg.state.is_busy);
}

struct bytes
bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

void
say_row_put(struct client *peer, uint64_t lane, const char *key, const char *value)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_PUT, .row_put = {
		.lane = lane, .table = ROWS_TABLE, .key = bytes_of(key), .value = bytes_of(value) } });
}

void
say_row_delete(struct client *peer, uint64_t lane, const char *key)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_DELETE, .row_delete = {
		.lane = lane, .table = ROWS_TABLE, .key = bytes_of(key) } });
}

void
say_row_clear(struct client *peer, uint64_t lane, unsigned table, const char *prefix)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_CLEAR, .row_clear = {
		.lane = lane, .table = table, .prefix = bytes_of(prefix) } });
}

void
say_checked(struct client *peer, uint64_t lane, const char *did, uint64_t at_ms)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_CHECKED, .checked = {
		.lane = lane, .did = str_from(did), .at_ms = at_ms } });
}

void
say_row_commit(struct client *peer, uint64_t lane, bool is_counted)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_COMMIT, .row_commit = {
		.lane = lane, .is_counted = is_counted } });
}

void
assert_acked(struct client *peer, uint64_t lane, uint64_t created, uint64_t updated,
    uint64_t deleted)
{
	struct msg msg = peer_hear(peer, MSG_TYPE_ACK);

	assert_int_equal(msg.ack.lane, lane);
	assert_int_equal(msg.ack.created, created);
	assert_int_equal(msg.ack.updated, updated);
	assert_int_equal(msg.ack.deleted, deleted);
}

void
say_repo(struct client *worker, const char *did, unsigned records)
{
	open_lane(worker, 1, did);
	for (unsigned i = 0; i < records; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "a/%u", i);
		say_put(worker, 1, path, 1, 3);
	}
	say_commit(worker, 1, "rev");
	(void)peer_hear(worker, MSG_TYPE_ACK);
}

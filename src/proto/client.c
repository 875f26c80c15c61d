#include "proto/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "proto/fdlayout.h"
#include "proto/frame.h"

#define READ_BYTES		(16 * 1024)
#define HELLO_TIMEOUT_MS	10000

void
client_init(struct client *client, int fd, unsigned accepts, size_t frame_max_bytes)
{
	*client = (struct client){
		.fd = fd, .received_fd = -1, .accepts = accepts,
		.frame_max_bytes = frame_max_bytes, .in = BUF_INIT,
	};
}

void
client_clear(struct client *client)
{
	fd_close(&client->fd);
	fd_close(&client->received_fd);
	buf_clear(&client->in);
}

/* Wait until the socket is ready; deadline_ms < 0 waits for ever. */
static int
wait_for(int fd, short events, int64_t deadline_ms, struct err *err)
{
	for (;;) {
		struct pollfd ready = { .fd = fd, .events = events };
		int64_t left = -1;
		int rc;

		if (deadline_ms >= 0) {
			left = deadline_ms - clock_mono_ms();
			if (left <= 0)
				return err_set(err, ERR_TIMEOUT, "the daemon does not answer");
		}
		rc = poll(&ready, 1, (int)left);
		if (rc > 0)
			return 0;
		if (rc == -1 && errno != EINTR)
			return err_errno(err, "poll");
	}
}

int
client_send(struct client *client, const struct msg *msg, struct err *err)
{
	struct buf out = BUF_INIT;
	int rc = 0;

	msg_pack(&out, msg);
	while (rc == 0 && buf_len(&out) > 0) {
		ssize_t n = send(client->fd, buf_data(&out), buf_len(&out), MSG_NOSIGNAL);

		if (n > 0)
			buf_consume(&out, (size_t)n);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			rc = wait_for(client->fd, POLLOUT, -1, err);
		else if (errno != EINTR)
			rc = err_set(err, ERR_UNAVAILABLE, "the daemon closed the "
			    "connection: %s", strerror(errno));
	}
	buf_clear(&out);
	return rc;
}

static int
receive_some(struct client *client, int64_t deadline_ms, struct err *err)
{
	int fds[LIMIT_CHANNEL_FDS];
	size_t fds_count;
	ssize_t n;

	if (wait_for(client->fd, POLLIN, deadline_ms, err) == -1)
		return -1;
	n = frame_recv(client->fd, buf_reserve(&client->in, READ_BYTES), READ_BYTES, fds,
	    &fds_count);
	for (size_t i = 0; i < fds_count; i++) {
		if (client->received_fd == -1)
			client->received_fd = fds[i];
		else
			fd_close(&fds[i]);
	}
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	if (n <= 0)
		return err_set(err, ERR_UNAVAILABLE, "the daemon closed the connection");
	buf_added(&client->in, (size_t)n);
	return 0;
}

int
client_receive(struct client *client, int timeout_ms, struct msg *msg_out,
    struct err *err)
{
	int64_t deadline_ms = timeout_ms < 0 ? -1 : clock_mono_ms() + timeout_ms;
	struct bytes payload;
	int rc;

	buf_consume(&client->in, client->last_frame_bytes);
	client->last_frame_bytes = 0;
	for (;;) {
		rc = frame_next(buf_bytes(&client->in), client->frame_max_bytes,
		    &payload, err);
		if (rc == -1)
			return -1;
		if (rc == 1)
			break;
		if (receive_some(client, deadline_ms, err) == -1)
			return -1;
	}
	if (msg_unpack(payload, client->accepts, msg_out, err) == -1)
		return -1;
	client->last_frame_bytes = FRAME_HEAD_BYTES + payload.len;
	return 0;
}

int
client_take_fd(struct client *client)
{
	int fd = client->received_fd;

	client->received_fd = -1;
	return fd;
}

int
client_connect(struct client *client, const char *socket_path, const char *program,
    struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_HELLO };
	int fd;

	if (fd_unix_connect(socket_path, &fd, err) == -1)
		return -1;
	client_init(client, fd, FROM_SUPERVISOR, LIMIT_FRAME_CONTROL_BYTES);
	msg.hello = (struct msg_hello){
		.version = PROTO_VERSION, .program = str_from(program),
		.pid = (uint64_t)getpid(),
	};
	if (client_send(client, &msg, err) == -1 ||
	    client_receive(client, HELLO_TIMEOUT_MS, &msg, err) == -1)
		goto fail;
	if (msg.type == MSG_TYPE_ERROR) {
		(void)err_set(err, ERR_UNAVAILABLE, "%.*s", STR_FMT(msg.error.text));
		goto fail;
	}
	if (msg.type != MSG_TYPE_HELLO || msg.hello.version != PROTO_VERSION) {
		(void)err_set(err, ERR_VERSION, "the daemon speaks another version of "
		    "the protocol: restart it after an upgrade");
		goto fail;
	}
	return 0;
fail:
	client_clear(client);
	return -1;
}

#include "proto/channel.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/mem.h"
#include "proto/channel_impl.h"
#include "proto/frame.h"

#define READ_BYTES	(64 * 1024)
#define KEEP_BYTES	(4 * 1024)	/* of an empty buffer: most peers are idle */

static void
free_now(struct channel *ch)
{
	buf_clear(&ch->in);
	buf_clear(&ch->out);
	free(ch);
}

static void
close_out_fds(struct channel *ch)
{
	for (size_t i = 0; i < ch->out_fds_count; i++)
		fd_close(&ch->out_fds[i].fd);
	ch->out_fds_count = 0;
}

static void
close_fds(struct channel *ch)
{
	close_out_fds(ch);
	for (size_t i = 0; i < ch->in_fds_count; i++)
		fd_close(&ch->in_fds[i]);
	ch->in_fds_count = 0;
}

/* Stop everything; the close is reported from a fresh turn of the loop, so that
 * no caller of ours finds its channel gone half-way through a function. */
static void
shut(struct channel *ch, const struct err *why)
{
	if (ch->fd == -1)
		return;
	if (why != NULL) {
		ch->why = *why;
		ch->has_why = true;
	}
	ev_io_stop(ch->loop, &ch->readable);
	ev_io_stop(ch->loop, &ch->writable);
	ev_timer_stop(ch->loop, &ch->more);
	ev_timer_stop(ch->loop, &ch->late);
	close_fds(ch);
	fd_close(&ch->fd);
	ev_timer_start(ch->loop, &ch->closed);
}

static void
on_closed(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct channel *ch = watcher->data;

	ch->in_handler = true;
	ch->options.on_close(ch, ch->has_why ? &ch->why : NULL, ch->options.arg);
	ch->in_handler = false;
	if (ch->is_freed)
		free_now(ch);
}

/* --- output --- */

/* How much may go in one call: a descriptor has to leave with its own byte at
 * the start of a call, so a call ends before the next such place. */
static size_t
sendable(const struct channel *ch, bool *with_fd_out)
{
	size_t len = buf_len(&ch->out);
	size_t next = 0;

	*with_fd_out = ch->out_fds_count > 0 && ch->out_fds[0].at == ch->sent;
	if (*with_fd_out)
		next = 1;
	if (next < ch->out_fds_count && ch->out_fds[next].at - ch->sent < len)
		len = (size_t)(ch->out_fds[next].at - ch->sent);
	return len;
}

static ssize_t
send_some(struct channel *ch)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = { 0 };
	struct iovec part;
	bool with_fd;
	ssize_t n;

	part.iov_len = sendable(ch, &with_fd);
	part.iov_base = buf_data(&ch->out);
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	if (with_fd) {
		struct cmsghdr *head;

		memset(&control, 0, sizeof(control));
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &ch->out_fds[0].fd, sizeof(int));
	}
	n = sendmsg(ch->fd, &message, MSG_NOSIGNAL);
	if (n > 0 && with_fd) {
		fd_close(&ch->out_fds[0].fd);
		ch->out_fds_count--;
		memmove(&ch->out_fds[0], &ch->out_fds[1],
		    ch->out_fds_count * sizeof(ch->out_fds[0]));
	}
	if (n > 0) {
		ch->sent += (uint64_t)n;
		buf_consume(&ch->out, (size_t)n);
	}
	return n;
}

/* -1 if the peer is gone. */
static int
write_queue(struct channel *ch)
{
	while (buf_len(&ch->out) > 0) {
		ssize_t n = send_some(ch);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n == -1)
			return -1;
	}
	buf_shrink(&ch->out, KEEP_BYTES);
	return 0;
}

/* The peer takes nothing more.  What it said before may still wait to be read,
 * so only reading its end of file closes the channel. */
static void
stop_sending(struct channel *ch)
{
	ch->is_deaf = true;
	buf_clear(&ch->out);
	close_out_fds(ch);
}

static void
on_writable(struct ev_loop *loop, struct ev_io *watcher, int revents BF_UNUSED)
{
	struct channel *ch = watcher->data;

	if (write_queue(ch) == -1)
		stop_sending(ch);
	if (buf_len(&ch->out) == 0)
		ev_io_stop(loop, watcher);
	if (ch->was_clogged && !channel_is_clogged(ch)) {
		ch->was_clogged = false;
		if (ch->options.on_drain != NULL)
			ch->options.on_drain(ch, ch->options.arg);
	}
}

static void
queue_changed(struct channel *ch)
{
	struct err err;

	if (buf_len(&ch->out) > ch->options.queue_max_bytes) {
		(void)err_set(&err, ERR_LIMIT, "the peer does not read: more than %zu "
		    "bytes are waiting for it", ch->options.queue_max_bytes);
		shut(ch, &err);
		return;
	}
	if (channel_is_clogged(ch))
		ch->was_clogged = true;
	ev_io_start(ch->loop, &ch->writable);
}

void
channel_send(struct channel *ch, const struct msg *msg)
{
	if (ch->fd == -1 || ch->is_deaf)
		return;
	msg_pack(&ch->out, msg);
	queue_changed(ch);
}

void
channel_send_fd(struct channel *ch, const struct msg *msg, int fd)
{
	struct err err;

	/* Many at once is no fault of the peer's: offer it what waits first. */
	if (ch->fd != -1 && ch->out_fds_count == LIMIT_CHANNEL_FDS &&
	    write_queue(ch) == -1)
		stop_sending(ch);
	if (ch->fd == -1 || ch->is_deaf || ch->out_fds_count == LIMIT_CHANNEL_FDS) {
		fd_close(&fd);
		if (ch->fd != -1 && !ch->is_deaf) {
			(void)err_set(&err, ERR_LIMIT, "the peer does not read: %d "
			    "descriptors are waiting for it", LIMIT_CHANNEL_FDS);
			shut(ch, &err);
		}
		return;
	}
	ch->out_fds[ch->out_fds_count++] = (struct pending_fd){
		.fd = fd, .at = ch->sent + buf_len(&ch->out),
	};
	msg_pack(&ch->out, msg);
	queue_changed(ch);
}

int
channel_flush(struct channel *ch, int timeout_ms)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;

	while (ch->fd != -1 && buf_len(&ch->out) > 0) {
		struct pollfd ready = { .fd = ch->fd, .events = POLLOUT };
		int64_t left = deadline - clock_mono_ms();

		if (left <= 0 || poll(&ready, 1, (int)left) <= 0 ||
		    write_queue(ch) == -1)
			return -1;
	}
	return ch->fd != -1 ? 0 : -1;
}

/* --- input --- */

/* Read once into `in`, keeping descriptors that came along.  0: nothing now or
 * something read; -1: end or error. */
static int
read_some(struct channel *ch)
{
	int fds[LIMIT_CHANNEL_FDS];
	size_t fds_count = 0;
	ssize_t n = frame_recv(ch->fd, buf_reserve(&ch->in, READ_BYTES), READ_BYTES,
	    ch->options.accepts_fds ? fds : NULL, &fds_count);

	if (n == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
	for (size_t i = 0; i < fds_count; i++) {
		if (ch->in_fds_count < LIMIT_CHANNEL_FDS)
			ch->in_fds[ch->in_fds_count++] = fds[i];
		else
			fd_close(&fds[i]);
	}
	if (n == 0)
		return -1;
	buf_added(&ch->in, (size_t)n);
	return 0;
}

/* The rest of a frame that has begun is expected in time. */
static void
expect_rest(struct channel *ch)
{
	if (ch->options.frame_max_ms == 0 || buf_len(&ch->in) == 0 ||
	    ev_is_active(&ch->late))
		return;
	ev_timer_set(&ch->late, ch->options.frame_max_ms / 1000., 0.);
	ev_timer_start(ch->loop, &ch->late);
}

/* Hand out one whole frame.  1: done, go on; 0: no whole frame, or stopped. */
static int
handle_frame(struct channel *ch)
{
	struct bytes payload;
	struct msg msg;
	struct err err;
	int rc;

	rc = frame_next(buf_bytes(&ch->in), ch->options.frame_max_bytes, &payload, &err);
	if (rc == 0) {
		buf_shrink(&ch->in, KEEP_BYTES);
		expect_rest(ch);
		return 0;
	}
	ev_timer_stop(ch->loop, &ch->late);
	if (rc == -1 || msg_unpack(payload, ch->options.accepts, &msg, &err) == -1) {
		shut(ch, &err);
		return 0;
	}
	ch->in_handler = true;
	ch->options.on_msg(ch, &msg, ch->options.arg);
	ch->in_handler = false;
	if (ch->is_freed) {
		free_now(ch);
		return 0;
	}
	if (ch->fd == -1)
		return 0;
	buf_consume(&ch->in, FRAME_HEAD_BYTES + payload.len);
	return ch->is_paused ? 0 : 1;
}

/* A bounded number of frames; the rest waits for the next turn. */
static void
handle_frames(struct channel *ch)
{
	for (int i = 0; i < LIMIT_CHANNEL_FRAMES_PER_TURN; i++)
		if (handle_frame(ch) == 0)
			return;
	ev_io_stop(ch->loop, &ch->readable);
	ev_timer_set(&ch->more, 0., 0.);
	ev_timer_start(ch->loop, &ch->more);
}

static void
on_late(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct channel *ch = watcher->data;
	struct bytes payload;
	struct err err;

	/* If it is we who are late, the rest is here. */
	if (read_some(ch) == -1) {
		shut(ch, NULL);
	} else if (frame_next(buf_bytes(&ch->in), ch->options.frame_max_bytes, &payload,
	    &err) != 0) {
		handle_frames(ch);
	} else {
		(void)err_set(&err, ERR_TIMEOUT, "a frame has begun and not ended in %u ms",
		    ch->options.frame_max_ms);
		shut(ch, &err);
	}
}

static void
on_more(struct ev_loop *loop, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct channel *ch = watcher->data;

	if (ch->is_paused)
		return;
	ev_io_start(loop, &ch->readable);
	handle_frames(ch);
}

static void
on_readable(struct ev_loop *loop BF_UNUSED, struct ev_io *watcher,
    int revents BF_UNUSED)
{
	struct channel *ch = watcher->data;

	if (read_some(ch) == -1) {
		shut(ch, NULL);
		return;
	}
	handle_frames(ch);
}

void
channel_drain_input(struct channel *ch)
{
	size_t budget = LIMIT_CHANNEL_LAST_WORDS_BYTES;

	while (ch->fd != -1) {
		size_t before = buf_len(&ch->in);
		bool is_end = read_some(ch) == -1;
		size_t got = buf_len(&ch->in) - before;

		while (handle_frame(ch) != 0)
			continue;
		if (is_end || got == 0 || got >= budget)
			return;
		budget -= got;
	}
}

const struct err *
channel_broken(const struct channel *ch)
{
	return ch->has_why ? &ch->why : NULL;
}

int
channel_take_fd(struct channel *ch)
{
	int fd;

	if (ch->in_fds_count == 0)
		return -1;
	fd = ch->in_fds[0];
	ch->in_fds_count--;
	memmove(&ch->in_fds[0], &ch->in_fds[1], ch->in_fds_count * sizeof(int));
	return fd;
}

/* --- life --- */

struct channel *
channel_new(struct ev_loop *loop, int fd, const struct channel_options *options)
{
	struct channel *ch = xcalloc(1, sizeof(*ch));

	ch->loop = loop;
	ch->options = *options;
	ch->fd = fd;
	ch->in = ch->out = BUF_INIT;
	if (fd_set_nonblock(fd, true) == -1)
		abort();	/* not a descriptor: a bug of the caller */
	ev_io_init(&ch->readable, on_readable, fd, EV_READ);
	ev_io_init(&ch->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&ch->closed, on_closed, 0., 0.);
	ev_timer_init(&ch->more, on_more, 0., 0.);
	ev_timer_init(&ch->late, on_late, 0., 0.);
	ch->readable.data = ch->writable.data = ch->closed.data = ch->more.data = ch;
	ch->late.data = ch;
	ev_io_start(loop, &ch->readable);
	return ch;
}

void
channel_free(struct channel **channel)
{
	struct channel *ch = *channel;

	if (ch == NULL)
		return;
	*channel = NULL;
	shut(ch, NULL);
	ev_timer_stop(ch->loop, &ch->closed);
	ch->is_freed = true;
	if (!ch->in_handler)
		free_now(ch);
}

size_t
channel_queued_bytes(const struct channel *ch)
{
	return buf_len(&ch->out);
}

bool
channel_is_clogged(const struct channel *ch)
{
	return buf_len(&ch->out) > ch->options.queue_max_bytes / 2;
}

bool
channel_is_open(const struct channel *ch)
{
	return ch->fd != -1;
}

void
channel_pause(struct channel *ch)
{
	ch->is_paused = true;
	ev_io_stop(ch->loop, &ch->readable);
	ev_timer_stop(ch->loop, &ch->more);
	ev_timer_stop(ch->loop, &ch->late);
}

void
channel_resume(struct channel *ch)
{
	if (!ch->is_paused || ch->fd == -1)
		return;
	ch->is_paused = false;
	/* Frames that are already here come first, from a turn of their own. */
	ev_timer_set(&ch->more, 0., 0.);
	ev_timer_start(ch->loop, &ch->more);
}

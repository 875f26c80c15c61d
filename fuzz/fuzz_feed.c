#include "fuzz/fuzz_feed.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/limits.h"

#define PIECE_MOST	3000
#define TRIES		200	/* of a piece that the other side has no room for */

uint32_t
feed_random(struct feed *feed)
{
	feed->random = feed->random * 1664525 + 1013904223;
	return feed->random >> 8;
}

static void
add_framed(struct buf *stream, struct bytes rest)
{
	while (rest.len >= 2) {
		size_t len = (size_t)rest.ptr[0] << 8 | rest.ptr[1];
		uint8_t head[4] = { 0, 0, 0, 0 };

		rest.ptr += 2;
		rest.len -= 2;
		if (len > rest.len)
			len = rest.len;
		head[2] = (uint8_t)(len >> 8);
		head[3] = (uint8_t)len;
		buf_add(stream, head, sizeof(head));
		buf_add(stream, rest.ptr, len);
		rest.ptr += len;
		rest.len -= len;
	}
}

int
feed_init(struct feed *feed, struct bytes input)
{
	struct bytes rest;

	if (input.len < FEED_HEAD_BYTES)
		return -1;
	*feed = (struct feed){ .kind = input.ptr[0], .flags = input.ptr[1],
	    .random = (uint32_t)input.ptr[2] << 8 | input.ptr[3] };
	rest = (struct bytes){ input.ptr + FEED_HEAD_BYTES, input.len - FEED_HEAD_BYTES };
	if (feed->flags & FEED_FRAMED)
		add_framed(&feed->stream, rest);
	else
		buf_add(&feed->stream, rest.ptr, rest.len);
	return 0;
}

void
feed_clear(struct feed *feed)
{
	buf_clear(&feed->stream);
}

static ssize_t
send_piece(int fd, struct bytes piece, unsigned fds_count)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(2 * LIMIT_CHANNEL_FDS * sizeof(int))];
	} control = { .space = { 0 } };
	struct iovec part = { (void *)(uintptr_t)piece.ptr, piece.len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fds_count > 0) {
		int *fds = (int *)(void *)CMSG_DATA(&control.head);

		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(fds_count * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(fds_count * sizeof(int));
		for (unsigned i = 0; i < fds_count; i++)
			fds[i] = STDIN_FILENO;
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static size_t
next_size(struct feed *feed, size_t left)
{
	uint32_t kind = feed_random(feed) % 4;
	size_t most = kind == 0 ? 1 : kind == 1 ? 8 : kind == 2 ? 200 : PIECE_MOST;
	size_t size = 1 + feed_random(feed) % most;

	return size < left ? size : left;
}

void
feed_send(struct feed *feed, int fd, struct ev_loop *loop, bool (*is_over)(void *arg),
    void (*turned)(void *arg), void *arg)
{
	struct bytes rest = buf_bytes(&feed->stream);
	int tries = 0;

	while (rest.len > 0 && !is_over(arg) && tries < TRIES) {
		struct bytes piece = { rest.ptr, next_size(feed, rest.len) };
		unsigned fds = feed->flags & FEED_WITH_FDS && feed_random(feed) % 8 == 0 ?
		    1 + feed_random(feed) % (2 * LIMIT_CHANNEL_FDS) : 0;
		ssize_t n = send_piece(fd, piece, fds);

		if (n == -1 && errno != EAGAIN)
			return;
		tries = n == -1 ? tries + 1 : 0;
		if (n > 0) {
			rest.ptr += n;
			rest.len -= (size_t)n;
		}
		if (n == -1 || feed_random(feed) % 2 == 0) {
			ev_run(loop, EVRUN_NOWAIT);
			turned(arg);
		}
	}
}

int
feed_open_fds(void)
{
	DIR *fds = opendir("/proc/self/fd");
	int count = 0;

	if (fds == NULL)
		abort();
	while (readdir(fds) != NULL)
		count++;
	(void)closedir(fds);
	return count;
}

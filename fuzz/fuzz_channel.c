/*
 * fuzz_channel.c - a real channel on a real loop, fed with what a hostile peer sends.
 *
 * What it hands out has to be what the bytes say, read by a parser that knows nothing of
 * sockets: each message up to the first frame that is none, and nothing behind it.  Then
 * it closes, once, and says why; nothing leaks.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/fuzz_feed.h"
#include "proto/channel.h"
#include "proto/frame.h"

#define FLAG_PAUSES	4	/* the owner pauses it now and then */
#define FLAG_FREES	8	/* ... or has enough */
#define FLAG_ECHOES	16	/* ... or answers, with a descriptor */
#define FLAG_DRAINS	32	/* its last words are read in one go, as of the dead */
#define TURNS_MOST	100000

/* Who reads what from whom. */
static const struct {
	unsigned accepts;
	size_t frame_max_bytes;
	bool accepts_fds;
} kinds[] = {
	{ FROM_WORKER, LIMIT_FRAME_CONTROL_BYTES, false },	/* supervisor */
	{ FROM_CLIENT, LIMIT_FRAME_CONTROL_BYTES, false },
	{ FROM_INDEXER, LIMIT_FRAME_CONTROL_BYTES, false },
	{ FROM_SUPERVISOR, LIMIT_FRAME_CONTROL_BYTES, true },	/* indexer, worker, API */
	{ FROM_RECORD_WRITER, LIMIT_FRAME_RECORD_BYTES, false },	/* indexer */
	{ FROM_RECORD_READER, LIMIT_FRAME_RECORD_BYTES, false },
	{ FROM_RESOLVER, LIMIT_FRAME_CONTROL_BYTES, true },
	{ FROM_ANY, 300, true },
};

struct target {
	struct feed feed;
	struct ev_loop *loop;
	struct channel *channel;	/* NULL: freed */
	struct buf expected;	/* all messages that are to come, packed */
	size_t heard;		/* of its bytes */
	bool ends_badly;	/* behind those comes a frame that is none */
	bool is_closed, was_broken;
};

static void
expect(struct target *target, unsigned accepts, size_t frame_max_bytes)
{
	struct bytes rest = buf_bytes(&target->feed.stream);
	struct bytes payload;
	struct msg msg;
	struct err err;
	int rc;

	while ((rc = frame_next(rest, frame_max_bytes, &payload, &err)) == 1) {
		if (msg_unpack(payload, accepts, &msg, &err) == -1) {
			rc = -1;
			break;
		}
		msg_pack(&target->expected, &msg);
		rest.ptr += FRAME_HEAD_BYTES + payload.len;
		rest.len -= FRAME_HEAD_BYTES + payload.len;
	}
	target->ends_badly = rc == -1;
}

static void
on_msg(struct channel *channel, const struct msg *msg, void *arg)
{
	struct target *target = arg;
	struct buf packed = BUF_INIT;
	struct bytes left = { buf_data(&target->expected) + target->heard,
	    buf_len(&target->expected) - target->heard };
	int fd;

	fuzz_require(!target->is_closed && channel == target->channel);
	msg_pack(&packed, msg);
	fuzz_require(buf_len(&packed) <= left.len &&
	    memcmp(buf_data(&packed), left.ptr, buf_len(&packed)) == 0);
	target->heard += buf_len(&packed);
	buf_clear(&packed);

	fd = feed_random(&target->feed) % 2 == 0 ? channel_take_fd(channel) : -1;
	if (fd != -1)
		(void)close(fd);
	if (target->feed.flags & FLAG_ECHOES && feed_random(&target->feed) % 2 == 0)
		channel_send(channel, msg);
	else if (target->feed.flags & FLAG_ECHOES)
		channel_send_fd(channel, msg, dup(STDIN_FILENO));
	if (target->feed.flags & FLAG_PAUSES && feed_random(&target->feed) % 4 == 0)
		channel_pause(channel);
	if (target->feed.flags & FLAG_FREES && feed_random(&target->feed) % 8 == 0)
		channel_free(&target->channel);
}

static void
on_close(struct channel *channel, const struct err *why, void *arg)
{
	struct target *target = arg;

	fuzz_require(!target->is_closed && channel == target->channel);
	target->is_closed = true;
	target->was_broken = why != NULL;
	channel_free(&target->channel);
}

static bool
is_over(void *arg)
{
	struct target *target = arg;

	return target->channel == NULL;
}

static void
turned(void *arg)
{
	struct target *target = arg;

	if (target->channel != NULL)
		channel_resume(target->channel);
}

/* What is sent has to be heard to the end, however little at a time. */
static void
run(struct target *target, int peer_fd)
{
	feed_send(&target->feed, peer_fd, target->loop, is_over, turned, target);
	(void)shutdown(peer_fd, SHUT_WR);
	if (target->feed.flags & FLAG_DRAINS && target->channel != NULL &&
	    (target->feed.flags & FLAG_FREES) == 0)
		channel_drain_input(target->channel);
	for (int i = 0; i < TURNS_MOST && target->channel != NULL; i++) {
		char echoed[65536];

		ev_run(target->loop, EVRUN_NOWAIT);
		turned(target);
		while (recv(peer_fd, echoed, sizeof(echoed), MSG_DONTWAIT) > 0)
			continue;
	}
}

static void
check(const struct target *target)
{
	bool may_end_early = target->feed.flags & (FLAG_FREES | FLAG_ECHOES);

	fuzz_require(target->channel == NULL);
	fuzz_require(target->is_closed || (target->feed.flags & FLAG_FREES));
	if (may_end_early)
		return;
	fuzz_require(target->heard == buf_len(&target->expected));
	fuzz_require(target->was_broken == target->ends_badly);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target target = { .heard = 0 };
	struct channel_options options = { .queue_max_bytes = 4096, .on_msg = on_msg,
	    .on_close = on_close, .arg = &target };
	int open_fds = feed_open_fds(), fds[2];
	size_t kind;

	if (feed_init(&target.feed, (struct bytes){ data, size }) == -1)
		return 0;
	kind = target.feed.kind % (sizeof(kinds) / sizeof(kinds[0]));
	options.accepts = kinds[kind].accepts;
	options.frame_max_bytes = kinds[kind].frame_max_bytes;
	options.accepts_fds = kinds[kind].accepts_fds;
	expect(&target, options.accepts, options.frame_max_bytes);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		abort();
	target.loop = ev_loop_new(EVFLAG_AUTO);
	target.channel = channel_new(target.loop, fds[0], &options);
	run(&target, fds[1]);
	check(&target);
	(void)close(fds[1]);
	ev_loop_destroy(target.loop);
	buf_clear(&target.expected);
	feed_clear(&target.feed);
	fuzz_require(feed_open_fds() == open_fds);
	return 0;
}

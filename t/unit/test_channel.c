/*
 * test_channel.c - src/proto: channels.
 */
#include "t/unit/unit.h"

#include <ev.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/mem.h"
#include "proto/channel_impl.h"
#include "proto/fdlayout.h"

struct end {
	struct channel *channel;
	uint64_t next;		/* number the next message should carry */
	int fd;			/* taken from a message */
	int fds_taken;
	int closes;
	char why[ERR_TEXT_SIZE];
	bool free_on_msg;
	struct channel *feed;	/* gets each `log` sent again, for ever */
	uint64_t log_bytes;
};

static void
send_log(struct channel *channel)
{
	static char text[900];
	struct msg msg = { .type = MSG_TYPE_LOG };

	memset(text, 'x', sizeof(text));
	msg.log.text = (struct str){ text, sizeof(text) };
	channel_send(channel, &msg);
	assert_int_equal(channel_flush(channel, 5000), 0);
}

static void
on_msg(struct channel *channel, const struct msg *msg, void *arg)
{
	struct end *end = arg;

	if (msg->type == MSG_TYPE_END) {
		assert_int_equal(msg->end.lane, end->next);
		end->next++;
	}
	if (msg->type == MSG_TYPE_ATTACH) {
		fd_close(&end->fd);
		end->fd = channel_take_fd(channel);
		end->fds_taken += end->fd != -1;
	}
	if (msg->type == MSG_TYPE_LOG && end->feed != NULL) {
		end->log_bytes += msg->log.text.len;
		send_log(end->feed);
	}
	if (end->free_on_msg)
		channel_free(&end->channel);
}

static void
on_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	struct end *end = arg;

	end->closes++;
	(void)str_copy(end->why, sizeof(end->why), str_from(why != NULL ? why->text : ""));
	channel_free(&end->channel);
}

#define FRAME_MS	400

static struct channel *
open_end(struct ev_loop *loop, int fd, struct end *end)
{
	struct channel_options options = {
		.accepts = FROM_ANY, .frame_max_bytes = 1000, .frame_max_ms = FRAME_MS,
		.queue_max_bytes = 1 << 20, .accepts_fds = true,
		.on_msg = on_msg, .on_close = on_close, .arg = end,
	};

	*end = (struct end){ .fd = -1 };
	end->channel = channel_new(loop, fd, &options);
	return end->channel;
}

static void
send_number(struct channel *channel, uint64_t number)
{
	struct msg msg = { .type = MSG_TYPE_END };

	msg.end.lane = number;
	channel_send(channel, &msg);
}

struct pair {
	struct ev_loop *loop;
	struct end a, b;
	int a_fd;		/* of a's channel; not ours to close */
};

static void
pair_open(struct pair *pair)
{
	struct err err;
	int fds[2];

	pair->loop = ev_loop_new(EVFLAG_AUTO);
	assert_int_equal(fd_socketpair(fds, &err), 0);
	pair->a_fd = fds[0];
	open_end(pair->loop, fds[0], &pair->a);
	open_end(pair->loop, fds[1], &pair->b);
}

static void
pair_close(struct pair *pair)
{
	channel_free(&pair->a.channel);
	channel_free(&pair->b.channel);
	fd_close(&pair->a.fd);
	fd_close(&pair->b.fd);
	ev_loop_destroy(pair->loop);
}

static void
channel__delivers_many_messages_in_order(void **state BF_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	for (uint64_t i = 0; i < 20000; i++)
		send_number(pair.a.channel, i);
	while (pair.b.next < 20000)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_int_equal(channel_queued_bytes(pair.a.channel), 0);
	pair_close(&pair);
}

static void
channel__carries_a_descriptor_with_its_message(void **state BF_UNUSED)
{
	struct msg msg = { .type = MSG_TYPE_ATTACH };
	struct pair pair;
	struct stat sent, got;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	pair_open(&pair);
	assert_int_equal(fstat(fd, &sent), 0);
	send_number(pair.a.channel, 0);
	channel_send_fd(pair.a.channel, &msg, fd);
	send_number(pair.a.channel, 1);
	while (pair.b.next < 2)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_int_not_equal(pair.b.fd, -1);
	assert_int_equal(fstat(pair.b.fd, &got), 0);
	assert_true(sent.st_rdev == got.st_rdev);
	assert_int_equal(fcntl(pair.b.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	pair_close(&pair);
}

/* More than LIMIT_CHANNEL_FDS in one turn of the loop: many operations start. */
static void
channel__carries_more_than_LIMIT_CHANNEL_FDS_at_once(void **state BF_UNUSED)
{
	struct msg msg = { .type = MSG_TYPE_ATTACH };
	struct pair pair;

	pair_open(&pair);
	for (int i = 0; i < 5 * LIMIT_CHANNEL_FDS; i++)
		channel_send_fd(pair.a.channel, &msg, open("/dev/null", O_RDONLY | O_CLOEXEC));
	send_number(pair.a.channel, 0);
	while (pair.b.next < 1)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_int_equal(pair.b.fds_taken, 5 * LIMIT_CHANNEL_FDS);
	pair_close(&pair);
}

/* LIMIT_CHANNEL_FDS of descriptors for a peer that takes none is the end of it. */
static void
channel__closes_a_peer_that_leaves_LIMIT_CHANNEL_FDS_waiting(void **state BF_UNUSED)
{
	struct msg msg = { .type = MSG_TYPE_ATTACH };
	struct pair pair;
	int size = 4096;

	pair_open(&pair);
	channel_pause(pair.b.channel);
	assert_int_equal(setsockopt(pair.a_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	for (int i = 0; i < 100000 && channel_is_open(pair.a.channel); i++)
		channel_send_fd(pair.a.channel, &msg, open("/dev/null", O_RDONLY | O_CLOEXEC));
	while (pair.a.closes == 0)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_non_null(strstr(pair.a.why, "descriptors are waiting"));
	pair_close(&pair);
}

/* A dead peer is heard to its end, up to LIMIT_CHANNEL_LAST_WORDS_BYTES. */
static void
channel_drain_input__hears_all_that_a_dead_peer_had_said(void **state BF_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	for (uint64_t i = 0; i < 3 * LIMIT_CHANNEL_FRAMES_PER_TURN; i++)
		send_number(pair.a.channel, i);
	assert_int_equal(channel_flush(pair.a.channel, 5000), 0);
	channel_free(&pair.a.channel);
	channel_drain_input(pair.b.channel);
	assert_int_equal(pair.b.next, 3 * LIMIT_CHANNEL_FRAMES_PER_TURN);
	pair_close(&pair);
}

static void
channel__hands_out_what_came_before_the_end_of_file(void **state BF_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	for (uint64_t i = 0; i < 1000; i++)
		send_number(pair.a.channel, i);
	assert_int_equal(channel_flush(pair.a.channel, 5000), 0);
	send_number(pair.b.channel, 0);	/* never read: the close resets */
	channel_free(&pair.a.channel);
	while (pair.b.closes == 0)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_int_equal(pair.b.next, 1000);
	assert_string_equal(pair.b.why, "");
	pair_close(&pair);
}

static void
channel__closes_a_peer_over_LIMIT_CHANNEL_QUEUE_BYTES(void **state BF_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	channel_pause(pair.b.channel);
	for (uint64_t i = 0; i < 2000000 && channel_is_open(pair.a.channel); i++)
		send_number(pair.a.channel, i);
	while (pair.a.closes == 0)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_non_null(strstr(pair.a.why, "the peer does not read"));
	pair_close(&pair);
}

static void
channel__closes_a_peer_whose_frame_is_over_its_limit(void **state BF_UNUSED)
{
	struct pair pair;
	struct msg msg = { .type = MSG_TYPE_LOG };
	char text[1001];

	memset(text, 'x', sizeof(text));
	pair_open(&pair);
	msg.log.text = (struct str){ text, sizeof(text) };
	channel_send(pair.a.channel, &msg);
	while (pair.b.closes == 0)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_non_null(strstr(pair.b.why, "1 to 1000 are allowed"));
	pair_close(&pair);
}

static void
channel__closes_a_peer_on_its_first_bad_frame(void **state BF_UNUSED)
{
	struct pair pair;
	struct err err;
	int fds[2];

	pair_open(&pair);
	assert_int_equal(fd_socketpair(fds, &err), 0);
	channel_free(&pair.b.channel);
	open_end(pair.loop, fds[0], &pair.b);
	assert_int_equal(write(fds[1], "\0\0\0\5\xdd\x10\0\0\0", 9), 9);
	while (pair.b.closes == 0)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_string_equal(pair.b.why, "frame of 5 bytes: not a message");
	close(fds[1]);
	pair_close(&pair);
}

static void
channel__can_be_freed_in_its_own_handler(void **state BF_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	pair.b.free_on_msg = true;
	for (uint64_t i = 0; i < 10; i++)
		send_number(pair.a.channel, i);
	while (pair.a.closes == 0)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_int_equal(pair.b.next, 1);
	assert_int_equal(pair.b.closes, 0);
	pair_close(&pair);
}

static void
channel__holds_messages_while_paused_and_loses_none(void **state BF_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	for (uint64_t i = 0; i < 600; i++)
		send_number(pair.a.channel, i);
	while (pair.b.next == 0)
		ev_run(pair.loop, EVRUN_ONCE);
	channel_pause(pair.b.channel);
	for (int i = 0; i < 5; i++)
		ev_run(pair.loop, EVRUN_NOWAIT);
	assert_true(pair.b.next < 600);
	channel_resume(pair.b.channel);
	while (pair.b.next < 600)
		ev_run(pair.loop, EVRUN_ONCE);
	pair_close(&pair);
}

static void
channel__hands_out_LIMIT_CHANNEL_FRAMES_PER_TURN_and_then_lets_others(
    void **state BF_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	for (uint64_t i = 0; i < 3 * LIMIT_CHANNEL_FRAMES_PER_TURN; i++)
		send_number(pair.a.channel, i);
	assert_int_equal(channel_flush(pair.a.channel, 5000), 0);
	for (uint64_t turn = 1; turn <= 3; turn++) {
		ev_run(pair.loop, EVRUN_ONCE);
		assert_int_equal(pair.b.next, turn * LIMIT_CHANNEL_FRAMES_PER_TURN);
	}
	pair_close(&pair);
}

/* The peer is not as dead as it seems and goes on talking. */
static void
channel__drains_no_more_than_LIMIT_CHANNEL_LAST_WORDS_BYTES(void **state BF_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	pair.b.feed = pair.a.channel;
	for (int i = 0; i < 20; i++)
		send_log(pair.a.channel);
	channel_drain_input(pair.b.channel);
	assert_in_range(pair.b.log_bytes, LIMIT_CHANNEL_LAST_WORDS_BYTES * 9 / 10,
	    LIMIT_CHANNEL_LAST_WORDS_BYTES + 20 * 900);
	pair_close(&pair);
}

/* --- frames that come in parts --- */

/* From a to b: the bytes of a frame from one to another, past a's channel. */
static void
send_part(struct pair *pair, uint64_t number, size_t from, size_t to)
{
	struct buf frame = BUF_INIT;

	msg_pack(&frame, &(struct msg){ .type = MSG_TYPE_END, .end = { .lane = number } });
	to = to < buf_len(&frame) ? to : buf_len(&frame);
	assert_int_equal(write(pair->a_fd, buf_data(&frame) + from, to - from), to - from);
	buf_clear(&frame);
}
#define PART	3
#define WHOLE	1000

static void
channel__closes_a_peer_that_does_not_end_a_frame_in_time(void **state BF_UNUSED)
{
	int64_t until = clock_mono_ms() + 50 * FRAME_MS;
	struct pair pair;

	pair_open(&pair);
	send_part(&pair, 0, 0, WHOLE);
	send_part(&pair, 1, 0, PART);
	while (pair.b.closes == 0 && clock_mono_ms() < until)
		ev_run(pair.loop, EVRUN_NOWAIT);
	assert_int_equal(pair.b.closes, 1);
	assert_int_equal(pair.b.next, 1);
	assert_non_null(strstr(pair.b.why, "a frame has begun and not ended"));
	pair_close(&pair);
}

static void
channel__gives_each_frame_its_own_time_and_silence_none(void **state BF_UNUSED)
{
	struct ev_timer *late;
	struct pair pair;
	ev_tstamp before;

	pair_open(&pair);
	late = &pair.b.channel->late;
	send_part(&pair, 0, 0, PART);
	ev_run(pair.loop, EVRUN_ONCE);
	assert_true(ev_is_active(late));
	before = late->at;
	ev_now_update(pair.loop);
	send_part(&pair, 0, PART, PART + 1);
	ev_run(pair.loop, EVRUN_ONCE);
	assert_true(late->at <= before);	/* a byte more is no new frame */
	send_part(&pair, 0, PART + 1, WHOLE);
	ev_run(pair.loop, EVRUN_ONCE);
	assert_int_equal(pair.b.next, 1);
	assert_false(ev_is_active(late));
	send_part(&pair, 1, 0, PART);
	ev_run(pair.loop, EVRUN_ONCE);
	assert_true(ev_is_active(late) && late->at > before);
	channel_pause(pair.b.channel);		/* then it is we who do not read */
	assert_false(ev_is_active(late));
	pair_close(&pair);
}

static void
channel__blames_no_peer_for_having_been_late_itself(void **state BF_UNUSED)
{
	int64_t until = clock_mono_ms() + 2 * FRAME_MS;
	struct pair pair;

	pair_open(&pair);
	send_part(&pair, 0, 0, PART);
	ev_run(pair.loop, EVRUN_ONCE);
	send_part(&pair, 0, PART, WHOLE);
	while (clock_mono_ms() < until)
		continue;
	while (pair.b.next == 0 && pair.b.closes == 0)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_int_equal(pair.b.next, 1);
	assert_int_equal(pair.b.closes, 0);
	pair_close(&pair);
}

static const struct CMUnitTest channel_tests[] = {
	cmocka_unit_test(channel__delivers_many_messages_in_order),
	cmocka_unit_test(channel__carries_a_descriptor_with_its_message),
	cmocka_unit_test(channel__carries_more_than_LIMIT_CHANNEL_FDS_at_once),
	cmocka_unit_test(channel__closes_a_peer_that_leaves_LIMIT_CHANNEL_FDS_waiting),
	cmocka_unit_test(channel_drain_input__hears_all_that_a_dead_peer_had_said),
	cmocka_unit_test(channel__hands_out_what_came_before_the_end_of_file),
	cmocka_unit_test(channel__closes_a_peer_over_LIMIT_CHANNEL_QUEUE_BYTES),
	cmocka_unit_test(channel__closes_a_peer_whose_frame_is_over_its_limit),
	cmocka_unit_test(channel__closes_a_peer_on_its_first_bad_frame),
	cmocka_unit_test(channel__can_be_freed_in_its_own_handler),
	cmocka_unit_test(channel__holds_messages_while_paused_and_loses_none),
	cmocka_unit_test(
	    channel__hands_out_LIMIT_CHANNEL_FRAMES_PER_TURN_and_then_lets_others),
	cmocka_unit_test(channel__closes_a_peer_that_does_not_end_a_frame_in_time),
	cmocka_unit_test(channel__gives_each_frame_its_own_time_and_silence_none),
	cmocka_unit_test(channel__blames_no_peer_for_having_been_late_itself),
	cmocka_unit_test(channel__drains_no_more_than_LIMIT_CHANNEL_LAST_WORDS_BYTES),
};

UNIT_MAIN(channel_tests)

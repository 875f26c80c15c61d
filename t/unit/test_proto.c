/*
 * test_proto.c - src/proto: the bounded reader, messages, channels.
 */
#include "t/unit/unit.h"

#include <ev.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "common/mem.h"
#include "proto/channel.h"
#include "proto/fdlayout.h"
#include "proto/frame.h"
#include "proto/wire.h"

/* --- wire --- */

static void
wire__round_trips_every_kind_at_its_length_boundaries(void **state BF_UNUSED)
{
	static const size_t lengths[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };
	static const uint64_t numbers[] = { 0, 127, 128, 255, 256, 65535, 65536,
	    UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX };
	struct buf buf = BUF_INIT;
	char *text = xmalloc(65536);

	memset(text, 'x', 65536);
	for (size_t i = 0; i < BF_ARRAY_LEN(lengths); i++) {
		struct wire_reader r;
		struct str s;
		struct bytes b;

		buf_reset(&buf);
		wire_pack_text(&buf, (struct str){ text, lengths[i] });
		wire_pack_bytes(&buf, (struct bytes){ (uint8_t *)text, lengths[i] });
		r = wire_reader(buf_bytes(&buf));
		assert_int_equal(wire_read_text(&r, &s), 0);
		assert_int_equal(wire_read_bytes(&r, &b), 0);
		assert_true(wire_at_end(&r));
		assert_int_equal(s.len, lengths[i]);
		assert_int_equal(b.len, lengths[i]);
	}
	for (size_t i = 0; i < BF_ARRAY_LEN(numbers); i++) {
		struct wire_reader r;
		uint64_t value;

		buf_reset(&buf);
		wire_pack_u64(&buf, numbers[i]);
		r = wire_reader(buf_bytes(&buf));
		assert_int_equal(wire_read_u64(&r, &value), 0);
		assert_true(value == numbers[i] && wire_at_end(&r));
	}
	free(text);
	buf_clear(&buf);
}

/* F64, F65: what msgpack allows and we do not, and claims beyond the bytes. */
static void
wire__refuses_lies_and_foreign_kinds(void **state BF_UNUSED)
{
	static const struct { const char *bytes; size_t len; } cases[] = {
		{ "\xdd\x10\x00\x00\x00", 5 },		/* array of 2^28 */
		{ "\xdf\xff\xff\xff\xff", 5 },		/* map of 2^32-1 */
		{ "\xdb\xff\xff\xff\xff", 5 },		/* text of 4 GiB */
		{ "\xc6\x7f\xff\xff\xff", 5 },		/* bytes of 2 GiB */
		{ "\xa5" "abcd", 5 },			/* cut text */
		{ "\xa2\xc3\x28", 3 },			/* not UTF-8 */
		{ "\xff", 1 }, { "\xd0\x80", 2 },	/* negative numbers */
		{ "\xca\x00\x00\x00\x00", 5 },		/* float */
		{ "\xc7\x01\x05\x00", 4 },		/* extension */
		{ "\xc0", 1 }, { "\xc1", 1 }, { "\xcf\x00", 2 }, { "", 0 },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct wire_reader r = wire_reader((struct bytes){
		    (const uint8_t *)cases[i].bytes, cases[i].len });
		uint32_t count;
		uint64_t number;
		bool flag;
		struct str s;
		struct bytes b;

		assert_int_equal(wire_read_array(&r, &count), -1);
		assert_int_equal(wire_read_map(&r, &count), -1);
		assert_int_equal(wire_read_u64(&r, &number), -1);
		assert_int_equal(wire_read_bool(&r, &flag), -1);
		assert_int_equal(wire_read_text(&r, &s), -1);
		assert_int_equal(wire_read_bytes(&r, &b), -1);
	}
}

/* --- messages --- */

static struct bytes
payload_of(const struct buf *frame)
{
	return (struct bytes){ buf_data(frame) + FRAME_HEAD_BYTES,
	    buf_len(frame) - FRAME_HEAD_BYTES };
}

static void
msg__round_trips_an_operation(void **state BF_UNUSED)
{
	struct buf buf = BUF_INIT;
	struct err err;
	struct msg in = { .type = MSG_TYPE_OP }, out;

	in.op.req = 9;
	in.op.op = (struct op){
		.id = STR("3migo7fijwi2k"), .type = STR("did-sync"),
		.status = OP_RUNNING, .did = STR("did:plc:abc"),
		.records_processed = 12345, .was_killed = true,
	};
	msg_pack(&buf, &in);
	assert_int_equal(msg_unpack(payload_of(&buf), FROM_SUPERVISOR, &out, &err), 0);
	assert_int_equal(out.type, MSG_TYPE_OP);
	assert_true(str_eq(out.op.op.id, in.op.op.id));
	assert_true(str_eq(out.op.op.did, in.op.op.did));
	assert_int_equal(out.op.op.records_processed, 12345);
	assert_true(out.op.op.was_killed);
	assert_int_equal(out.op.op.uri.len, 0);
	buf_clear(&buf);
}

static void
msg__refuses_everything_that_is_not_exactly_a_message(void **state BF_UNUSED)
{
	struct buf buf = BUF_INIT;
	struct err err;
	struct msg msg = { .type = MSG_TYPE_LOG }, out;
	struct bytes payload;

	msg.log = (struct msg_log){ .level = 6, .text = STR("hello") };
	msg_pack(&buf, &msg);
	payload = payload_of(&buf);
	assert_int_equal(msg_unpack(payload, FROM_WORKER, &out, &err), 0);

	assert_int_equal(msg_unpack(payload, FROM_CLIENT, &out, &err), -1);
	assert_string_equal(err.text, "message log: not expected from this peer");
	for (size_t len = 0; len < payload.len; len++)
		assert_int_equal(msg_unpack((struct bytes){ payload.ptr, len },
		    FROM_WORKER, &out, &err), -1);
	buf_add_byte(&buf, 0);
	assert_int_equal(msg_unpack(payload_of(&buf), FROM_WORKER, &out, &err), -1);
	assert_string_equal(err.text, "message log: 1 bytes left over");

	assert_int_equal(msg_unpack((struct bytes){ (const uint8_t *)"\x91\x7f", 2 },
	    FROM_ANY, &out, &err), -1);
	assert_string_equal(err.text, "message number 127: unknown");
	assert_int_equal(msg_unpack((struct bytes){ (const uint8_t *)"\x92\x06\x06", 3 },
	    FROM_ANY, &out, &err), -1);
	assert_string_equal(err.text, "message log: 1 fields instead of 2");
	assert_int_equal(msg_unpack((struct bytes){ (const uint8_t *)"\x93\x06\xc3\xa0", 4 },
	    FROM_ANY, &out, &err), -1);
	assert_string_equal(err.text, "message log: bad field level");
	buf_clear(&buf);
}

/* --- channels --- */

struct end {
	struct channel *channel;
	uint64_t next;		/* number the next message should carry */
	int fd;			/* taken from a message */
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
	if (msg->type == MSG_TYPE_ATTACH)
		end->fd = channel_take_fd(channel);
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

static struct channel *
open_end(struct ev_loop *loop, int fd, struct end *end)
{
	struct channel_options options = {
		.accepts = FROM_ANY, .frame_max_bytes = 1000,
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
};

static void
pair_open(struct pair *pair)
{
	struct err err;
	int fds[2];

	pair->loop = ev_loop_new(EVFLAG_AUTO);
	assert_int_equal(fd_socketpair(fds, &err), 0);
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

static void
channel__closes_a_peer_that_does_not_take_LIMIT_CHANNEL_FDS(void **state BF_UNUSED)
{
	struct msg msg = { .type = MSG_TYPE_ATTACH };
	struct pair pair;

	pair_open(&pair);
	for (int i = 0; i < LIMIT_CHANNEL_FDS; i++)
		channel_send_fd(pair.a.channel, &msg, open("/dev/null", O_RDONLY | O_CLOEXEC));
	assert_true(channel_is_open(pair.a.channel));
	channel_send_fd(pair.a.channel, &msg, open("/dev/null", O_RDONLY | O_CLOEXEC));
	while (pair.a.closes == 0)
		ev_run(pair.loop, EVRUN_ONCE);
	assert_non_null(strstr(pair.a.why, "descriptors are waiting"));
	pair_close(&pair);
}

static const struct CMUnitTest proto[] = {
	cmocka_unit_test(wire__round_trips_every_kind_at_its_length_boundaries),
	cmocka_unit_test(wire__refuses_lies_and_foreign_kinds),
	cmocka_unit_test(msg__round_trips_an_operation),
	cmocka_unit_test(msg__refuses_everything_that_is_not_exactly_a_message),
	cmocka_unit_test(channel__delivers_many_messages_in_order),
	cmocka_unit_test(channel__carries_a_descriptor_with_its_message),
	cmocka_unit_test(channel__hands_out_what_came_before_the_end_of_file),
	cmocka_unit_test(channel__closes_a_peer_over_LIMIT_CHANNEL_QUEUE_BYTES),
	cmocka_unit_test(channel__closes_a_peer_whose_frame_is_over_its_limit),
	cmocka_unit_test(channel__closes_a_peer_on_its_first_bad_frame),
	cmocka_unit_test(channel__can_be_freed_in_its_own_handler),
	cmocka_unit_test(channel__holds_messages_while_paused_and_loses_none),
	cmocka_unit_test(channel__hands_out_LIMIT_CHANNEL_FRAMES_PER_TURN_and_then_lets_others),
	cmocka_unit_test(channel__drains_no_more_than_LIMIT_CHANNEL_LAST_WORDS_BYTES),
	cmocka_unit_test(channel__closes_a_peer_that_does_not_take_LIMIT_CHANNEL_FDS),
};

UNIT_MAIN(proto)

#include "t/workers/null_raw.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/attr.h"
#include "common/buf.h"
#include "proto/fdlayout.h"
#include "proto/msg.h"

static void
write_all(const void *bytes, size_t len)
{
	struct pollfd ready = { .fd = FD_CONTROL, .events = POLLOUT };

	while (write(FD_CONTROL, bytes, len) == -1 && (errno == EAGAIN || errno == EINTR))
		(void)poll(&ready, 1, -1);
}

void
null_flood(struct null_op *job BF_UNUSED)
{
	struct buf frame = BUF_INIT;

	msg_pack(&frame, &(struct msg){ .type = MSG_TYPE_PROGRESS,
	    .progress = { .stage = STR("flooding"), .processed = 1 } });
	for (;;)
		write_all(buf_data(&frame), buf_len(&frame));
}

static void
send_raw(const struct msg *msg)
{
	struct buf frame = BUF_INIT;

	msg_pack(&frame, msg);
	write_all(buf_data(&frame), buf_len(&frame));
	buf_clear(&frame);
}

/* Past the harness, which would end us. */
void
null_done_hang(struct null_op *job BF_UNUSED)
{
	struct buf frames = BUF_INIT;

	/* In one piece: whoever has seen the first has the second. */
	msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_LOG,
	    .log = { .level = 6, .text = STR("done is said") } });
	msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_DONE, .done = { .processed = 7 } });
	write_all(buf_data(&frames), buf_len(&frames));
	buf_clear(&frames);
	for (;;)
		(void)pause();
}

void
null_done_go_on(struct null_op *job BF_UNUSED)
{
	send_raw(&(struct msg){ .type = MSG_TYPE_DONE, .done = { .processed = 7 } });
	send_raw(&(struct msg){ .type = MSG_TYPE_PROGRESS, .progress = { .processed = 8 } });
	for (;;)
		(void)pause();
}

/* Past the harness, which would cut them itself: "x", then two bytes a character,
 * so that every even limit is inside of one. */
void
null_long_text(struct null_op *job BF_UNUSED)
{
	char bytes[4001] = "x";
	struct str text = { bytes, sizeof(bytes) };

	for (size_t i = 1; i < sizeof(bytes); i += 2)
		memcpy(bytes + i, "\xc3\xa9", 2);
	send_raw(&(struct msg){ .type = MSG_TYPE_PROGRESS, .progress = { .stage = text } });
	send_raw(&(struct msg){ .type = MSG_TYPE_LOG, .log = { .level = 6, .text = text } });
	send_raw(&(struct msg){ .type = MSG_TYPE_FAIL, .fail = { text, text } });
	for (;;)
		(void)pause();
}

void
null_garbage(struct null_op *job)
{
	static const char text[] = "\0\0\0\x10GET / HTTP/1.1\r\n";

	write_all(text, sizeof(text) - 1);
	null_run(job);
}

void
null_huge_frame(struct null_op *job)
{
	write_all("\xff\xff\xff\xff", 4);
	null_run(job);
}

void
null_wrong_sender(struct null_op *job)
{
	struct buf frame = BUF_INIT;

	msg_pack(&frame, &(struct msg){ .type = MSG_TYPE_STATUS, .status = { .req = 1 } });
	write_all(buf_data(&frame), buf_len(&frame));
	buf_clear(&frame);
	null_run(job);
}

void
null_close(struct null_op *job BF_UNUSED)
{
	(void)close(FD_CONTROL);
	for (;;)
		(void)pause();
}

/* --- random frames --- */

static uint32_t
random_next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Printable, as text has to be UTF-8; what is not is the last frame's. */
static struct str
random_text(uint32_t *seed, char *to, size_t size)
{
	size_t len = random_next(seed) % size;

	for (size_t i = 0; i < len; i++)
		to[i] = (char)(' ' + random_next(seed) % 95);
	return (struct str){ to, len };
}

static uint64_t
random_number(uint32_t *seed)
{
	uint64_t bits = (uint64_t)random_next(seed) << 32 | random_next(seed);

	return bits >> random_next(seed) % 64;
}

static void
random_message(struct buf *to, uint32_t *seed)
{
	char texts[3][40];
	struct str a = random_text(seed, texts[0], sizeof(texts[0]));
	struct str b = random_text(seed, texts[1], sizeof(texts[1]));
	struct str c = random_text(seed, texts[2], sizeof(texts[2]));
	struct msg msg = { 0 };

	switch (random_next(seed) % 4) {
	case 0:
		msg.type = MSG_TYPE_LOG;
		msg.log = (struct msg_log){ random_number(seed), a };
		break;
	case 1:
		msg.type = MSG_TYPE_ITEM_FAILED;
		msg.item_failed = (struct msg_item_failed){ a, b, c };
		break;
	case 2:
		msg.type = MSG_TYPE_CHECKPOINT;
		msg.checkpoint = (struct msg_checkpoint){
			.data = { (const uint8_t *)a.ptr, a.len },
			.processed = random_number(seed), .created = random_number(seed),
		};
		break;
	default:
		msg.type = MSG_TYPE_PROGRESS;
		msg.progress = (struct msg_progress){ .stage = a,
			.processed = random_number(seed), .total = random_number(seed),
			.failed = random_number(seed), .bytes = random_number(seed) };
	}
	msg_pack(to, &msg);
}

/* A length that is right, and bytes that are no message: 0xc1 is never msgpack. */
static void
random_bytes(struct buf *to, uint32_t *seed)
{
	uint8_t frame[4 + 60] = { 0, 0, 0, 60, 0xc1 };

	for (size_t i = 5; i < sizeof(frame); i++)
		frame[i] = (uint8_t)random_next(seed);
	buf_add(to, frame, sizeof(frame));
}

void
null_random_frames(struct null_op *job, struct str seed_text)
{
	struct buf frames = BUF_INIT;
	uint32_t seed = 2463534242u;

	for (size_t i = 0; i < seed_text.len; i++)
		seed = (seed ^ (uint8_t)seed_text.ptr[i]) * 16777619u;
	seed |= 1;
	for (int i = 1; i < RANDOM_FRAMES; i++) {
		random_message(&frames, &seed);
		if (buf_len(&frames) > 32 * 1024) {
			write_all(buf_data(&frames), buf_len(&frames));
			buf_reset(&frames);
		}
	}
	/* The last numbers that are heard. */
	msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_PROGRESS,
	    .progress = { .stage = STR("random"), .processed = RANDOM_FRAMES } });
	random_bytes(&frames, &seed);
	write_all(buf_data(&frames), buf_len(&frames));
	buf_clear(&frames);
	null_run(job);
}

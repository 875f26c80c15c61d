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

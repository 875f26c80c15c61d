/*
 * fuzz_message.c - frames between our processes: what is read is a message that
 * packs to the same meaning, or refused.
 */
#include "fuzz/fuzz.h"

#include "proto/frame.h"
#include "proto/msg.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct msg msg, again;
	struct err err;

	if (msg_unpack((struct bytes){ data, size }, FROM_ANY, &msg, &err) == -1)
		return 0;
	msg_pack(&once, &msg);
	fuzz_require(msg_unpack((struct bytes){ buf_data(&once) + FRAME_HEAD_BYTES,
	    buf_len(&once) - FRAME_HEAD_BYTES }, FROM_ANY, &again, &err) == 0);
	msg_pack(&twice, &again);
	fuzz_require(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
	buf_clear(&once);
	buf_clear(&twice);
	return 0;
}

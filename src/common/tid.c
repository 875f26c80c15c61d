#include "common/tid.h"

static const char alphabet[] = "234567abcdefghijklmnopqrstuvwxyz";

void
tid_format(uint64_t tid, char text_out[TID_SIZE])
{
	for (int i = TID_LEN - 1; i >= 0; i--) {
		text_out[i] = alphabet[tid & 31];
		tid >>= 5;
	}
	text_out[TID_LEN] = '\0';
}

static int
digit_of(char c)
{
	if (c >= '2' && c <= '7')
		return c - '2';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 6;
	return -1;
}

int
tid_parse(struct str text, uint64_t *tid_out)
{
	uint64_t tid = 0;

	/* 13 digits hold 65 bits: a first digit below 8 keeps the top two clear. */
	if (text.len != TID_LEN || digit_of(text.ptr[0]) >= 8)
		return -1;
	for (size_t i = 0; i < TID_LEN; i++) {
		int digit = digit_of(text.ptr[i]);

		if (digit < 0)
			return -1;
		tid = tid << 5 | (uint64_t)digit;
	}
	*tid_out = tid;
	return 0;
}

bool
tid_is_valid(struct str text)
{
	uint64_t tid;

	return tid_parse(text, &tid) == 0;
}

uint64_t
tid_next(uint64_t last, int64_t now_us, unsigned clock_id)
{
	uint64_t tid = (uint64_t)now_us << 10 | (clock_id & 1023);

	return tid > last ? tid : last + 1;
}

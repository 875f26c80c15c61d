#include "atproto/varint.h"

int
varint_unpack(struct bytes bytes, uint64_t *value_out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < VARINT_MAX_BYTES; i++) {
		if (i >= bytes.len)
			return 0;
		value |= (uint64_t)(bytes.ptr[i] & 0x7f) << (7 * i);
		if (bytes.ptr[i] & 0x80)
			continue;
		/* A last byte of zero adds nothing: not the shortest form. */
		if (i > 0 && bytes.ptr[i] == 0)
			return -1;
		*value_out = value;
		return (int)i + 1;
	}
	return -1;
}

size_t
varint_pack(uint64_t value, uint8_t bytes_out[VARINT_MAX_BYTES])
{
	size_t n = 0;

	while (value >= 0x80) {
		bytes_out[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	bytes_out[n++] = (uint8_t)value;
	return n;
}

/*
 * varint.h - unsigned LEB128 as multiformats restricts it: the shortest form,
 * at most 9 bytes (63 bits).
 */
#ifndef BF_ATPROTO_VARINT_H
#define BF_ATPROTO_VARINT_H

#include <stddef.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

#define VARINT_MAX_BYTES	9

/*
 * Read the varint at the start of bytes.  Returns its length, 0 if the bytes end
 * inside it, -1 if no bytes that follow could make it right.
 */
int varint_unpack(struct bytes bytes, uint64_t *value_out) BF_MUSTCHECK;

/* Returns the length.  value is below 2^63. */
size_t varint_pack(uint64_t value, uint8_t bytes_out[VARINT_MAX_BYTES]);

#endif

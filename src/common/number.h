/*
 * number.h - integers on disk: big-endian, so that keys sort by value.
 */
#ifndef BF_COMMON_NUMBER_H
#define BF_COMMON_NUMBER_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void
u16_encode(uint8_t *to, uint16_t value)
{
	value = htobe16(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint16_t
u16_decode(const uint8_t *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return be16toh(value);
}

static inline void
u32_encode(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint32_t
u32_decode(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return be32toh(value);
}

static inline void
u64_encode(uint8_t *to, uint64_t value)
{
	value = htobe64(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint64_t
u64_decode(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return be64toh(value);
}

#endif

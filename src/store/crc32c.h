/*
 * crc32c.h - CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of every
 * stored value.
 *
 * Uses the instruction of SSE 4.2 where the CPU has it, otherwise a table.
 */
#ifndef BF_STORE_CRC32C_H
#define BF_STORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Start with crc 0; the result of one piece is the crc to give with the next. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The table version alone: for CPUs without the instruction, and for its test. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif

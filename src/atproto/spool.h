/*
 * spool.h - the bytes of one CAR: in memory up to a limit, then in a file.
 *
 * Internal to the library; repo.c is the only caller.  Bytes are appended while
 * the repository arrives and read by their offset afterwards.  Over the limit all
 * of them move to the file; memory then holds only what was not parsed yet.
 */
#ifndef BF_ATPROTO_SPOOL_H
#define BF_ATPROTO_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/fault.h"
#include "common/attr.h"
#include "common/buf.h"
#include "common/str.h"

struct spool {
	size_t memory_bytes;	/* the limit */
	int fd;			/* borrowed; -1 if there is none */
	bool has_all;		/* the file holds all bytes before they are appended */
	uint64_t len;		/* bytes appended */
	uint64_t spilled_bytes;	/* of these: in the file, from its start on */
	/* owned: the bytes from offset spilled_bytes on */
	uint8_t *mem;
	size_t mem_size;
	bool is_region;		/* mem is the one region of memory_bytes, not a buffer */
	size_t ready_bytes;	/* of the region: the kernel was asked for its pages */
	/* owned: the whole file after spool_end(), if it could be mapped */
	const uint8_t *map;
};

void spool_init(struct spool *spool, size_t memory_bytes, int fd, bool has_all);
void spool_clear(struct spool *spool);

/* Append.  Bytes before the offset parsed_to may leave memory. */
int spool_add(struct spool *spool, struct bytes piece, uint64_t parsed_to,
    struct fault *fault) BF_MUSTCHECK;

/* What is in memory from an offset on, which was never less than parsed_to. */
struct bytes spool_tail(const struct spool *spool, uint64_t from);

/* Nothing more is appended. */
int spool_end(struct spool *spool, struct fault *fault) BF_MUSTCHECK;

/* After spool_end(): where all bytes can be read, or NULL if they are in the file
 * alone. */
static inline const uint8_t *
spool_memory(const struct spool *spool)
{
	return spool->spilled_bytes == 0 ? spool->mem : spool->map;
}

/*
 * After spool_end(): len bytes at an offset.  They are good as long as the spool
 * is, or until scratch is used again.
 */
int spool_read(const struct spool *spool, uint64_t offset, size_t len,
    struct buf *scratch, struct bytes *bytes_out, struct fault *fault) BF_MUSTCHECK;

#endif

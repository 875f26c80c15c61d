/*
 * blocks.h - where each block of a CAR is: an index from CID to offset.
 *
 * Internal to the library; repo.c fills it while blocks arrive, the tree is read
 * through it afterwards.  Eight bytes per block: 26 bits of a keyed hash of the
 * digest, a flag, 37 bits of offset.  The CID itself is compared where the block
 * is stored.  Duplicates cost their entry and nothing else.
 */
#ifndef BF_ATPROTO_BLOCKS_H
#define BF_ATPROTO_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "atproto/fault.h"
#include "atproto/spool.h"
#include "common/attr.h"

struct blocks {
	uint64_t seed;		/* odd, and unknown to whoever made the CAR */
	size_t n, size;
	/* owned */
	uint64_t *entries;	/* in order of arrival, after blocks_end() by bucket */
	uint32_t *buckets;	/* where each bucket starts, and one more */
	unsigned bucket_bits;
};

/* A block that was found.  Offsets are the CAR's. */
struct block {
	uint64_t offset;	/* of its length */
	uint64_t data_offset;
	size_t len;
	bool is_record;		/* known to be good as a record; else not looked at yet */
};

void blocks_init(struct blocks *blocks);
void blocks_clear(struct blocks *blocks);

/* cid is CID_BYTES of a CID of ours. */
void blocks_add(struct blocks *blocks, const uint8_t *cid, uint64_t offset, bool is_record);

/* Nothing more is added; blocks are looked up from now on. */
void blocks_end(struct blocks *blocks);

/* 1 and the block, 0 if there is none with that CID, -1 if the spool fails. */
int blocks_find(const struct blocks *blocks, const struct spool *spool,
    const uint8_t *cid, struct buf *scratch, struct block *block_out,
    struct fault *fault) BF_MUSTCHECK;

/*
 * Several CIDs are going to be looked up: fetch what blocks_find() will touch into
 * the cache, and so many bytes of each block.  Memory is then waited for once
 * instead of once for each block, which is most of the time of a large repository.
 */
#define BLOCKS_PREFETCH_MAX	64
void blocks_prefetch(const struct blocks *blocks, const struct spool *spool,
    const uint8_t *const *cids, size_t n, size_t bytes);

#endif

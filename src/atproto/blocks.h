/*
 * blocks.h - where each block of a CAR is: an index from CID to offset.
 *
 * Internal to the library; repo.c fills it while blocks arrive, the tree is read
 * through it afterwards.  Twelve bytes per block: 58 bits of a keyed hash of the
 * digest, a flag, 37 bits of offset; and up to three for the bucket.  Duplicates cost
 * their entry and nothing else.
 *
 * The hash is strongly universal under a key that nobody outside knows: an absent
 * CID is taken for one of n blocks with probability n / 2^58, and cannot be chosen
 * so.  blocks_find(), through which all content is read, compares the CID itself.
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

struct block_entry {
	uint64_t head;		/* 26 bits of hash, the flag, the offset */
	uint32_t tail;		/* 32 more bits of hash */
} __attribute__((packed));

struct blocks {
	unsigned __int128 keys[1 + SHA256_BYTES / 8];	/* of the hash */
	size_t n, size;
	/* owned */
	struct block_entry *entries;	/* as they came, after blocks_end() by bucket */
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
void blocks_add(struct blocks *blocks, const uint8_t *cid, uint64_t offset,
    bool is_record);

/* Nothing more is added; blocks are looked up from now on. */
void blocks_end(struct blocks *blocks);

/* 1 and the block, 0 if there is none with that CID, -1 if the spool fails. */
int blocks_find(const struct blocks *blocks, const struct spool *spool,
    const uint8_t *cid, struct buf *scratch, struct block *block_out,
    struct fault *fault) BF_MUSTCHECK;

/* What the index knows a CID by. */
uint64_t blocks_hash(const struct blocks *blocks, const uint8_t *cid);

/* Is there such a block, and is it known to be good as a record?  By the hash alone,
 * so without touching the block. */
bool blocks_has(const struct blocks *blocks, uint64_t hash, bool *is_record_out);

/*
 * blocks_has() is going to be asked: fetch first the bucket, and some time later its
 * entries, into the cache.  With other work in between, memory is not waited for.
 */
void blocks_prefetch_bucket(const struct blocks *blocks, uint64_t hash);
void blocks_prefetch_entries(const struct blocks *blocks, uint64_t hash);

/*
 * Several CIDs are going to be looked up at once: fetch what that will touch, with so
 * many bytes of each block.  Memory is then waited for once instead of each time.
 */
#define BLOCKS_PREFETCH_MAX	64
void blocks_prefetch(const struct blocks *blocks, const struct spool *spool,
    const uint8_t *const *cids, size_t n, size_t bytes);

#endif

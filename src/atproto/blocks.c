#include "atproto/blocks.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "atproto/varint.h"
#include "common/limits.h"
#include "common/mem.h"

#define HEAD_BITS	26	/* of the hash, in front of the flag */
#define HEAD_SHIFT	38
#define RECORD_FLAG	((uint64_t)1 << 37)
#define OFFSET_MASK	(RECORD_FLAG - 1)

#define CACHE_LINE	64
#define BLOCKS_PER_BUCKET	2
#define RADIX_BITS		10	/* per pass: counters stay cached */
#define MAX_BUCKET_BITS		(2 * RADIX_BITS)

_Static_assert(LIMIT_CAR_BYTES <= OFFSET_MASK, "offsets do not fit an entry");
_Static_assert(LIMIT_CAR_BLOCKS <= UINT32_MAX, "entries are counted in 32 bits");

void
blocks_init(struct blocks *blocks)
{
	*blocks = (struct blocks){ .n = 0 };
	if (getrandom(blocks->keys, sizeof(blocks->keys), 0) != sizeof(blocks->keys))
		abort();
}

void
blocks_clear(struct blocks *blocks)
{
	free(blocks->entries);
	free(blocks->buckets);
	blocks->entries = NULL;
	blocks->buckets = NULL;
	blocks->n = blocks->size = 0;
}

/* The multilinear hash: the upper half of k0 + k1 w1 + ... + k4 w4, modulo 2^128. */
uint64_t
blocks_hash(const struct blocks *blocks, const uint8_t *cid)
{
	unsigned __int128 sum = blocks->keys[0];

	for (size_t i = 0; i < SHA256_BYTES / 8; i++) {
		uint64_t word;

		memcpy(&word, cid + 4 + 8 * i, sizeof(word));
		sum += blocks->keys[1 + i] * word;
	}
	return (uint64_t)(sum >> 64);
}

static inline uint64_t
bucket_of(const struct blocks *blocks, uint64_t hash)
{
	return blocks->bucket_bits > 0 ? hash >> (64 - blocks->bucket_bits) : 0;
}

static inline bool
has_hash(const struct block_entry *entry, uint64_t hash)
{
	return entry->head >> HEAD_SHIFT == hash >> (64 - HEAD_BITS) &&
	    entry->tail == (uint32_t)(hash >> (32 - HEAD_BITS));
}

void
blocks_add(struct blocks *blocks, const uint8_t *cid, uint64_t offset, bool is_record)
{
	uint64_t hash = blocks_hash(blocks, cid), flag = is_record ? RECORD_FLAG : 0;

	if (blocks->n == blocks->size) {
		blocks->size = blocks->size > 0 ? blocks->size * 2 : 1024;
		blocks->entries = xrealloc(blocks->entries,
		    blocks->size * sizeof(*blocks->entries));
	}
	blocks->entries[blocks->n++] = (struct block_entry){
	    .head = hash >> (64 - HEAD_BITS) << HEAD_SHIFT | flag | offset,
	    .tail = (uint32_t)(hash >> (32 - HEAD_BITS)),
	};
}

/*
 * Order entries by the `bits` bits that end at `shift`, in place: count, then
 * swap each entry into the next free place of its group (American flag sort).
 */
static void
partition(struct block_entry *entries, size_t n, unsigned shift, unsigned bits)
{
	uint32_t next[1 << RADIX_BITS] = { 0 }, end[1 << RADIX_BITS];
	uint64_t mask = ((uint64_t)1 << bits) - 1;
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		next[entries[i].head >> shift & mask]++;
	for (uint64_t g = 0; g <= mask; g++) {
		uint32_t count = next[g];

		next[g] = sum;
		sum += count;
		end[g] = sum;
	}
	for (uint64_t g = 0; g <= mask; g++) {
		while (next[g] < end[g]) {
			struct block_entry entry = entries[next[g]];
			uint64_t to = entry.head >> shift & mask;

			while (to != g) {
				struct block_entry other = entries[next[to]];

				entries[next[to]++] = entry;
				entry = other;
				to = entry.head >> shift & mask;
			}
			entries[next[g]++] = entry;
		}
	}
}

/* Order entries by their first `bits` bits: all by the first half of them, then
 * each group by the rest. */
static void
order(struct block_entry *entries, size_t n, unsigned bits)
{
	unsigned first = bits < RADIX_BITS ? bits : RADIX_BITS;
	size_t start = 0;

	if (bits == 0)
		return;
	partition(entries, n, 64 - first, first);
	if (bits == first)
		return;
	for (size_t i = 1; i <= n; i++) {
		if (i < n && entries[i].head >> (64 - first) ==
		    entries[start].head >> (64 - first))
			continue;
		partition(entries + start, i - start, 64 - bits, bits - first);
		start = i;
	}
}

void
blocks_end(struct blocks *blocks)
{
	size_t at = 0;
	unsigned bits = 0;

	while (bits < MAX_BUCKET_BITS && blocks->n >> bits > BLOCKS_PER_BUCKET)
		bits++;
	blocks->bucket_bits = bits;
	order(blocks->entries, blocks->n, bits);
	blocks->buckets = xmalloc((((size_t)1 << bits) + 1) * sizeof(*blocks->buckets));
	for (uint64_t b = 0; b < (uint64_t)1 << bits; b++) {
		blocks->buckets[b] = (uint32_t)at;
		while (at < blocks->n && bucket_of(blocks, blocks->entries[at].head) == b)
			at++;
	}
	blocks->buckets[(uint64_t)1 << bits] = (uint32_t)at;
	assert(at == blocks->n);
}

/* Read the length and CID at an offset; true if it is the block that is wanted. */
static int
compare(const struct spool *spool, uint64_t offset, const uint8_t *cid,
    struct buf *scratch, struct block *block_out, struct fault *fault)
{
	struct bytes head;
	uint64_t len;
	size_t want = VARINT_MAX_BYTES + CID_BYTES;
	int n;

	if (want > spool->len - offset)
		want = (size_t)(spool->len - offset);
	if (spool_read(spool, offset, want, scratch, &head, fault) < 0)
		return -1;
	n = varint_unpack(head, &len);
	if (n <= 0 || (size_t)n + CID_BYTES > head.len || len < CID_BYTES ||
	    len > spool->len - offset - (size_t)n)
		return fault_set_detail(fault, FAULT_CAR_IO, offset,
		    STR("it does not hold what was written"));
	if (memcmp(head.ptr + n, cid, CID_BYTES) != 0)
		return 0;
	block_out->offset = offset;
	block_out->data_offset = offset + (size_t)n + CID_BYTES;
	block_out->len = (size_t)len - CID_BYTES;
	return 1;
}

int
blocks_find(const struct blocks *blocks, const struct spool *spool, const uint8_t *cid,
    struct buf *scratch, struct block *block_out, struct fault *fault)
{
	uint64_t hash = blocks_hash(blocks, cid), bucket = bucket_of(blocks, hash);

	for (uint32_t i = blocks->buckets[bucket]; i < blocks->buckets[bucket + 1]; i++) {
		const struct block_entry *entry = &blocks->entries[i];
		int rc;

		if (!has_hash(entry, hash))
			continue;
		rc = compare(spool, entry->head & OFFSET_MASK, cid, scratch, block_out,
		    fault);
		if (rc != 0) {
			block_out->is_record = (entry->head & RECORD_FLAG) != 0;
			return rc;
		}
	}
	return 0;
}

/* The first entry of a bucket that can be the block's. */
static const struct block_entry *
find_entry(const struct blocks *blocks, uint64_t hash)
{
	uint64_t bucket = bucket_of(blocks, hash);

	for (uint32_t i = blocks->buckets[bucket]; i < blocks->buckets[bucket + 1]; i++)
		if (has_hash(&blocks->entries[i], hash))
			return &blocks->entries[i];
	return NULL;
}

bool
blocks_has(const struct blocks *blocks, uint64_t hash, bool *is_record_out)
{
	const struct block_entry *entry = find_entry(blocks, hash);

	if (entry == NULL)
		return false;
	*is_record_out = (entry->head & RECORD_FLAG) != 0;
	return true;
}

/* What is read of a block: its length and CID, and so much of its content. */
static void
prefetch_block(const uint8_t *block, size_t bytes)
{
	for (size_t at = 0; at < VARINT_MAX_BYTES + CID_BYTES + bytes; at += CACHE_LINE)
		__builtin_prefetch(block + at);
}

void
blocks_prefetch_bucket(const struct blocks *blocks, uint64_t hash)
{
	__builtin_prefetch(&blocks->buckets[bucket_of(blocks, hash)]);
}

void
blocks_prefetch_entries(const struct blocks *blocks, uint64_t hash)
{
	const uint32_t *bucket = &blocks->buckets[bucket_of(blocks, hash)];

	/* A bucket has few entries of twelve bytes: on one line or on two. */
	__builtin_prefetch(&blocks->entries[bucket[0]]);
	__builtin_prefetch(&blocks->entries[bucket[1]]);
}

void
blocks_prefetch(const struct blocks *blocks, const struct spool *spool,
    const uint8_t *const *cids, size_t n, size_t bytes)
{
	const uint8_t *start = spool_memory(spool);
	uint64_t hashes[BLOCKS_PREFETCH_MAX];

	for (size_t i = 0; i < n; i++) {
		hashes[i] = blocks_hash(blocks, cids[i]);
		blocks_prefetch_bucket(blocks, hashes[i]);
	}
	for (size_t i = 0; i < n; i++)
		blocks_prefetch_entries(blocks, hashes[i]);
	if (start == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct block_entry *entry = find_entry(blocks, hashes[i]);

		if (entry != NULL)
			prefetch_block(start + (entry->head & OFFSET_MASK), bytes);
	}
}

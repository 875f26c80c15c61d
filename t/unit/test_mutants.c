/*
 * test_mutants.c - damaged repositories: never a crash, never a hang, never one
 * accepted that says something else than the original, never more memory.
 *
 * The mutants are a function of the seed.  BF_MUTANTS sets how many there are,
 * BF_MUTANT_SEED where they start; a failure tells both the seed and the number.
 */
#include "t/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "atproto/car.h"
#include "atproto/repo.h"
#include "atproto/repo_internal.h"
#include "common/mem.h"
#include "t/unit/maker.h"

#define MUTANTS		100000
#define SECONDS_MAX	240	/* a slow machine makes fewer, and says so */
#define MEMORY_BYTES	8192
#define IN_MEMORY_MAX	(256 * 1024)	/* a length can claim a block of this size */
#define RSS_MAX_KB	(16 * 1024)	/* without sanitizers */
#define ORIGINALS	6

struct original {
	struct buf car;
	uint64_t content;	/* hash of all keys, CIDs and records */
	size_t offsets[600];	/* where blocks start; the last is the end */
	size_t blocks;
};

static struct original originals[ORIGINALS];
static struct key key;
static struct sha256 *sha;
static FILE *spill;
static uint64_t rng;

static size_t
below(size_t n)
{
	return n > 0 ? (size_t)(maker_random(&rng) % n) : 0;
}

static uint64_t
mix(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	return hash * 31 + len;
}

static uint64_t
content_of(struct repo *repo)
{
	struct repo_walk *walk = repo_walk_new(repo, NULL);
	struct repo_record record;
	struct fault fault;
	uint64_t hash = 1;

	while (repo_walk_next(walk, &record, &fault) > 0) {
		hash = mix(hash, record.path.ptr, record.path.len);
		hash = mix(hash, record.cid.bytes, CID_BYTES);
		hash = mix(hash, record.bytes.ptr, record.bytes.len);
	}
	repo_walk_free(&walk);
	return hash;
}

/* 0 and the content if it is accepted. */
static int
judge(struct bytes car, bool checks_signature, bool spills, uint64_t *content_out)
{
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	struct commit_expect expect = { .did = STR(MAKER_DID),
	    .key = checks_signature ? &key : NULL };
	struct fault fault = FAULT_INIT;
	struct repo *repo;
	int rc = 0;

	if (spills) {
		options.memory_bytes = MEMORY_BYTES;
		options.spill_fd = fileno(spill);
	}
	repo = repo_new(&options);
	while (rc == 0 && car.len > 0) {
		size_t n = car.len < 3000 ? car.len : 3000;

		rc = repo_feed(repo, (struct bytes){ car.ptr, n }, &fault);
		car = (struct bytes){ car.ptr + n, car.len - n };
		assert_true(!spills || repo->spool.mem_size <= IN_MEMORY_MAX);
	}
	if (rc == 0 && repo_feed_end(repo, &fault) == 0 &&
	    repo_check_commit(repo, &expect, &fault) == 0 &&
	    repo_check_tree(repo, SIZE_MAX, &fault) == REPO_DONE)
		*content_out = content_of(repo);
	else
		rc = -1;
	assert_true(rc == 0 || fault.code != FAULT_NONE);
	repo_free(&repo);
	return rc;
}

static void
find_blocks(struct original *original)
{
	struct car car = CAR_INIT;
	struct car_block block;
	struct fault fault;
	enum car_step step;

	do {
		step = car_next(&car,
		    (struct bytes){ buf_data(&original->car) + car.offset,
		    buf_len(&original->car) - (size_t)car.offset }, &block, &fault);
		if (step > CAR_MORE)
			original->offsets[original->blocks++] = (size_t)car.offset;
	} while (step > CAR_MORE);
	original->blocks--;	/* the last offset is the end */
}

static int
make_originals(void **state BF_UNUSED)
{
	static const size_t records[ORIGINALS] = { 0, 1, 5, 20, 60, 150 };
	struct keypair *pair = maker_keypair(KEY_K256);

	sha = sha256_new();
	key = keypair_public(pair);
	spill = tmpfile();
	for (size_t i = 0; i < ORIGINALS; i++) {
		struct maker *maker = maker_new();

		maker_add_samples(maker, records[i], i);
		maker_finish(maker, STR(MAKER_DID), STR(MAKER_REV), pair,
		    i % 2 == 0 ? MAKER_TREE_ORDER : MAKER_CID_ORDER, &originals[i].car);
		maker_free(&maker);
		find_blocks(&originals[i]);
		assert_int_equal(judge(buf_bytes(&originals[i].car), true, false,
		    &originals[i].content), 0);
	}
	keypair_free(&pair);
	return 0;
}

static int
free_originals(void **state BF_UNUSED)
{
	for (size_t i = 0; i < ORIGINALS; i++)
		buf_clear(&originals[i].car);
	sha256_free(&sha);
	fclose(spill);
	return 0;
}

static struct bytes
block_of(const struct original *from, size_t i)
{
	return (struct bytes){ buf_data(&from->car) + from->offsets[i],
	    from->offsets[i + 1] - from->offsets[i] };
}

static void
add_header(struct buf *to, const struct original *from)
{
	buf_add(to, buf_data(&from->car), from->offsets[0]);
}

static void
copy_whole(struct buf *to, const struct original *from)
{
	buf_add(to, buf_data(&from->car), buf_len(&from->car));
}

static void
flip_bits(struct buf *to, const struct original *from)
{
	copy_whole(to, from);
	for (size_t n = 1 + below(3); n > 0; n--)
		buf_data(to)[below(buf_len(to))] ^= (uint8_t)(1 << below(8));
}

static void
set_bytes(struct buf *to, const struct original *from)
{
	static const uint8_t favourites[] = { 0x00, 0xff, 0x7f, 0x80, 0x81, 0xa2, 0xf6,
	    0xfb, 0x5b, 0x9f, 0xbf, 0xd8 };

	copy_whole(to, from);
	for (size_t n = 1 + below(4); n > 0; n--)
		buf_data(to)[below(buf_len(to))] = below(2) == 0 ? (uint8_t)below(256) :
		    favourites[below(sizeof(favourites))];
}

static void
truncate_bytes(struct buf *to, const struct original *from)
{
	buf_add(to, buf_data(&from->car), below(buf_len(&from->car)));
}

static void
drop_range(struct buf *to, const struct original *from)
{
	size_t len = buf_len(&from->car), at = below(len), n = below(len - at);

	buf_add(to, buf_data(&from->car), at);
	buf_add(to, buf_data(&from->car) + at + n, len - at - n);
}

static void
repeat_range(struct buf *to, const struct original *from)
{
	size_t len = buf_len(&from->car), at = below(len), n = below(len - at);

	buf_add(to, buf_data(&from->car), at + n);
	buf_add(to, buf_data(&from->car) + at, len - at);
}

static void
reorder_blocks(struct buf *to, const struct original *from)
{
	size_t start = below(from->blocks);

	add_header(to, from);
	for (size_t i = 0; i < from->blocks; i++) {
		struct bytes block = block_of(from,
		    (start + from->blocks - i) % from->blocks);

		buf_add(to, block.ptr, block.len);
	}
}

static void
repeat_or_drop_blocks(struct buf *to, const struct original *from)
{
	add_header(to, from);
	for (size_t i = 0; i < from->blocks; i++) {
		struct bytes block = block_of(from, i);
		size_t times = below(30) == 0 ? below(4) : 1;

		while (times-- > 0)
			buf_add(to, block.ptr, block.len);
	}
}

static void
splice_blocks(struct buf *to, const struct original *from)
{
	const struct original *other = &originals[below(ORIGINALS)];

	add_header(to, from);
	for (size_t i = 0; i < from->blocks; i++) {
		struct bytes block = below(20) == 0 ?
		    block_of(other, below(other->blocks)) : block_of(from, i);

		buf_add(to, block.ptr, block.len);
	}
}

typedef void mutate_fn(struct buf *to, const struct original *from);

static mutate_fn *const mutations[] = { flip_bits, set_bytes, truncate_bytes, drop_range,
    repeat_range, reorder_blocks, repeat_or_drop_blocks, splice_blocks };

static void
replace_cid(struct buf *in, const uint8_t *old_cid, const uint8_t *new_cid)
{
	uint8_t *at = buf_data(in), *end = at + buf_len(in);

	while (end - at >= CID_BYTES &&
	    (at = memmem(at, (size_t)(end - at), old_cid, CID_BYTES)) != NULL) {
		memcpy(at, new_cid, CID_BYTES);
		at += CID_BYTES;
	}
}

/* Give each block the CID of its content and each link the new CID, until nothing
 * changes: what was damaged now lies behind hashes that are right. */
static void
rehash(struct buf *car_bytes)
{
	bool changed = true;

	for (int round = 0; changed && round < 16; round++) {
		struct car car = CAR_INIT;
		struct car_block block;
		struct fault fault;
		enum car_step step;

		changed = false;
		while ((step = car_next(&car,
		    (struct bytes){ buf_data(car_bytes) + car.offset,
		    buf_len(car_bytes) - (size_t)car.offset }, &block,
		    &fault)) > CAR_MORE) {
			struct cid cid, old;

			if (step != CAR_BLOCK || cid_unpack(block.cid, &old) < 0)
				continue;
			cid_of(sha, cid_codec(&old), block.data, &cid);
			if (cid_eq(&cid, &old))
				continue;
			replace_cid(car_bytes, old.bytes, cid.bytes);
			changed = true;
		}
	}
}

/* Damage inside one block, hidden behind right hashes. */
static void
damage_deeply(struct buf *to, const struct original *from)
{
	size_t i = below(from->blocks);
	size_t head = 38, start = from->offsets[i] + head, end = from->offsets[i + 1];

	copy_whole(to, from);
	if (end <= start)
		return;
	for (size_t n = 1 + below(2); n > 0; n--)
		buf_data(to)[start + below(end - start)] ^= (uint8_t)(1 << below(8));
	rehash(to);
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t value;

	return text != NULL && str_to_u64(str_from(text), &value) == 0 ? value :
	    otherwise;
}

static void
run_mutants(uint64_t share, mutate_fn *only, bool checks_signature)
{
	uint64_t n = setting("BF_MUTANTS", MUTANTS) * share / 100, i;
	uint64_t seed = setting("BF_MUTANT_SEED", 1), accepted = 0;
	time_t start = time(NULL);
	struct buf mutant = BUF_INIT;

	for (i = 0; i < n && time(NULL) - start < SECONDS_MAX; i++) {
		const struct original *from;
		uint64_t content = 0;

		rng = seed * 1000003 + i;
		from = &originals[below(ORIGINALS)];
		buf_reset(&mutant);
		(only != NULL ? only : mutations[below(BF_ARRAY_LEN(mutations))])(&mutant,
		    from);
		if (judge(buf_bytes(&mutant), checks_signature, below(8) == 0,
		    &content) < 0)
			continue;
		accepted++;
		if (checks_signature && content != from->content)
			fail_msg("seed %" PRIu64 ", mutant %" PRIu64 " says something else",
			    seed, i);
	}
	buf_clear(&mutant);
	print_message("# %" PRIu64 " mutants, %" PRIu64 " accepted%s\n", i, accepted,
	    i < n ? "; stopped: out of time" : "");
}

static void
no_mutant_is_accepted_that_says_something_else(void **state BF_UNUSED)
{
	run_mutants(80, NULL, true);
}

static void
damage_behind_right_hashes_is_survived(void **state BF_UNUSED)
{
	run_mutants(20, damage_deeply, false);
}

static void
memory_stays_under_its_limit(void **state BF_UNUSED)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	print_message("# peak RSS %ld kB\n", usage.ru_maxrss);
#ifndef BF_SANITIZED
	assert_true(usage.ru_maxrss < RSS_MAX_KB);
#endif
}

static const struct CMUnitTest mutant_tests[] = {
	cmocka_unit_test(no_mutant_is_accepted_that_says_something_else),
	cmocka_unit_test(damage_behind_right_hashes_is_survived),
	cmocka_unit_test(memory_stays_under_its_limit),
};

int
main(void)
{
	unit_use_tap();
	return cmocka_run_group_tests(mutant_tests, make_originals, free_originals);
}

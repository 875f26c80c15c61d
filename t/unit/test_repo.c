/*
 * test_repo.c - whole repositories: the CARs of the vectors, good and bad, in
 * pieces of every size, in memory and spilled; real commits; walks with filters.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atproto/basex.h"
#include "atproto/car.h"
#include "atproto/dagcbor.h"
#include "atproto/diddoc.h"
#include "atproto/repo.h"
#include "atproto/repo_internal.h"
#include "common/clock.h"
#include "common/mem.h"
#include "t/unit/maker.h"
#include "t/unit/vectors.h"

/* How a repository is fed and stored; what comes out must not depend on it. */
struct way {
	size_t piece_bytes, memory_bytes;
	bool spills, maps;
};

static const struct way ways[] = {
	{ SIZE_MAX, 64 << 20, false, false },
	{ 1, 64 << 20, false, false },
	{ 7, 64 << 20, false, false },
	{ 4096, 1, true, true },
	{ 100, 1000, true, true },
	{ 4096, 1, true, false },
};

/* Where the address space is limited the spill file cannot be mapped: as if. */
static void
unmap(struct repo *repo)
{
	if (repo->spool.map != NULL)
		munmap((void *)(uintptr_t)repo->spool.map, repo->spool.len);
	repo->spool.map = NULL;
}

static int
feed(struct repo *repo, struct bytes car, size_t piece_bytes, struct fault *fault)
{
	while (car.len > 0) {
		size_t n = car.len < piece_bytes ? car.len : piece_bytes;

		if (repo_feed(repo, (struct bytes){ car.ptr, n }, fault) < 0)
			return -1;
		car.ptr += n;
		car.len -= n;
	}
	return repo_feed_end(repo, fault);
}

static struct repo *
new_repo(const struct way *way, FILE **spill_out)
{
	struct repo_options options = REPO_OPTIONS_DEFAULT;

	*spill_out = way->spills ? tmpfile() : NULL;
	options.memory_bytes = way->memory_bytes;
	options.spill_fd = way->spills ? fileno(*spill_out) : -1;
	return repo_new(&options);
}

static int
prove(struct repo *repo, struct bytes car, const struct way *way,
    const struct commit_expect *expect, struct fault *fault)
{
	enum repo_step step;

	if (feed(repo, car, way->piece_bytes, fault) < 0)
		return -1;
	if (way->spills && !way->maps)
		unmap(repo);
	if (repo_check_commit(repo, expect, fault) < 0)
		return -1;
	do
		step = repo_check_tree(repo, 3, fault);
	while (step == REPO_AGAIN);
	return step == REPO_DONE ? 0 : -1;
}

/* path<TAB>cid<TAB>bytes of each good record; bad ones are counted. */
static struct buf
list(struct repo *repo, const struct filter *filter, size_t *bad_out)
{
	struct repo_walk *walk = repo_walk_new(repo, filter);
	struct repo_record record;
	struct buf text = BUF_INIT;
	struct fault fault;
	int rc;

	*bad_out = 0;
	while ((rc = repo_walk_next(walk, &record, &fault)) > 0) {
		char cid[CID_TEXT_SIZE];

		assert_int_equal(record.path.len, record.collection.len + 1 + record.rkey.len);
		if (record.bad != FAULT_NONE) {
			assert_int_equal(repo_walk_fault(walk).code, record.bad);
			assert_int_equal(record.bytes.len, 0);
			++*bad_out;
			continue;
		}
		assert_int_equal(dagcbor_check(record.bytes, &fault), 0);
		cid_format(&record.cid, cid);
		buf_printf(&text, "%.*s\t%s\t%zu\n", STR_FMT(record.path), cid,
		    record.bytes.len);
	}
	assert_int_equal(rc, 0);
	repo_walk_free(&walk);
	return text;
}

static void
check_expectation(const char *name, struct str expect, bool is_valid, uint64_t bad)
{
	bool wants_reject = str_starts_with(expect, STR("reject")) &&
	    !str_eq(expect, STR("reject-record"));
	bool wants_bad = str_eq(expect, STR("reject-record"));

	if (str_eq(expect, STR("accept-or-reject")))
		return;
	if (is_valid == wants_reject)
		fail_msg("%s: should be %.*s", name, STR_FMT(expect));
	if (is_valid && (bad > 0) != wants_bad)
		fail_msg("%s: %d bad records", name, (int)bad);
}

static void
check_synthetic(const json_t *entry, const json_t *dids)
{
	struct str file = vectors_member(entry, "file"), did = vectors_member(entry, "did");
	struct str key_text = vectors_member(json_object_get(dids, did.ptr), "key");
	enum fault_code first = FAULT_NONE;
	char path[256];
	struct buf car;
	struct key key;

	snprintf(path, sizeof(path), "derived/synthetic-cars/%.*s", STR_FMT(file));
	car = vectors_read(path);
	assert_int_equal(key_parse_multikey(key_text, &key), 0);
	for (size_t w = 0; w < BF_ARRAY_LEN(ways); w++) {
		struct commit_expect expect = { .did = did, .key = &key,
		    .now_us = clock_wall_us() };
		struct fault fault = FAULT_INIT;
		FILE *spill;
		struct repo *repo = new_repo(&ways[w], &spill);
		int rc = prove(repo, buf_bytes(&car), &ways[w], &expect, &fault);

		check_expectation(path, vectors_member(entry, "expect"), rc == 0,
		    repo_stats(repo).records_bad);
		if (w == 0)
			first = fault.code;
		assert_int_equal(fault.code, first);
		repo_free(&repo);
		if (spill != NULL)
			fclose(spill);
	}
	buf_clear(&car);
}

static void
repo__of_the_synthetic_vectors_is_judged_as_they_say(void **state BF_UNUSED)
{
	json_t *manifest;
	const json_t *entry;
	size_t i;

	vectors_need();
	manifest = vectors_json("derived/synthetic-cars/manifest.json");
	json_array_foreach(json_object_get(manifest, "files"), i, entry)
		check_synthetic(entry, json_object_get(manifest, "dids"));
	assert_true(i >= 50);
	json_decref(manifest);
}

/* Links that stand in an index must lead to what the index says. */
static void
check_sample(const json_t *entry)
{
	struct str file = vectors_member(entry, "file");
	bool is_whole = json_integer_value(json_object_get(entry, "mst_nodes_missing")) == 0 &&
	    json_integer_value(json_object_get(entry, "record_blocks_missing")) == 0;
	struct commit_expect expect = { .allow_version2 = true };
	struct buf car = vectors_read(file.ptr), want;
	char tsv[512];

	snprintf(tsv, sizeof(tsv), "derived/records/%.*s.tsv", STR_FMT(file));
	for (char *c = tsv + strlen("derived/records/"); *c != '\0'; c++)
		if (*c == '/') {
			memmove(c + 2, c + 1, strlen(c + 1) + 1);
			*c++ = '_';
			*c = '_';
		}
	want = vectors_read(tsv);
	for (size_t w = 0; w < BF_ARRAY_LEN(ways); w++) {
		struct fault fault = FAULT_INIT;
		FILE *spill;
		struct repo *repo = new_repo(&ways[w], &spill);
		int rc = prove(repo, buf_bytes(&car), &ways[w], &expect, &fault);
		size_t bad;

		assert_int_equal(rc, is_whole ? 0 : -1);
		if (rc == 0) {
			struct buf got = list(repo, NULL, &bad);
			struct repo_stats stats = repo_stats(repo);

			assert_true(bytes_eq(buf_bytes(&got), buf_bytes(&want)));
			assert_int_equal(bad, 0);
			assert_int_equal(stats.nodes,
			    json_integer_value(json_object_get(entry, "mst_nodes")));
			assert_int_equal(stats.blocks,
			    json_integer_value(json_object_get(entry, "blocks")));
			/* One piece is in memory before the limit is looked at. */
			if (!ways[w].spills || stats.bytes > 8192)
				assert_int_equal(stats.spilled_bytes,
				    ways[w].spills ? stats.bytes : 0);
			buf_clear(&got);
		} else {
			assert_int_equal(fault.code, FAULT_NODE_MISSING);
		}
		repo_free(&repo);
		if (spill != NULL)
			fclose(spill);
	}
	buf_clear(&want);
	buf_clear(&car);
}

static void
repo__of_the_sample_vectors_has_the_listed_records(void **state BF_UNUSED)
{
	json_t *expectations;
	const json_t *entry;
	size_t i;

	vectors_need();
	expectations = vectors_json("derived/car_expectations.json");
	json_array_foreach(expectations, i, entry)
		check_sample(entry);
	assert_true(i >= 10);
	json_decref(expectations);
}

static void
commit__has_the_digest_and_signature_of_the_vectors(void **state BF_UNUSED)
{
	json_t *cases;
	const json_t *entry;
	size_t i, judged = 0;

	vectors_need();
	cases = vectors_json("derived/commit_signatures.json");
	json_array_foreach(cases, i, entry) {
		struct buf car = vectors_read(vectors_member(entry, "file").ptr);
		struct buf digest = vectors_hex(vectors_member(entry, "sha256_hex"));
		struct buf point = vectors_hex(vectors_member(entry, "pubkey_compressed_hex"));
		struct str curve = vectors_member(entry, "curve");
		struct commit_expect expect = { .allow_version2 = true };
		struct fault fault;
		FILE *spill;
		struct repo *repo = new_repo(&ways[0], &spill);
		struct key key;

		assert_int_equal(feed(repo, buf_bytes(&car), SIZE_MAX, &fault), 0);
		assert_memory_equal(repo_commit(repo)->digest, buf_data(&digest), SHA256_BYTES);
		if (curve.len > 0) {
			bool is_valid = json_is_true(json_object_get(entry, "atproto_valid"));

			assert_int_equal(key_from_point(str_eq(curve, STR("secp256k1")) ?
			    KEY_K256 : KEY_P256, buf_bytes(&point), &key), 0);
			expect.key = &key;
			assert_int_equal(repo_check_commit(repo, &expect, &fault),
			    is_valid ? 0 : -1);
			judged++;
		}
		repo_free(&repo);
		buf_clear(&car);
		buf_clear(&digest);
		buf_clear(&point);
	}
	assert_true(judged >= 3);
	json_decref(cases);
}

/* The commit block of a CAR that is not a whole repository. */
static void
check_firehose_commit(struct bytes car_bytes, const json_t *docs, struct sha256 *sha)
{
	struct car car = CAR_INIT;
	struct car_block block;
	struct fault fault;
	struct commit commit;
	enum car_step step;
	bool found = false;

	while ((step = car_next(&car, (struct bytes){ car_bytes.ptr + car.offset,
	    car_bytes.len - (size_t)car.offset }, &block, &fault)) > CAR_MORE)
		if (step == CAR_BLOCK && memcmp(block.cid.ptr, car.root.bytes, CID_BYTES) == 0) {
			assert_int_equal(commit_parse(block.data, &car.root, sha, &commit,
			    &fault), 0);
			found = true;
		}
	assert_int_equal(step, CAR_MORE);
	assert_int_equal(car_end(&car, car_bytes.len - car.offset, &fault), 0);
	assert_true(found);

	char *did = xstrndup(commit.did.ptr, commit.did.len);
	const json_t *doc_json = json_object_get(docs, did);
	char *text = json_is_string(doc_json) ? xstrdup(json_string_value(doc_json)) :
	    json_dumps(doc_json, 0);
	struct diddoc doc;
	struct err err;

	assert_int_equal(diddoc_parse((struct bytes){ (uint8_t *)text, strlen(text) },
	    str_from(did), false, &doc, &err), 0);
	assert_int_equal(commit_check(&commit, &(struct commit_expect){
	    .did = str_from(did), .key = &doc.key }, &fault), 0);
	diddoc_clear(&doc);
	free(text);
	free(did);
}

static void
commit__of_real_firehose_frames_is_signed_by_its_account(void **state BF_UNUSED)
{
	static const uint8_t head[] = "\xa2\x61t\x67#commit\x62op\x01";
	size_t head_len = sizeof(head) - 1, commits = 0;
	struct sha256 *sha;
	struct buf frames;
	json_t *docs;

	vectors_need();
	sha = sha256_new();
	frames = vectors_read("jetstream/internal/corpus/testdata/frames.bin");
	docs = vectors_json("jetstream/internal/corpus/testdata/did_docs.json");
	while (buf_len(&frames) > 4) {
		const uint8_t *at = buf_data(&frames);
		size_t len = at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16;
		struct bytes body = { at + 4 + head_len, len - head_len };
		struct dagcbor_item blocks;
		struct fault fault;

		if (memcmp(at + 4, head, head_len) == 0) {
			assert_int_equal(dagcbor_check(body, &fault), 0);
			assert_true(dagcbor_find_item(dagcbor_read(body), STR("blocks"),
			    DAGCBOR_BYTES, &blocks));
			check_firehose_commit(blocks.bytes, docs, sha);
			commits++;
		}
		buf_consume(&frames, 4 + len);
	}
	assert_int_equal(commits, 148);
	json_decref(docs);
	buf_clear(&frames);
	sha256_free(&sha);
}

static void
car__is_written_as_the_reference_writes_it(void **state BF_UNUSED)
{
	json_t *fixtures;
	const json_t *fixture, *entry;
	size_t i, b;

	vectors_need();
	fixtures = vectors_json("atproto/packages/repo/tests/car-file-fixtures.json");
	json_array_foreach(fixtures, i, fixture) {
		struct buf want = BUF_INIT, got = BUF_INIT;
		struct cid cid;

		assert_int_equal(base64_decode(vectors_member(fixture, "car"), &want), 0);
		assert_int_equal(cid_parse(vectors_member(fixture, "root"), &cid), 0);
		car_write_header(&got, &cid);
		json_array_foreach(json_object_get(fixture, "blocks"), b, entry) {
			struct buf data = BUF_INIT;

			assert_int_equal(base64_decode(vectors_member(entry, "bytes"), &data), 0);
			assert_int_equal(cid_parse(vectors_member(entry, "cid"), &cid), 0);
			car_write_block(&got, &cid, buf_bytes(&data));
			buf_clear(&data);
		}
		assert_true(bytes_eq(buf_bytes(&want), buf_bytes(&got)));
		buf_clear(&want);
		buf_clear(&got);
	}
	assert_true(i > 0);
	json_decref(fixtures);
}

static void
car__with_cids_of_other_kinds_is_framed(void **state BF_UNUSED)
{
	struct buf bytes;
	struct car car = CAR_INIT;
	struct car_block block;
	struct fault fault;
	enum car_step step;
	size_t n = 0, foreign = 0;

	vectors_need();
	bytes = vectors_read("ipld/specs/transport/car/fixture/carv1-basic/carv1-basic.car");
	while ((step = car_next(&car, (struct bytes){ buf_data(&bytes) + car.offset,
	    buf_len(&bytes) - (size_t)car.offset }, &block, &fault)) > CAR_MORE) {
		if (step != CAR_BLOCK)
			continue;
		n++;
		foreign += block.cid.len != CID_BYTES;
	}
	assert_int_equal(step, CAR_MORE);
	assert_int_equal(n, 8);
	assert_true(foreign > 0);
	buf_clear(&bytes);
}

static struct buf
made(size_t records, enum maker_order order)
{
	struct maker *maker = maker_new();
	struct keypair *pair = maker_keypair(KEY_P256);
	struct buf car = BUF_INIT;

	maker_add_samples(maker, records, 3);
	maker_finish(maker, STR(MAKER_DID), STR(MAKER_REV), pair, order, &car);
	keypair_free(&pair);
	maker_free(&maker);
	return car;
}

static struct repo *
proved(struct bytes car)
{
	struct keypair *pair = maker_keypair(KEY_P256);
	struct key key = keypair_public(pair);
	struct commit_expect expect = { .did = STR(MAKER_DID), .key = &key };
	struct fault fault;
	FILE *spill;
	struct repo *repo = new_repo(&ways[0], &spill);

	assert_int_equal(prove(repo, car, &ways[0], &expect, &fault), 0);
	keypair_free(&pair);
	return repo;
}

static void
repo__is_the_same_in_whatever_order_its_blocks_come(void **state BF_UNUSED)
{
	struct buf first = made(3000, MAKER_TREE_ORDER), second = made(3000, MAKER_CID_ORDER);
	struct repo *a = proved(buf_bytes(&first)), *b = proved(buf_bytes(&second));
	size_t bad;
	struct buf list_a = list(a, NULL, &bad), list_b = list(b, NULL, &bad);

	assert_int_equal(repo_stats(a).records, 3000);
	assert_true(bytes_eq(buf_bytes(&list_a), buf_bytes(&list_b)));
	repo_free(&a);
	repo_free(&b);
	buf_clear(&list_a);
	buf_clear(&list_b);
	buf_clear(&first);
	buf_clear(&second);
}

static struct buf
lines_of(const struct buf *all, const char *prefix)
{
	struct buf some = BUF_INIT;
	struct str rest = buf_str(all);

	while (rest.len > 0) {
		size_t len = (size_t)((const char *)memchr(rest.ptr, '\n', rest.len) -
		    rest.ptr) + 1;

		if (str_starts_with(rest, str_from(prefix)))
			buf_add(&some, rest.ptr, len);
		rest = (struct str){ rest.ptr + len, rest.len - len };
	}
	return some;
}

static void
walk__with_a_filter_gives_its_records_and_leaves_out_the_other_subtrees(
    void **state BF_UNUSED)
{
	static const char *const patterns[][2] = {
		{ "app.bsky.feed.post", "app.bsky.feed.post/" },
		{ "app.bsky.feed.*", "app.bsky.feed." },
		{ "app.bsky.graph.follow", "app.bsky.graph.follow/" },
		{ "app.bsky.*", "" },
		{ "pub.chive.*", "pub.chive." },
		{ "app.bsky.feed.likes", "app.bsky.feed.likes/" },
	};
	struct buf car = made(5000, MAKER_CID_ORDER);
	struct repo *repo = proved(buf_bytes(&car));
	size_t bad;
	struct buf all = list(repo, NULL, &bad);

	for (size_t i = 0; i < BF_ARRAY_LEN(patterns); i++) {
		struct filter *filter = filter_new();
		struct buf want = lines_of(&all, patterns[i][1]), got;
		struct repo_walk *walk;
		struct repo_record record;
		struct fault fault;
		size_t n = 0;

		assert_int_equal(filter_add(filter, str_from(patterns[i][0])), 0);
		got = list(repo, filter, &bad);
		assert_true(bytes_eq(buf_bytes(&want), buf_bytes(&got)));

		walk = repo_walk_new(repo, filter);
		while (repo_walk_next(walk, &record, &fault) > 0)
			n++;
		/* The nodes on the way, and those that hold what is wanted. */
		assert_true(repo_walk_nodes(walk) <= n + 2 * 10);
		repo_walk_free(&walk);
		filter_free(&filter);
		buf_clear(&want);
		buf_clear(&got);
	}
	repo_free(&repo);
	buf_clear(&all);
	buf_clear(&car);
}

static void
walk__can_stand_while_others_go_on(void **state BF_UNUSED)
{
	struct buf car = made(500, MAKER_CID_ORDER);
	struct repo *repo = proved(buf_bytes(&car));
	struct repo_walk *slow = repo_walk_new(repo, NULL), *fast = repo_walk_new(repo, NULL);
	struct repo_record a, b;
	struct fault fault;
	char first[128];

	assert_int_equal(repo_walk_next(slow, &a, &fault), 1);
	str_copy(first, sizeof(first), a.path);
	while (repo_walk_next(fast, &b, &fault) > 0)
		;
	assert_true(str_eq(a.path, str_from(first)));
	assert_int_equal(repo_walk_next(slow, &a, &fault), 1);
	assert_true(str_cmp(str_from(first), a.path) < 0);
	repo_walk_free(&slow);
	repo_walk_free(&fast);
	repo_free(&repo);
	buf_clear(&car);
}

static void
check_commit__can_be_tried_again_with_a_fresh_key(void **state BF_UNUSED)
{
	struct buf car = made(10, MAKER_CID_ORDER);
	struct keypair *right = maker_keypair(KEY_P256), *wrong = maker_keypair(KEY_K256);
	struct key right_key = keypair_public(right), wrong_key = keypair_public(wrong);
	struct commit_expect expect = { .did = STR(MAKER_DID), .key = &wrong_key };
	struct fault fault;
	FILE *spill;
	struct repo *repo = new_repo(&ways[0], &spill);

	assert_int_equal(feed(repo, buf_bytes(&car), SIZE_MAX, &fault), 0);
	assert_int_equal(repo_check_commit(repo, &expect, &fault), -1);
	assert_int_equal(fault.code, FAULT_SIG_WRONG);
	expect.key = &right_key;
	assert_int_equal(repo_check_commit(repo, &expect, &fault), 0);
	repo_free(&repo);
	keypair_free(&right);
	keypair_free(&wrong);
	buf_clear(&car);
}

static void
repo__that_failed_stays_failed(void **state BF_UNUSED)
{
	struct buf car = made(10, MAKER_CID_ORDER);
	struct fault first, fault;
	struct commit_expect expect = { .now_us = 0 };
	FILE *spill;
	struct repo *repo = new_repo(&ways[0], &spill);

	buf_data(&car)[buf_len(&car) - 1] ^= 1;
	assert_int_equal(repo_feed(repo, buf_bytes(&car), &first), -1);
	assert_int_equal(first.code, FAULT_BLOCK_HASH);
	assert_int_equal(repo_feed(repo, BYTES_NONE, &fault), -1);
	assert_int_equal(repo_feed_end(repo, &fault), -1);
	assert_int_equal(repo_check_commit(repo, &expect, &fault), -1);
	assert_int_equal(repo_check_tree(repo, 1, &fault), REPO_FAILED);
	assert_int_equal(fault.code, first.code);
	assert_true(fault.offset == first.offset);
	repo_free(&repo);
	buf_clear(&car);
}

/* The real memory is seen by the benchmark; here, what the repository holds. */
static void
repo__holds_no_more_than_its_memory_limit(void **state BF_UNUSED)
{
	struct buf car = made(20000, MAKER_CID_ORDER);
	struct way way = { 65536, 1 << 20, true, true };
	struct commit_expect expect = { .did = STR(MAKER_DID) };
	struct fault fault;
	FILE *spill;
	struct repo *repo = new_repo(&way, &spill);
	struct bytes rest = buf_bytes(&car);

	while (rest.len > 0) {
		size_t n = rest.len < way.piece_bytes ? rest.len : way.piece_bytes;

		assert_int_equal(repo_feed(repo, (struct bytes){ rest.ptr, n }, &fault), 0);
		rest = (struct bytes){ rest.ptr + n, rest.len - n };
		assert_true(repo->spool.mem_size <= 2 * way.memory_bytes);
		if (repo->spool.spilled_bytes > 0)
			assert_true(repo->spool.mem_size <= 512 * 1024);
	}
	assert_int_equal(repo_feed_end(repo, &fault), 0);
	assert_null(repo->spool.mem);
	assert_int_equal(repo_check_commit(repo, &expect, &fault), 0);
	assert_int_equal(repo_check_tree(repo, SIZE_MAX, &fault), REPO_DONE);
	repo_free(&repo);
	fclose(spill);
	buf_clear(&car);
}

static const struct CMUnitTest repo_tests[] = {
	cmocka_unit_test(repo__of_the_synthetic_vectors_is_judged_as_they_say),
	cmocka_unit_test(repo__of_the_sample_vectors_has_the_listed_records),
	cmocka_unit_test(commit__has_the_digest_and_signature_of_the_vectors),
	cmocka_unit_test(commit__of_real_firehose_frames_is_signed_by_its_account),
	cmocka_unit_test(car__is_written_as_the_reference_writes_it),
	cmocka_unit_test(car__with_cids_of_other_kinds_is_framed),
	cmocka_unit_test(repo__is_the_same_in_whatever_order_its_blocks_come),
	cmocka_unit_test(walk__with_a_filter_gives_its_records_and_leaves_out_the_other_subtrees),
	cmocka_unit_test(walk__can_stand_while_others_go_on),
	cmocka_unit_test(check_commit__can_be_tried_again_with_a_fresh_key),
	cmocka_unit_test(repo__that_failed_stays_failed),
	cmocka_unit_test(repo__holds_no_more_than_its_memory_limit),
};

UNIT_MAIN(repo_tests)

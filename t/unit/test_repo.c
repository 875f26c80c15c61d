/*
 * test_repo.c - whole repositories: the order of calls, memory, walks with filters.
 */
#include "t/unit/unit.h"

#include <unistd.h>

#include "atproto/repo_internal.h"
#include "t/unit/maker.h"
#include "t/unit/repo_rig.h"

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
	struct repo *repo = repo_rig_new(&repo_ways[0], &spill);

	assert_int_equal(repo_rig_prove(repo, car, &repo_ways[0], &expect, &fault), 0);
	keypair_free(&pair);
	return repo;
}

static void
repo__is_the_same_in_whatever_order_its_blocks_come(void **state BF_UNUSED)
{
	struct buf first = made(3000, MAKER_TREE_ORDER),
	    second = made(3000, MAKER_CID_ORDER);
	struct repo *a = proved(buf_bytes(&first)), *b = proved(buf_bytes(&second));
	size_t bad;
	struct buf list_a = repo_rig_list(a, NULL, &bad),
	    list_b = repo_rig_list(b, NULL, &bad);

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
	struct buf all = repo_rig_list(repo, NULL, &bad);

	for (size_t i = 0; i < BF_ARRAY_LEN(patterns); i++) {
		struct filter *filter = filter_new();
		struct buf want = lines_of(&all, patterns[i][1]), got;
		struct repo_walk *walk;
		struct repo_record record;
		struct fault fault;
		size_t n = 0;

		assert_int_equal(filter_add(filter, str_from(patterns[i][0])), 0);
		got = repo_rig_list(repo, filter, &bad);
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
	struct repo_walk *slow = repo_walk_new(repo, NULL),
	    *fast = repo_walk_new(repo, NULL);
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
check_tree__goes_on_from_where_its_budget_ended(void **state BF_UNUSED)
{
	static const size_t budgets[] = { 0, 1, 10, SIZE_MAX };
	struct buf car = made(2000, MAKER_CID_ORDER);
	struct fault fault;
	FILE *spill;
	struct repo *repo = repo_rig_new(&repo_ways[0], &spill);

	assert_int_equal(repo_rig_feed(repo, buf_bytes(&car), SIZE_MAX, &fault), 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(budgets); i++)
		assert_int_equal(repo_check_tree(repo, budgets[i], &fault),
		    budgets[i] == SIZE_MAX ? REPO_DONE : REPO_AGAIN);
	assert_int_equal(repo_stats(repo).records, 2000);
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
	struct repo *repo = repo_rig_new(&repo_ways[0], &spill);

	assert_int_equal(repo_rig_feed(repo, buf_bytes(&car), SIZE_MAX, &fault), 0);
	assert_int_equal(repo_check_commit(repo, &expect, &fault), -1);
	assert_int_equal(fault.code, FAULT_SIG_WRONG);
	expect.key = &right_key;
	assert_int_equal(repo_check_commit(repo, &expect, &fault), 0);
	repo_free(&repo);
	keypair_free(&right);
	keypair_free(&wrong);
	buf_clear(&car);
}

/* Records are looked up some time after their keys: none may slip through. */
static void
check_tree__names_an_absent_record_at_either_end(void **state BF_UNUSED)
{
	static const char *const keys[] = { "a.a.a/first", "z.z.z/last" };
	struct sha256 *sha = sha256_new();
	struct cid absent;

	cid_of(sha, CID_DAG_CBOR, BYTES_NONE, &absent);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct maker *maker = maker_new();
		struct keypair *pair = maker_keypair(KEY_P256);
		struct key key = keypair_public(pair);
		struct commit_expect expect = { .did = STR(MAKER_DID), .key = &key };
		struct buf car = BUF_INIT;
		struct fault fault;
		FILE *spill;
		struct repo *repo = repo_rig_new(&repo_ways[0], &spill);

		if (i == 0)	/* paths ascend */
			maker_add_link(maker, str_from(keys[i]), &absent);
		maker_add_samples(maker, 300, 3);
		if (i == 1)
			maker_add_link(maker, str_from(keys[i]), &absent);
		maker_finish(maker, STR(MAKER_DID), STR(MAKER_REV), pair,
		    MAKER_CID_ORDER, &car);
		assert_int_equal(repo_rig_prove(repo, buf_bytes(&car), &repo_ways[0],
		    &expect, &fault), -1);
		assert_int_equal(fault.code, FAULT_RECORD_MISSING);
		assert_string_equal(fault.detail, keys[i]);
		repo_free(&repo);
		buf_clear(&car);
		keypair_free(&pair);
		maker_free(&maker);
	}
	sha256_free(&sha);
}

static void
repo__that_failed_stays_failed(void **state BF_UNUSED)
{
	struct buf car = made(10, MAKER_CID_ORDER);
	struct fault first, fault;
	struct commit_expect expect = { .now_us = 0 };
	FILE *spill;
	struct repo *repo = repo_rig_new(&repo_ways[0], &spill);

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
	struct repo_way way = { 65536, 1 << 20, true, true, false };
	struct commit_expect expect = { .did = STR(MAKER_DID) };
	struct fault fault;
	FILE *spill;
	struct repo *repo = repo_rig_new(&way, &spill);
	struct bytes rest = buf_bytes(&car);

	while (rest.len > 0) {
		size_t n = rest.len < way.piece_bytes ? rest.len : way.piece_bytes;

		assert_int_equal(repo_feed(repo, (struct bytes){ rest.ptr, n }, &fault),
		    0);
		rest = (struct bytes){ rest.ptr + n, rest.len - n };
		assert_true(repo->spool.mem_size <= way.memory_bytes);
		if (repo->spool.spilled_bytes > 0)
			assert_true(repo->spool.mem_size <= 256 * 1024);
	}
	assert_int_equal(repo_feed_end(repo, &fault), 0);
	assert_null(repo->spool.mem);
	assert_int_equal(repo_check_commit(repo, &expect, &fault), 0);
	assert_int_equal(repo_check_tree(repo, SIZE_MAX, &fault), REPO_DONE);
	repo_free(&repo);
	fclose(spill);
	buf_clear(&car);
}

static void
repo__refuses_a_file_that_is_shorter_than_what_it_was_fed(void **state BF_UNUSED)
{
	struct repo_way way = { 4096, 1, true, true, true };
	struct buf car = made(100, MAKER_CID_ORDER);
	struct fault fault;
	FILE *file;
	struct repo *repo = repo_rig_new(&way, &file);

	assert_int_equal(pwrite(fileno(file), buf_data(&car), 100, 0), 100);
	assert_int_equal(repo_rig_feed(repo, buf_bytes(&car), 4096, &fault), -1);
	assert_int_equal(fault.code, FAULT_CAR_IO);
	repo_free(&repo);
	fclose(file);
	buf_clear(&car);
}

static const struct CMUnitTest repo_tests[] = {
	cmocka_unit_test(repo__is_the_same_in_whatever_order_its_blocks_come),
	cmocka_unit_test(walk__with_a_filter_gives_its_records_and_leaves_out_the_other_subtrees),
	cmocka_unit_test(walk__can_stand_while_others_go_on),
	cmocka_unit_test(check_tree__goes_on_from_where_its_budget_ended),
	cmocka_unit_test(check_commit__can_be_tried_again_with_a_fresh_key),
	cmocka_unit_test(check_tree__names_an_absent_record_at_either_end),
	cmocka_unit_test(repo__that_failed_stays_failed),
	cmocka_unit_test(repo__holds_no_more_than_its_memory_limit),
	cmocka_unit_test(repo__refuses_a_file_that_is_shorter_than_what_it_was_fed),
};

UNIT_MAIN(repo_tests)

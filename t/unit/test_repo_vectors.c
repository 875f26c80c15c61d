/*
 * test_repo_vectors.c - the repositories of the vectors, good and bad: in pieces of
 * every size, in memory and spilled.
 */
#include "t/unit/unit.h"

#include "common/clock.h"
#include "t/unit/repo_rig.h"
#include "t/unit/vectors.h"

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
	struct str file = vectors_member(entry, "file"),
	    did = vectors_member(entry, "did");
	struct str key_text = vectors_member(json_object_get(dids, did.ptr), "key");
	enum fault_code first = FAULT_NONE;
	char path[256];
	struct buf car;
	struct key key;

	snprintf(path, sizeof(path), "derived/synthetic-cars/%.*s", STR_FMT(file));
	car = vectors_read(path);
	assert_int_equal(key_parse_multikey(key_text, &key), 0);
	for (size_t w = 0; w < REPO_WAYS; w++) {
		struct commit_expect expect = { .did = did, .key = &key,
		    .now_us = clock_wall_us() };
		struct fault fault = FAULT_INIT;
		FILE *spill;
		struct repo *repo = repo_rig_new(&repo_ways[w], &spill);
		int rc = repo_rig_prove(repo, buf_bytes(&car), &repo_ways[w], &expect,
		    &fault);

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
	bool is_whole = json_integer_value(json_object_get(entry,
	    "mst_nodes_missing")) == 0 &&
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
	for (size_t w = 0; w < REPO_WAYS; w++) {
		struct fault fault = FAULT_INIT;
		FILE *spill;
		struct repo *repo = repo_rig_new(&repo_ways[w], &spill);
		int rc = repo_rig_prove(repo, buf_bytes(&car), &repo_ways[w], &expect,
		    &fault);
		size_t bad;

		assert_int_equal(rc, is_whole ? 0 : -1);
		if (rc == 0) {
			struct buf got = repo_rig_list(repo, NULL, &bad);
			struct repo_stats stats = repo_stats(repo);

			assert_true(bytes_eq(buf_bytes(&got), buf_bytes(&want)));
			assert_int_equal(bad, 0);
			assert_int_equal(stats.nodes,
			    json_integer_value(json_object_get(entry, "mst_nodes")));
			assert_int_equal(stats.blocks,
			    json_integer_value(json_object_get(entry, "blocks")));
			/* One piece is in memory before the limit is looked at. */
			if (!repo_ways[w].spills || stats.bytes > 8192)
				assert_int_equal(stats.spilled_bytes,
				    repo_ways[w].spills ? stats.bytes : 0);
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

static const struct CMUnitTest repo_vectors_tests[] = {
	cmocka_unit_test(repo__of_the_synthetic_vectors_is_judged_as_they_say),
	cmocka_unit_test(repo__of_the_sample_vectors_has_the_listed_records),
};

UNIT_MAIN(repo_vectors_tests)

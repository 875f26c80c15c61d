/*
 * test_diff.c - the merge of a repository with an index.
 */
#include "t/unit/unit.h"

#include <stdio.h>

#include "atproto/diff.h"
#include "common/mem.h"
#include "t/unit/maker.h"

#define COLLECTION	"com.example.note"

static const uint8_t record_a[] = { 0xa1, 0x61, 'a', 0x01 };
static const uint8_t record_b[] = { 0xa1, 0x61, 'b', 0x02 };
static const uint8_t record_bad[] = { 0xa1, 0x61, 'f', 0xf9, 0, 0 };	/* a float */

/* One letter a record: 'A' and 'B' name the two records, 'x' the bad one, '-' an
 * absent one; the place in the text is the record key. */
static struct bytes
record_of(char letter)
{
	if (letter == 'A')
		return (struct bytes){ record_a, sizeof(record_a) };
	if (letter == 'B')
		return (struct bytes){ record_b, sizeof(record_b) };
	return (struct bytes){ record_bad, sizeof(record_bad) };
}

static struct str
path_of(size_t place, char to[64])
{
	snprintf(to, 64, COLLECTION "/%c", (char)('a' + place));
	return str_from(to);
}

static struct repo *
repo_of(const char *letters)
{
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	struct maker *maker = maker_new();
	struct keypair *pair = maker_keypair(KEY_K256);
	struct repo *repo = repo_new(&options);
	struct commit_expect expect = { .did = STR(MAKER_DID) };
	struct buf car = BUF_INIT;
	struct fault fault;
	char path[64];

	for (size_t i = 0; letters[i] != '\0'; i++)
		if (letters[i] != '-')
			maker_add(maker, path_of(i, path), record_of(letters[i]));
	maker_finish(maker, STR(MAKER_DID), STR(MAKER_REV), pair, MAKER_TREE_ORDER, &car);
	assert_int_equal(repo_feed(repo, buf_bytes(&car), &fault), 0);
	assert_int_equal(repo_feed_end(repo, &fault), 0);
	assert_int_equal(repo_check_commit(repo, &expect, &fault), 0);
	assert_int_equal(repo_check_tree(repo, SIZE_MAX, &fault), REPO_DONE);
	buf_clear(&car);
	keypair_free(&pair);
	maker_free(&maker);
	return repo;
}

/* The changes as text: a sign and the record key. */
static void
run_diff(const char *in_repo, const char *in_index, char *changes,
    struct diff_counts *counts_out)
{
	static const char signs[] = { [DIFF_CREATE] = '+', [DIFF_UPDATE] = '~',
	    [DIFF_DELETE] = '-', [DIFF_REFUSE] = '!', [DIFF_REFUSE_DELETE] = '%' };
	struct repo *repo = repo_of(in_repo);
	struct repo_walk *walk = repo_walk_new(repo, NULL);
	struct diff *diff = diff_new(walk);
	struct sha256 *sha = sha256_new();
	struct diff_change change;
	struct fault fault;
	enum diff_step step;
	size_t place = 0;

	while ((step = diff_next(diff, &change, &fault)) != DIFF_DONE) {
		char path[64];
		struct cid cid;

		assert_int_not_equal(step, DIFF_FAILED);
		if (step == DIFF_CHANGED) {
			*changes++ = signs[change.kind];
			*changes++ = change.path.ptr[change.path.len - 1];
			continue;
		}
		while (in_index[place] == '-')
			place++;
		if (in_index[place] == '\0') {
			diff_rows_end(diff);
			continue;
		}
		cid_of(sha, CID_DAG_CBOR, record_of(in_index[place]), &cid);
		assert_int_equal(diff_row(diff, path_of(place, path), &cid, &fault), 0);
		memset(path, 0, sizeof(path));		/* the row was copied */
		place++;
	}
	*changes = '\0';
	*counts_out = diff_counts(diff);
	sha256_free(&sha);
	diff_free(&diff);
	repo_walk_free(&walk);
	repo_free(&repo);
}

static void
diff__says_what_makes_the_index_equal_the_repository(void **state BF_UNUSED)
{
	static const struct {
		const char *repo, *index, *changes;
		struct diff_counts counts;	/* same, created, updated, deleted, refused */
	} cases[] = {
		{ "", "", "", { 0, 0, 0, 0, 0 } },
		{ "AB", "AB", "", { 2, 0, 0, 0, 0 } },
		{ "AB", "", "+a+b", { 0, 2, 0, 0, 0 } },
		{ "", "AB", "-a-b", { 0, 0, 0, 2, 0 } },
		{ "AB", "BB", "~a", { 1, 0, 1, 0, 0 } },
		{ "A-B-A", "-B-B-", "+a-b+c-d+e", { 0, 3, 0, 2, 0 } },
		{ "-A-A", "BABA", "-a-c", { 2, 0, 0, 2, 0 } },
		{ "AxB", "A-B", "!b", { 2, 0, 0, 0, 1 } },
		{ "AxB", "AAB", "%b", { 2, 0, 0, 0, 1 } },
		{ "x", "x", "%a", { 0, 0, 0, 0, 1 } },
		{ "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAABAAAAAAAAA", "~k",
		    { 19, 0, 1, 0, 0 } },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct diff_counts counts;
		char changes[128];

		run_diff(cases[i].repo, cases[i].index, changes, &counts);
		if (strcmp(changes, cases[i].changes) != 0)
			fail_msg("%s against %s: %s", cases[i].repo, cases[i].index,
			    changes);
		assert_memory_equal(&counts, &cases[i].counts, sizeof(counts));
	}
}

static void
diff__refuses_rows_that_do_not_ascend(void **state BF_UNUSED)
{
	static const char *const rows[][2] = {
		{ "com.example.note/b", "com.example.note/a" },
		{ "com.example.note/b", "com.example.note/b" },
		/* By the bytes of the whole path, not by collection first. */
		{ "com.example.note/b", "com.example.note.sub/a" },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		struct repo *repo = repo_of("A");
		struct repo_walk *walk = repo_walk_new(repo, NULL);
		struct diff *diff = diff_new(walk);
		struct diff_change change;
		struct fault fault;
		struct cid cid = { { 0 } };

		assert_int_equal(diff_next(diff, &change, &fault), DIFF_NEED_ROW);
		assert_int_equal(diff_row(diff, str_from(rows[i][0]), &cid, &fault), 0);
		while (diff_next(diff, &change, &fault) != DIFF_NEED_ROW)
			;
		assert_int_equal(diff_row(diff, str_from(rows[i][1]), &cid, &fault), -1);
		assert_int_equal(fault.code, FAULT_DIFF_ORDER);
		diff_free(&diff);
		repo_walk_free(&walk);
		repo_free(&repo);
	}
}

static const struct CMUnitTest diff_tests[] = {
	cmocka_unit_test(diff__says_what_makes_the_index_equal_the_repository),
	cmocka_unit_test(diff__refuses_rows_that_do_not_ascend),
};

UNIT_MAIN(diff_tests)

/*
 * test_mst_edit.c - a tree that is changed with most of it absent: against trees
 * that are built whole, the interop proofs and the diff suite.
 */
#include "t/unit/unit.h"

#include <stdio.h>

#include "atproto/mst_build.h"
#include "atproto/mst_edit.h"
#include "common/mem.h"
#include "t/unit/maker.h"
#include "t/unit/node_set.h"
#include "t/unit/vectors.h"

static struct cid
parse_cid(struct str text)
{
	struct cid cid;

	assert_int_equal(cid_parse(text, &cid), 0);
	return cid;
}

static void
must(int rc, const struct fault *fault)
{
	char text[FAULT_TEXT_SIZE];

	if (rc == 0)
		return;
	fault_format(fault, text);
	fail_msg("%s", text);
}

static void
expect_root(struct mst_edit *edit, const struct cid *want)
{
	char got_text[CID_TEXT_SIZE], want_text[CID_TEXT_SIZE];
	struct fault fault;
	struct cid got;

	must(mst_edit_root(edit, &got, &fault), &fault);
	cid_format(&got, got_text);
	cid_format(want, want_text);
	assert_string_equal(got_text, want_text);
}

/* --- against trees that are built whole --- */

#define KEYS	400

struct model {
	struct sha256 *sha;
	bool has[KEYS];
	struct cid values[KEYS];
};

static void
key_name(size_t i, char name_out[32])
{
	(void)snprintf(name_out, 32, "com.example.record/%06zu", i * 7919 % 1000003);
}

static int
name_cmp(const void *a, const void *b)
{
	char x[32], y[32];

	key_name(*(const size_t *)a, x);
	key_name(*(const size_t *)b, y);
	return strcmp(x, y);
}

static struct cid
model_root(const struct model *model, struct node_set *nodes)
{
	struct mst_build *build = mst_build_new(model->sha,
	    nodes != NULL ? node_set_add : NULL, nodes);
	size_t order[KEYS];
	struct cid root;

	for (size_t i = 0; i < KEYS; i++)
		order[i] = i;
	qsort(order, KEYS, sizeof(order[0]), name_cmp);
	for (size_t i = 0; i < KEYS; i++) {
		char name[32];

		key_name(order[i], name);
		if (model->has[order[i]])
			mst_build_add(build, str_from(name), &model->values[order[i]]);
	}
	mst_build_end(build, &root);
	mst_build_free(&build);
	return root;
}

static struct cid
random_value(struct sha256 *sha, uint64_t *random)
{
	uint64_t content = maker_random(random);
	struct cid cid;

	cid_of(sha, CID_DAG_CBOR,
	    (struct bytes){ (const uint8_t *)&content, sizeof(content) }, &cid);
	return cid;
}

static void
change_one(struct model *model, struct mst_edit *edit, uint64_t *random)
{
	size_t i = maker_random(random) % KEYS;
	struct cid value = random_value(model->sha, random);
	struct fault fault;
	char name[32];

	key_name(i, name);
	if (!model->has[i]) {
		must(mst_edit_insert(edit, str_from(name), &value, &fault), &fault);
		model->has[i] = true;
		model->values[i] = value;
	} else if (maker_random(random) % 3 == 0) {
		must(mst_edit_replace(edit, str_from(name), &model->values[i], &value,
		    &fault), &fault);
		model->values[i] = value;
	} else {
		must(mst_edit_remove(edit, str_from(name), &model->values[i], &fault),
		    &fault);
		model->has[i] = false;
	}
}

static void
any_change_gives_the_root_of_the_tree_built_whole(void **state BF_UNUSED)
{
	uint64_t random = 42;

	for (size_t round = 0; round < 60; round++) {
		struct model model = { .sha = sha256_new() };
		struct node_set nodes = { .n = 0 };
		struct mst_edit *edit;
		struct cid root;

		for (size_t i = 0; i < KEYS; i++) {
			model.has[i] = maker_random(&random) % (1 + round / 8) == 0;
			model.values[i] = random_value(model.sha, &random);
		}
		root = model_root(&model, &nodes);
		edit = mst_edit_new(model.sha, &root, nodes.n, node_set_read, &nodes);
		for (size_t i = 0; i < 1 + maker_random(&random) % 40; i++)
			change_one(&model, edit, &random);
		root = model_root(&model, NULL);
		expect_root(edit, &root);
		mst_edit_free(&edit);
		node_set_clear(&nodes);
		sha256_free(&model.sha);
	}
}

static void
a_tree_can_be_emptied_and_filled_again(void **state BF_UNUSED)
{
	struct model model = { .sha = sha256_new() };
	struct node_set nodes = { .n = 0 };
	struct cid full, empty, root;
	struct mst_edit *edit;
	struct fault fault;
	char name[32];

	empty = model_root(&model, &nodes);
	for (size_t i = 0; i < KEYS; i++) {
		model.has[i] = true;
		model.values[i] = empty;
	}
	full = model_root(&model, &nodes);
	edit = mst_edit_new(model.sha, &full, nodes.n, node_set_read, &nodes);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < KEYS; i++) {
			key_name(i, name);
			must(pass == 0 ? mst_edit_remove(edit, str_from(name), &empty,
			    &fault) : mst_edit_insert(edit, str_from(name), &empty,
			    &fault), &fault);
		}
		root = pass == 0 ? empty : full;
		expect_root(edit, &root);
	}
	mst_edit_free(&edit);
	node_set_clear(&nodes);
	sha256_free(&model.sha);
}

static void
a_change_that_does_not_fit_is_refused(void **state BF_UNUSED)
{
	struct model model = { .sha = sha256_new() };
	struct node_set nodes = { .n = 0 };
	struct cid root, other;
	struct mst_edit *edit;
	struct fault fault;
	uint64_t random = 7;
	char name[32];

	for (size_t i = 0; i < KEYS / 2; i++) {
		model.has[i] = true;
		model.values[i] = random_value(model.sha, &random);
	}
	other = random_value(model.sha, &random);
	root = model_root(&model, &nodes);
	edit = mst_edit_new(model.sha, &root, nodes.n, node_set_read, &nodes);
	key_name(3, name);
	assert_int_equal(mst_edit_insert(edit, str_from(name), &other, &fault), -1);
	assert_int_equal(fault.code, FAULT_PROOF_VALUE);
	assert_int_equal(mst_edit_remove(edit, str_from(name), &other, &fault), -1);
	assert_int_equal(fault.code, FAULT_PROOF_VALUE);
	key_name(KEYS - 1, name);
	assert_int_equal(mst_edit_remove(edit, str_from(name), &other, &fault), -1);
	assert_int_equal(fault.code, FAULT_PROOF_VALUE);
	assert_int_equal(mst_edit_replace(edit, str_from(name), &other, &other, &fault),
	    -1);
	assert_int_equal(fault.code, FAULT_PROOF_VALUE);
	mst_edit_free(&edit);
	node_set_clear(&nodes);
	sha256_free(&model.sha);
}

/* --- proofs --- */

/* Only the nodes of a list of CIDs stay. */
static void
hide_others(struct node_set *nodes, const json_t *cids)
{
	const json_t *cid;
	size_t i;

	for (i = 0; i < nodes->n; i++)
		nodes->blocks[i].is_hidden = true;
	json_array_foreach(cids, i, cid) {
		struct cid want = parse_cid(str_from(json_string_value(cid)));
		struct node_set_block *block = node_set_find(nodes, &want);

		if (block != NULL)
			block->is_hidden = false;
	}
}

static bool
has_text(const json_t *array, const char *text)
{
	const json_t *value;
	size_t i;

	json_array_foreach(array, i, value)
		if (strcmp(json_string_value(value), text) == 0)
			return true;
	return false;
}

static int
text_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The tree of keys without dels and with adds. */
static struct cid
build_after(struct sha256 *sha, const json_t *fixture, const struct cid *value,
    struct node_set *nodes)
{
	const json_t *keys = json_object_get(fixture, "keys"), *key;
	const json_t *adds = json_object_get(fixture, "adds");
	const json_t *dels = json_object_get(fixture, "dels");
	struct mst_build *build = mst_build_new(sha, node_set_add, nodes);
	const char *names[64];
	size_t n = 0, i;
	struct cid root;

	json_array_foreach(keys, i, key)
		if (!has_text(dels, json_string_value(key)))
			names[n++] = json_string_value(key);
	json_array_foreach(adds, i, key)
		names[n++] = json_string_value(key);
	qsort(names, n, sizeof(names[0]), text_cmp);
	for (i = 0; i < n; i++)
		mst_build_add(build, str_from(names[i]), value);
	mst_build_end(build, &root);
	mst_build_free(&build);
	return root;
}

static void
undo_fixture(struct sha256 *sha, const json_t *fixture)
{
	struct cid value = parse_cid(vectors_member(fixture, "leafValue"));
	struct cid before = parse_cid(vectors_member(fixture, "rootBeforeCommit"));
	struct cid after = parse_cid(vectors_member(fixture, "rootAfterCommit"));
	struct node_set nodes = { .n = 0 };
	struct cid root = build_after(sha, fixture, &value, &nodes);
	struct mst_edit *edit;
	struct fault fault;
	const json_t *key;
	size_t i;

	assert_true(cid_eq(&root, &after));
	hide_others(&nodes, json_object_get(fixture, "blocksInProof"));
	edit = mst_edit_new(sha, &root, nodes.n, node_set_read, &nodes);
	json_array_foreach(json_object_get(fixture, "dels"), i, key)
		must(mst_edit_insert(edit, str_from(json_string_value(key)), &value,
		    &fault), &fault);
	json_array_foreach(json_object_get(fixture, "adds"), i, key)
		must(mst_edit_remove(edit, str_from(json_string_value(key)), &value,
		    &fault), &fault);
	expect_root(edit, &before);
	mst_edit_free(&edit);
	node_set_clear(&nodes);
}

static void
the_interop_commit_proofs_are_undone_with_their_blocks_alone(void **state BF_UNUSED)
{
	struct sha256 *sha;
	json_t *fixtures;
	const json_t *fixture;
	size_t i;

	vectors_need();
	sha = sha256_new();
	fixtures = vectors_json(
	    "atproto-interop-tests/firehose/commit-proof-fixtures.json");
	json_array_foreach(fixtures, i, fixture)
		undo_fixture(sha, fixture);
	assert_int_equal(i, 6);
	json_decref(fixtures);
	sha256_free(&sha);
}

static int
apply_op(struct mst_edit *edit, struct str path, struct str old, struct str new,
    struct fault *fault)
{
	struct cid from = { { 0 } }, to = { { 0 } };

	if (old.len > 0)
		from = parse_cid(old);
	if (new.len > 0)
		to = parse_cid(new);
	if (old.len == 0)
		return mst_edit_insert(edit, path, &to, fault);
	if (new.len == 0)
		return mst_edit_remove(edit, path, &from, fault);
	return mst_edit_replace(edit, path, &from, &to, fault);
}

/* One case of the diff suite: from tree a to tree b; or back, which the suite wants
 * done in reverse order. */
static void
apply_ops(struct mst_edit *edit, const json_t *ops, bool back)
{
	size_t n = json_array_size(ops);

	for (size_t i = 0; i < n; i++) {
		const json_t *op = json_array_get(ops, back ? n - 1 - i : i);
		struct str old = vectors_member(op, "old_value");
		struct str new = vectors_member(op, "new_value");
		struct fault fault;

		must(apply_op(edit, vectors_member(op, "rpath"), back ? new : old,
		    back ? old : new, &fault), &fault);
	}
}

struct diff_suite {
	struct sha256 *sha;
	size_t cases;
};

static struct cid
load_tree(struct node_set *nodes, const json_t *test, const char *name)
{
	const json_t *inputs = json_object_get(test, "inputs");
	char path[128];
	struct buf car;
	struct cid root;

	(void)snprintf(path, sizeof(path), "mst-test-suite/%s",
	    json_string_value(json_object_get(inputs, name)) + 2);
	car = vectors_read(path);
	root = node_set_add_car(nodes, buf_bytes(&car));
	buf_clear(&car);
	return root;
}

static void
run_diff_case(const char *path, void *arg)
{
	struct diff_suite *suite = arg;
	json_t *test = vectors_json(path);
	const json_t *results = json_object_get(test, "results");
	const json_t *ops = json_object_get(results, "record_ops");
	struct node_set nodes = { .n = 0 };
	struct cid a = load_tree(&nodes, test, "mst_a");
	struct cid b = load_tree(&nodes, test, "mst_b");
	struct mst_edit *edit;

	edit = mst_edit_new(suite->sha, &a, nodes.n, node_set_read, &nodes);
	apply_ops(edit, ops, false);
	expect_root(edit, &b);
	mst_edit_free(&edit);

	hide_others(&nodes, json_object_get(results, "inductive_proof_nodes"));
	edit = mst_edit_new(suite->sha, &b, nodes.n, node_set_read, &nodes);
	apply_ops(edit, ops, true);
	expect_root(edit, &a);
	mst_edit_free(&edit);
	node_set_clear(&nodes);
	json_decref(test);
	suite->cases++;
}

static void
the_diff_suite_is_applied_and_undone_with_its_inductive_proofs(void **state BF_UNUSED)
{
	struct diff_suite suite = { .cases = 0 };

	vectors_need();
	suite.sha = sha256_new();
	vectors_files("mst-test-suite/tests/diff/exhaustive", ".json", run_diff_case,
	    &suite);
	assert_true(suite.cases >= 512);
	sha256_free(&suite.sha);
}

static void
without_a_node_of_the_proof_nothing_is_shown(void **state BF_UNUSED)
{
	struct model model = { .sha = sha256_new() };
	struct node_set nodes = { .n = 0 };
	struct cid root, got;
	struct mst_edit *edit;
	struct fault fault;
	size_t refused = 0;
	char name[32];

	for (size_t i = 0; i < KEYS; i++) {
		model.has[i] = true;
		cid_of(model.sha, CID_DAG_CBOR, BYTES_NONE, &model.values[i]);
	}
	root = model_root(&model, &nodes);
	key_name(17, name);
	for (size_t i = 0; i < nodes.n; i++) {
		nodes.blocks[i].is_hidden = true;
		edit = mst_edit_new(model.sha, &root, nodes.n, node_set_read, &nodes);
		if (mst_edit_remove(edit, str_from(name), &model.values[17],
		    &fault) == -1) {
			assert_int_equal(fault.code, FAULT_NODE_MISSING);
			refused++;
		} else {
			must(mst_edit_root(edit, &got, &fault), &fault);
		}
		mst_edit_free(&edit);
		nodes.blocks[i].is_hidden = false;
	}
	/* The path from the root, and nothing else. */
	assert_in_range(refused, 2, 9);
	node_set_clear(&nodes);
	sha256_free(&model.sha);
}

static const struct CMUnitTest mst_edit_tests[] = {
	cmocka_unit_test(any_change_gives_the_root_of_the_tree_built_whole),
	cmocka_unit_test(a_tree_can_be_emptied_and_filled_again),
	cmocka_unit_test(a_change_that_does_not_fit_is_refused),
	cmocka_unit_test(the_interop_commit_proofs_are_undone_with_their_blocks_alone),
	cmocka_unit_test(the_diff_suite_is_applied_and_undone_with_its_inductive_proofs),
	cmocka_unit_test(without_a_node_of_the_proof_nothing_is_shown),
};

UNIT_MAIN(mst_edit_tests)

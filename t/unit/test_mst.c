/*
 * test_mst.c - layers, prefixes, nodes, and trees built from keys, against the
 * interop fixtures and known roots; collection filters.
 */
#include "t/unit/unit.h"

#include "atproto/basex.h"
#include "atproto/car.h"
#include "atproto/filter.h"
#include "atproto/mst.h"
#include "atproto/mst_build.h"
#include "t/unit/vectors.h"

static struct bytes
as_bytes(struct str s)
{
	return (struct bytes){ (const uint8_t *)s.ptr, s.len };
}

static struct cid
parse_cid(struct str text)
{
	struct cid cid;

	assert_int_equal(cid_parse(text, &cid), 0);
	return cid;
}

static void
layer__is_the_one_of_the_interop_fixtures(void **state BF_UNUSED)
{
	struct sha256 *sha;
	json_t *fixtures;
	const json_t *fixture;
	size_t i;

	vectors_need();
	sha = sha256_new();
	fixtures = vectors_json("atproto-interop-tests/mst/key_heights.json");
	json_array_foreach(fixtures, i, fixture)
		assert_int_equal(mst_layer(sha, as_bytes(vectors_member(fixture, "key"))),
		    json_integer_value(json_object_get(fixture, "height")));
	assert_true(i >= 9);
	json_decref(fixtures);
	sha256_free(&sha);
}

static void
common_prefix__is_the_one_of_the_interop_fixtures(void **state BF_UNUSED)
{
	json_t *fixtures;
	const json_t *fixture;
	size_t i;

	vectors_need();
	fixtures = vectors_json("atproto-interop-tests/mst/common_prefix.json");
	json_array_foreach(fixtures, i, fixture)
		assert_int_equal(mst_common_prefix(as_bytes(vectors_member(fixture,
		    "left")), as_bytes(vectors_member(fixture, "right"))),
		    json_integer_value(json_object_get(fixture, "len")));
	assert_true(i >= 9);
	json_decref(fixtures);
}

static int
text_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The root over some keys, which all have one value; nodes go to cb. */
static struct cid
root_of(const char **keys, size_t n, const struct cid *value, mst_block_cb *cb, void *arg)
{
	struct sha256 *sha = sha256_new();
	struct mst_build *build = mst_build_new(sha, cb, arg);
	struct cid root;

	qsort(keys, n, sizeof(*keys), text_cmp);
	for (size_t i = 0; i < n; i++)
		mst_build_add(build, str_from(keys[i]), value);
	mst_build_end(build, &root);
	mst_build_free(&build);
	sha256_free(&sha);
	return root;
}

static size_t
add_keys(const char **keys, size_t n, const json_t *array)
{
	const json_t *key;
	size_t i;

	json_array_foreach(array, i, key)
		keys[n++] = json_string_value(key);
	return n;
}

static void
build__gives_the_known_roots(void **state BF_UNUSED)
{
	json_t *fixtures;
	const json_t *fixture;
	size_t i;

	vectors_need();
	fixtures = vectors_json("derived/mst_known_roots.json");
	json_array_foreach(fixtures, i, fixture) {
		const char *keys[256];
		struct cid value = parse_cid(vectors_member(fixture, "value"));
		size_t n = add_keys(keys, 0, json_object_get(fixture, "keys"));
		struct cid root = root_of(keys, n, &value, NULL, NULL);
		struct cid want = parse_cid(vectors_member(fixture, "root"));

		if (!cid_eq(&root, &want))
			fail_msg("%.*s", STR_FMT(vectors_member(fixture, "name")));
	}
	assert_true(i >= 11);
	json_decref(fixtures);
}

struct node_list {
	struct cid cids[256];
	size_t n;
};

static void
note_node(const struct cid *cid, struct bytes block, void *arg)
{
	struct node_list *list = arg;
	struct mst_node node = { .n = 0 };
	struct fault fault;

	assert_int_equal(mst_node_read(&node, block, &fault), 0);
	mst_node_clear(&node);
	assert_true(list->n < BF_ARRAY_LEN(list->cids));
	list->cids[list->n++] = *cid;
}

static bool
is_listed(const struct node_list *list, const struct cid *cid)
{
	for (size_t i = 0; i < list->n; i++)
		if (cid_eq(&list->cids[i], cid))
			return true;
	return false;
}

static size_t
remove_keys(const char **keys, size_t n, const json_t *array)
{
	const json_t *key;
	size_t i, left = 0;

	json_array_foreach(array, i, key)
		for (size_t k = 0; k < n; k++)
			if (keys[k] != NULL &&
			    strcmp(keys[k], json_string_value(key)) == 0)
				keys[k] = NULL;
	for (size_t k = 0; k < n; k++)
		if (keys[k] != NULL)
			keys[left++] = keys[k];
	return left;
}

static void
build__gives_the_roots_and_nodes_of_the_commit_proof_fixtures(void **state BF_UNUSED)
{
	json_t *fixtures;
	const json_t *fixture, *block;
	size_t i, b;

	vectors_need();
	fixtures = vectors_json("atproto-interop-tests/firehose/commit-proof-fixtures.json");
	json_array_foreach(fixtures, i, fixture) {
		const char *keys[256];
		struct cid value = parse_cid(vectors_member(fixture, "leafValue"));
		struct cid before = parse_cid(vectors_member(fixture,
		    "rootBeforeCommit"));
		struct cid after = parse_cid(vectors_member(fixture, "rootAfterCommit"));
		struct node_list nodes = { .n = 0 };
		size_t n = add_keys(keys, 0, json_object_get(fixture, "keys"));
		struct cid root = root_of(keys, n, &value, NULL, NULL);

		assert_true(cid_eq(&root, &before));
		n = add_keys(keys, n, json_object_get(fixture, "adds"));
		n = remove_keys(keys, n, json_object_get(fixture, "dels"));
		root = root_of(keys, n, &value, note_node, &nodes);
		assert_true(cid_eq(&root, &after));
		json_array_foreach(json_object_get(fixture, "blocksInProof"), b, block) {
			struct cid cid = parse_cid(str_from(json_string_value(block)));

			assert_true(is_listed(&nodes, &cid));
		}
	}
	assert_true(i >= 6);
	json_decref(fixtures);
}

/* A CAR whose root is a tree node: all its blocks, and the keys found in them. */
struct tree_file {
	struct {
		struct cid cid;
		struct bytes data;
	} blocks[64];
	size_t n;
	struct mst_build *again;	/* fed with what is found */
	size_t n_keys;
};

static void
collect(struct tree_file *file, const uint8_t *cid)
{
	struct mst_node node = { .n = 0 };
	struct buf key = BUF_INIT;
	struct fault fault;
	struct cid value;
	size_t b = 0;

	while (b < file->n && memcmp(file->blocks[b].cid.bytes, cid, CID_BYTES) != 0)
		b++;
	assert_true(b < file->n);
	assert_int_equal(mst_node_read(&node, file->blocks[b].data, &fault), 0);
	if (node.left != NULL)
		collect(file, node.left);
	for (size_t i = 0; i < node.n; i++) {
		const struct mst_entry *entry = &node.entries[i];

		assert_true(entry->prefix <= buf_len(&key));
		key.end = key.start + entry->prefix;
		buf_add(&key, entry->suffix.ptr, entry->suffix.len);
		assert_int_equal(cid_unpack(entry->value, &value), 0);
		mst_build_add(file->again, buf_str(&key), &value);
		file->n_keys++;
		if (entry->right != NULL)
			collect(file, entry->right);
	}
	buf_clear(&key);
	mst_node_clear(&node);
}

static void
check_tree_file(const char *path, void *arg)
{
	struct buf bytes = vectors_read(path);
	struct sha256 *sha = sha256_new();
	struct tree_file file = { .again = mst_build_new(sha, NULL, NULL) };
	struct car car = CAR_INIT;
	struct car_block block;
	struct fault fault;
	struct cid root;
	enum car_step step;

	while ((step = car_next(&car, (struct bytes){ buf_data(&bytes) + car.offset,
	    buf_len(&bytes) - (size_t)car.offset }, &block, &fault)) > CAR_MORE) {
		if (step != CAR_BLOCK)
			continue;
		assert_int_equal(cid_unpack(block.cid, &file.blocks[file.n].cid), 0);
		file.blocks[file.n++].data = block.data;
	}
	assert_int_equal(step, CAR_MORE);
	collect(&file, car.root.bytes);
	mst_build_end(file.again, &root);
	if (!cid_eq(&root, &car.root))
		fail_msg("%s: its keys make another tree", path);
	mst_build_free(&file.again);
	sha256_free(&sha);
	buf_clear(&bytes);
	++*(size_t *)arg;
}

static void
build__makes_the_trees_of_the_mst_test_suite_again(void **state BF_UNUSED)
{
	size_t n = 0;

	vectors_need();
	vectors_files("mst-test-suite/cars/exhaustive", ".car", check_tree_file, &n);
	assert_int_equal(n, 128);
}

static void
filter__knows_which_keys_can_be_wanted_between_two(void **state BF_UNUSED)
{
	struct filter *filter = filter_new();

	assert_int_equal(filter_add(filter, STR("app.bsky.feed.post")), 0);
	assert_int_equal(filter_add(filter, STR("pub.chive.*")), 0);
	assert_int_equal(filter_add(filter, STR("pub.chive*")), -1);
	assert_true(filter_wants(filter, STR("app.bsky.feed.post")));
	assert_true(filter_wants(filter, STR("pub.chive.graph.node")));
	assert_false(filter_wants(filter, STR("app.bsky.feed.postgate")));
	assert_true(filter_wants_path(filter, STR("app.bsky.feed.post/3k")));

	assert_true(filter_wants_between(filter, STR_NONE, STR_NONE));
	assert_true(filter_wants_between(filter, STR("app.bsky.feed.like/3k"), STR_NONE));
	assert_false(filter_wants_between(filter, STR("app.bsky.feed.like/3k"),
	    STR("app.bsky.feed.like/3z")));
	assert_true(filter_wants_between(filter, STR("app.bsky.feed.post/3k"),
	    STR("app.bsky.feed.post/3z")));
	assert_true(filter_wants_between(filter, STR("app.bsky.feed.post/3k"),
	    STR("app.bsky.feed.repost/3z")));
	assert_false(filter_wants_between(filter, STR("app.bsky.feed.repost/3k"),
	    STR("app.bsky.graph.follow/3z")));
	assert_true(filter_wants_between(filter, STR("app.bsky.feed.repost/3k"),
	    STR("pub.chive.eprint/3z")));
	assert_false(filter_wants_between(filter, STR("pub.chivf/3k"), STR_NONE));
	assert_true(filter_wants_between(NULL, STR("z"), STR_NONE));
	filter_free(&filter);
}

static const struct CMUnitTest mst_tests[] = {
	cmocka_unit_test(layer__is_the_one_of_the_interop_fixtures),
	cmocka_unit_test(common_prefix__is_the_one_of_the_interop_fixtures),
	cmocka_unit_test(build__gives_the_known_roots),
	cmocka_unit_test(build__gives_the_roots_and_nodes_of_the_commit_proof_fixtures),
	cmocka_unit_test(build__makes_the_trees_of_the_mst_test_suite_again),
	cmocka_unit_test(filter__knows_which_keys_can_be_wanted_between_two),
};

UNIT_MAIN(mst_tests)

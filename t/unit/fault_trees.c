/* The half of test_fault.c that makes trees and records which no writer makes. */
#include "t/unit/unit.h"

#include <stdio.h>

#include "atproto/car.h"
#include "atproto/dagcbor_write.h"
#include "atproto/mst.h"
#include "common/limits.h"
#include "common/mem.h"
#include "t/unit/fault_expect.h"
#include "t/unit/maker.h"
#include "t/unit/vectors.h"

struct leaf {
	const char *suffix;
	int64_t prefix;
	const struct cid *right;
};

static void
write_node(struct buf *to, const struct cid *left, const struct leaf *leaves, size_t n,
    const struct cid *value)
{
	dagcbor_write_map(to, 2);
	dagcbor_write_text(to, STR("e"));
	dagcbor_write_array(to, n);
	for (size_t i = 0; i < n; i++) {
		dagcbor_write_map(to, 4);
		dagcbor_write_text(to, STR("k"));
		dagcbor_write_bytes(to, (struct bytes){ (const uint8_t *)leaves[i].suffix,
		    strlen(leaves[i].suffix) });
		dagcbor_write_text(to, STR("p"));
		dagcbor_write_int(to, leaves[i].prefix);
		dagcbor_write_text(to, STR("t"));
		if (leaves[i].right != NULL)
			dagcbor_write_link(to, leaves[i].right);
		else
			dagcbor_write_null(to);
		dagcbor_write_text(to, STR("v"));
		dagcbor_write_link(to, value);
	}
	dagcbor_write_text(to, STR("l"));
	if (left != NULL)
		dagcbor_write_link(to, left);
	else
		dagcbor_write_null(to);
}

/* A repository whose tree's root is the last of these blocks. */
static int
prove_blocks(const struct buf *blocks, size_t n, struct fault *fault)
{
	struct sha256 *sha = sha256_new();
	struct keypair *pair = maker_keypair(KEY_K256);
	struct buf car = BUF_INIT, commit = BUF_INIT;
	struct cid cid, root;
	int rc;

	cid_of(sha, CID_DAG_CBOR, buf_bytes(&blocks[n - 1]), &cid);
	maker_commit(sha, STR(MAKER_DID), STR(MAKER_REV), &cid, pair, &commit);
	cid_of(sha, CID_DAG_CBOR, buf_bytes(&commit), &root);
	car_write_header(&car, &root);
	car_write_block(&car, &root, buf_bytes(&commit));
	for (size_t i = 0; i < n; i++) {
		cid_of(sha, CID_DAG_CBOR, buf_bytes(&blocks[i]), &cid);
		car_write_block(&car, &cid, buf_bytes(&blocks[i]));
	}
	rc = fault_prove(&car, fault);
	buf_clear(&car);
	buf_clear(&commit);
	keypair_free(&pair);
	sha256_free(&sha);
	return rc;
}

static const uint8_t record[] = { 0xa1, 0x61, 'a', 0x01 };

/* One node over good records: both keys are of layer 0. */
#define KEY_A	"com.example.note/aa"
#define KEY_B	"com.example.note/ab"

static void
expect_node(enum fault_code want, const struct cid *left, const struct leaf *leaves,
    size_t n)
{
	struct sha256 *sha = sha256_new();
	struct buf blocks[2] = { BUF_INIT, BUF_INIT };
	struct cid value;
	struct fault fault;

	buf_add(&blocks[0], record, sizeof(record));
	cid_of(sha, CID_DAG_CBOR, buf_bytes(&blocks[0]), &value);
	write_node(&blocks[1], left, leaves, n, &value);
	fault_expect(want, prove_blocks(blocks, 2, &fault), &fault);
	buf_clear(&blocks[0]);
	buf_clear(&blocks[1]);
	sha256_free(&sha);
}

static void
expect_block(enum fault_code want, const char *hex)
{
	struct buf block = vectors_hex(str_from(hex));
	struct fault fault;

	fault_expect(want, prove_blocks(&block, 1, &fault), &fault);
	buf_clear(&block);
}

void
tree_faults(void **state BF_UNUSED)
{
	static const char key_of_layer_4[] = "app.bsky.feed.post/454397e440ec";
	struct sha256 *sha = sha256_new();
	struct cid absent;

	cid_of(sha, CID_DAG_CBOR, BYTES_NONE, &absent);
	assert_int_equal(mst_layer(sha, (struct bytes){ (const uint8_t *)KEY_A,
	    strlen(KEY_A) }), 0);
	assert_int_equal(mst_layer(sha, (struct bytes){ (const uint8_t *)KEY_B,
	    strlen(KEY_B) }), 0);
	expect_node(FAULT_NODE_MISSING, &absent,
	    (struct leaf[]){ { key_of_layer_4, 0, NULL } },
	    1);
	expect_node(FAULT_NODE_BELOW_ZERO, &absent, (struct leaf[]){ { KEY_A, 0, NULL } },
	    1);
	expect_node(FAULT_NODE_BELOW_ZERO, NULL, (struct leaf[]){ { KEY_A, 0, &absent } },
	    1);
	expect_node(FAULT_NODE_BARE_ROOT, &absent, NULL, 0);
	expect_node(FAULT_NODE_PREFIX, NULL, (struct leaf[]){ { KEY_A, 1, NULL } }, 1);
	expect_node(FAULT_NODE_PREFIX, NULL, (struct leaf[]){ { KEY_A, -1, NULL } }, 1);
	expect_node(FAULT_NODE_PREFIX, NULL, (struct leaf[]){ { KEY_A, 0, NULL },
	    { "b", 100, NULL } }, 2);
	expect_node(FAULT_NODE_PREFIX_SHORT, NULL, (struct leaf[]){ { KEY_A, 0, NULL },
	    { "ab", 17, NULL } }, 2);
	expect_node(FAULT_KEY_ORDER, NULL, (struct leaf[]){ { KEY_B, 0, NULL },
	    { "a", 18, NULL } }, 2);
	expect_node(FAULT_KEY_ORDER, NULL, (struct leaf[]){ { KEY_A, 0, NULL },
	    { "", 19, NULL } }, 2);
	expect_node(FAULT_KEY_LAYER, NULL, (struct leaf[]){ { key_of_layer_4, 0, NULL },
	    { KEY_A, 0, NULL } }, 2);
	expect_node(FAULT_KEY_SYNTAX, NULL, (struct leaf[]){ { "com.example.note", 0,
	    NULL } }, 1);
	expect_node(FAULT_KEY_SYNTAX, NULL, (struct leaf[]){ { "", 0, NULL } }, 1);
	expect_block(FAULT_NODE_FIELDS, "a0");
	expect_block(FAULT_NODE_FIELDS, "f6");
	expect_block(FAULT_NODE_FIELDS, "a2616580616cf5");
	expect_block(FAULT_CBOR_TRAILING, "a2616580616cf6f6");
	/* A subtree that is linked as raw bytes. */
	expect_block(FAULT_NODE_LINK, "a2616580616cd82a582500" "01551220"
	    "9dfefe61dd76ea3dcae5023880b08379d57adf20482d6fdbe2759289f647677b");
	sha256_free(&sha);
}

/* A key of layer 1, and a child that is neither empty tree nor anything else. */
void
a_node_without_entries_and_subtree_is_refused_below_the_root(void **state BF_UNUSED)
{
	struct sha256 *sha = sha256_new();
	struct buf blocks[3] = { BUF_INIT, vectors_hex(STR("a2616580616cf6")), BUF_INIT };
	struct cid value, empty;
	struct fault fault;
	char key[64];
	int i = 0;

	do
		snprintf(key, sizeof(key), "com.example.note/%d", i++);
	while (mst_layer(sha, (struct bytes){ (uint8_t *)key, strlen(key) }) != 1);
	buf_add(&blocks[0], record, sizeof(record));
	cid_of(sha, CID_DAG_CBOR, buf_bytes(&blocks[0]), &value);
	cid_of(sha, CID_DAG_CBOR, buf_bytes(&blocks[1]), &empty);
	write_node(&blocks[2], &empty, (struct leaf[]){ { key, 0, NULL } }, 1, &value);
	fault_expect(FAULT_NODE_EMPTY, prove_blocks(blocks, 3, &fault), &fault);
	for (size_t b = 0; b < BF_ARRAY_LEN(blocks); b++)
		buf_clear(&blocks[b]);
	sha256_free(&sha);
}

void
tree_limits(void **state BF_UNUSED)
{
	struct leaf *leaves = xcalloc(LIMIT_MST_NODE_ENTRIES + 1, sizeof(*leaves));
	char long_key[LIMIT_MST_KEY_BYTES + 2], big_key[LIMIT_MST_NODE_BYTES + 1];

	for (size_t i = 0; i <= LIMIT_MST_NODE_ENTRIES; i++)
		leaves[i].suffix = "";
	expect_node(FAULT_NODE_ENTRIES, NULL, leaves, LIMIT_MST_NODE_ENTRIES + 1);
	memset(long_key, 'a', sizeof(long_key));
	long_key[LIMIT_MST_KEY_BYTES + 1] = '\0';
	leaves[0].suffix = long_key;
	expect_node(FAULT_KEY_SIZE, NULL, leaves, 1);
	/* Of a prefix and a suffix, each short enough. */
	leaves[0].suffix = long_key + 2;
	leaves[1] = (struct leaf){ "aaa", LIMIT_MST_KEY_BYTES - 1, NULL };
	expect_node(FAULT_KEY_SYNTAX, NULL, leaves, 1);
	memset(big_key, 'a', sizeof(big_key));
	big_key[LIMIT_MST_NODE_BYTES] = '\0';
	leaves[0].suffix = big_key;
	expect_node(FAULT_NODE_SIZE, NULL, leaves, 1);
	free(leaves);
}

/* --- records --- */

static void
expect_bad_record(enum fault_code want, struct bytes bytes, const struct cid *link)
{
	struct maker *maker = maker_new();
	struct keypair *pair = maker_keypair(KEY_K256);
	struct repo_options options = REPO_OPTIONS_DEFAULT;
	struct repo *repo = repo_new(&options);
	struct commit_expect any = { .did = STR_NONE };
	struct buf car = BUF_INIT;
	struct repo_walk *walk;
	struct repo_record found;
	struct fault fault;

	if (link != NULL)
		maker_add_link(maker, STR(KEY_A), link);
	else
		maker_add(maker, STR(KEY_A), bytes);
	maker_add(maker, STR(KEY_B), (struct bytes){ record, sizeof(record) });
	maker_finish(maker, STR(MAKER_DID), STR(MAKER_REV), pair, MAKER_TREE_ORDER, &car);
	assert_int_equal(repo_feed(repo, buf_bytes(&car), &fault), 0);
	assert_int_equal(repo_feed_end(repo, &fault), 0);
	assert_int_equal(repo_check_commit(repo, &any, &fault), 0);
	assert_int_equal(repo_check_tree(repo, SIZE_MAX, &fault), REPO_DONE);
	assert_int_equal(repo_stats(repo).records, 2);
	assert_int_equal(repo_stats(repo).records_bad, 1);

	walk = repo_walk_new(repo, NULL);
	assert_int_equal(repo_walk_next(walk, &found, &fault), 1);
	fault = repo_walk_fault(walk);
	fault_expect(want, found.bad == fault.code ? -1 : 0, &fault);
	assert_string_equal(fault.detail, KEY_A);
	assert_int_equal(repo_walk_next(walk, &found, &fault), 1);
	assert_int_equal(found.bad, FAULT_NONE);
	assert_int_equal(repo_walk_next(walk, &found, &fault), 0);
	repo_walk_free(&walk);
	repo_free(&repo);
	buf_clear(&car);
	keypair_free(&pair);
	maker_free(&maker);
}

void
record_faults(void **state BF_UNUSED)
{
	static const uint8_t number[] = { 0x07 },
	    real[] = { 0xa1, 0x61, 'f', 0xf9, 0, 0 };
	struct sha256 *sha = sha256_new();
	struct maker *maker = maker_new();
	struct keypair *pair = maker_keypair(KEY_K256);
	struct buf big = BUF_INIT, car = BUF_INIT;
	uint8_t *zeros = xcalloc(1, LIMIT_RECORD_BYTES);
	struct fault fault;
	struct cid cid;

	expect_bad_record(FAULT_RECORD_NOT_MAP, (struct bytes){ number, 1 }, NULL);
	expect_bad_record(FAULT_CBOR_FLOAT, (struct bytes){ real, sizeof(real) }, NULL);
	expect_bad_record(FAULT_CBOR_TRUNCATED, BYTES_NONE, NULL);
	cid_of(sha, CID_RAW, (struct bytes){ record, sizeof(record) }, &cid);
	expect_bad_record(FAULT_RECORD_LINK, BYTES_NONE, &cid);
	dagcbor_write_map(&big, 1);
	dagcbor_write_text(&big, STR("a"));
	dagcbor_write_bytes(&big, (struct bytes){ zeros, LIMIT_RECORD_BYTES - 7 });
	assert_int_equal(buf_len(&big), LIMIT_RECORD_BYTES + 1);
	expect_bad_record(FAULT_RECORD_SIZE, buf_bytes(&big), NULL);

	cid_of(sha, CID_DAG_CBOR, BYTES_NONE, &cid);
	maker_add_link(maker, STR(KEY_A), &cid);
	maker_finish(maker, STR(MAKER_DID), STR(MAKER_REV), pair, MAKER_TREE_ORDER, &car);
	fault_expect(FAULT_RECORD_MISSING, fault_prove(&car, &fault), &fault);
	assert_string_equal(fault.detail, KEY_A);
	free(zeros);
	buf_clear(&big);
	buf_clear(&car);
	keypair_free(&pair);
	maker_free(&maker);
	sha256_free(&sha);
}

/*
 * The proof that a tree is the one tree of its keys (spec: Repository, "MST
 * Structure"): with the layers, the order and the prefixes right in each node and
 * no node empty, there is exactly one tree for a set of keys and values.
 *
 * No node can be visited twice: the second visit would meet keys that are not
 * greater than the last.  So the work is bounded by the number of blocks.
 */
#include "atproto/repo_internal.h"

#include <assert.h>

#include "atproto/mst.h"
#include "atproto/nsid.h"
#include "atproto/rkey.h"

/* The root's layer is its keys'; below, each node is one layer under its parent. */
static int
check_root(struct repo *repo, struct tree_frame *root, struct fault *fault)
{
	root->layer = 0;
	if (root->node.n == 0) {
		if (root->node.left != NULL)
			return fault_set(fault, FAULT_NODE_BARE_ROOT, root->offset);
		return 0;	/* the empty repository */
	}
	root->layer = mst_layer(repo->sha, root->node.entries[0].suffix);
	return 0;
}

static int
check_node(struct repo *repo, struct fault *fault)
{
	struct tree *tree = &repo->tree;
	struct tree_frame *frame = tree_top(tree);

	if (tree->depth == 1) {
		if (check_root(repo, frame, fault) < 0)
			return -1;
	} else {
		/* A parent of layer 0 was refused when it was entered. */
		frame->layer = tree->frames[tree->depth - 2]->layer - 1;
		if (frame->node.n == 0 && frame->node.left == NULL)
			return fault_set(fault, FAULT_NODE_EMPTY, frame->offset);
	}
	if (frame->layer == 0 && frame->node.left != NULL)
		return fault_set(fault, FAULT_NODE_BELOW_ZERO, frame->offset);
	return 0;
}

/* COLLECTION/RKEY; a collection that the last key had too is not read again. */
static int
check_path(struct repo *repo, const struct tree_leaf *leaf, size_t shared,
    struct fault *fault)
{
	size_t known = repo->last_collection_len;
	struct str collection, rkey;

	if (known > 0 && shared > known) {
		rkey = (struct str){ leaf->key.ptr + known + 1,
		    leaf->key.len - known - 1 };
		if (rkey_is_valid(rkey))
			return 0;
	} else if (path_parse(leaf->key, &collection, &rkey) == 0) {
		repo->last_collection_len = collection.len;
		return 0;
	}
	return fault_set_detail(fault, FAULT_KEY_SYNTAX, leaf->offset, leaf->key);
}

static int
check_order(struct repo *repo, const struct tree_leaf *leaf, size_t shared,
    struct fault *fault)
{
	struct str last = { (const char *)repo->last_key, repo->last_key_len };

	if (shared == leaf->key.len || (shared < last.len &&
	    (uint8_t)leaf->key.ptr[shared] < (uint8_t)last.ptr[shared]))
		return fault_set_detail(fault, FAULT_KEY_ORDER, leaf->offset, leaf->key);
	return 0;
}

static struct repo_pending *
pending_at(struct repo *repo, uint64_t i)
{
	return &repo->pending[i % REPO_PENDING];
}

/* Is the block there?  A record that was not found good on arrival is read again. */
static int
settle_one(struct repo *repo, struct fault *fault)
{
	struct repo_pending *pending = pending_at(repo, repo->n_settled++);
	struct tree_leaf leaf = { .offset = pending->offset,
	    .value = { pending->cid, CID_BYTES },
	    .key = { pending->key, pending->key_len } };
	enum fault_code bad;
	struct bytes bytes;
	bool is_record;

	if (blocks_has(&repo->blocks, pending->hash, &is_record) && is_record)
		return 0;
	if (repo_read_record(repo, &leaf, &repo->scratch, &bytes, &bad, fault) < 0)
		return -1;
	if (bad != FAULT_NONE)
		repo->stats.records_bad++;
	return 0;
}

/*
 * The index of a large repository is larger than the processor's caches, and records
 * point all over it.  So a record is looked up in three steps, some records apart: what
 * a step needs of memory arrives while the keys in between are hashed.
 */
static int
look_up_record(struct repo *repo, const struct tree_leaf *leaf, struct fault *fault)
{
	struct repo_pending *pending = pending_at(repo, repo->n_pending);

	if (leaf->value.len != CID_BYTES || leaf->value.ptr[1] != CID_DAG_CBOR) {
		repo->stats.records_bad++;
		return 0;
	}
	pending->hash = blocks_hash(&repo->blocks, leaf->value.ptr);
	blocks_prefetch_bucket(&repo->blocks, pending->hash);
	pending->offset = leaf->offset;
	memcpy(pending->cid, leaf->value.ptr, CID_BYTES);
	pending->key_len = leaf->key.len;
	memcpy(pending->key, leaf->key.ptr, leaf->key.len);
	if (++repo->n_pending > REPO_PENDING / 2)
		blocks_prefetch_entries(&repo->blocks,
		    pending_at(repo, repo->n_pending - 1 - REPO_PENDING / 2)->hash);
	return repo->n_pending - repo->n_settled < REPO_PENDING ? 0 :
	    settle_one(repo, fault);
}

static int
settle_all(struct repo *repo, struct fault *fault)
{
	while (repo->n_settled < repo->n_pending)
		if (settle_one(repo, fault) < 0)
			return -1;
	return 0;
}

static int
check_leaf(struct repo *repo, const struct tree_leaf *leaf, struct fault *fault)
{
	struct bytes key = { (const uint8_t *)leaf->key.ptr, leaf->key.len };
	struct bytes last = { repo->last_key, repo->last_key_len };
	size_t shared = mst_common_prefix(key, last);

	if (check_path(repo, leaf, shared, fault) < 0 ||
	    check_order(repo, leaf, shared, fault) < 0)
		return -1;
	if (leaf->is_prefix_short)
		return fault_set_detail(fault, FAULT_NODE_PREFIX_SHORT, leaf->offset,
		    leaf->key);
	if (mst_layer(repo->sha, key) != tree_top(&repo->tree)->layer)
		return fault_set_detail(fault, FAULT_KEY_LAYER, leaf->offset, leaf->key);
	if (tree_top(&repo->tree)->layer == 0 && tree_top(&repo->tree)->child != NULL)
		return fault_set_detail(fault, FAULT_NODE_BELOW_ZERO, leaf->offset,
		    leaf->key);
	memcpy(repo->last_key + shared, key.ptr + shared, key.len - shared);
	repo->last_key_len = key.len;
	repo->stats.records++;
	return look_up_record(repo, leaf, fault);
}

/* REPO_AGAIN after any step that is not the last. */
static enum repo_step
check_step(struct repo *repo, struct fault *fault)
{
	struct tree_leaf leaf;

	switch (tree_next(&repo->tree, &leaf, fault)) {
	case TREE_FAILED:
		return REPO_FAILED;
	case TREE_END:
		return settle_all(repo, fault) < 0 ? REPO_FAILED : REPO_DONE;
	case TREE_NODE:
		return check_node(repo, fault) < 0 ? REPO_FAILED : REPO_AGAIN;
	case TREE_LEAF:
		return check_leaf(repo, &leaf, fault) < 0 ? REPO_FAILED : REPO_AGAIN;
	}
	return REPO_FAILED;
}

enum repo_step
repo_check_tree(struct repo *repo, size_t nodes, struct fault *fault)
{
	enum repo_step step = REPO_AGAIN;
	uint64_t until;

	if (repo->fault.code != FAULT_NONE) {
		*fault = repo->fault;
		return REPO_FAILED;
	}
	assert(repo->stage == REPO_FED || repo->stage == REPO_CHECKING);
	if (repo->stage == REPO_FED) {
		tree_init(&repo->tree, &repo->blocks, &repo->spool, &repo->commit.data,
		    NULL);
		repo->stage = REPO_CHECKING;
	}
	if (nodes == 0)
		nodes = 1;	/* some progress at each call */
	until = repo->tree.nodes + nodes;
	if (until < nodes)
		until = UINT64_MAX;
	while (step == REPO_AGAIN && repo->tree.nodes < until)
		step = check_step(repo, fault);
	if (step == REPO_FAILED)
		repo_failed(repo, fault);
	if (step == REPO_DONE) {
		repo->stats.nodes = repo->tree.nodes;
		repo->stage = REPO_CHECKED;
		tree_clear(&repo->tree);
	}
	return step;
}

#include "atproto/tree.h"

#include <stdlib.h>

#include "common/mem.h"

/* What most nodes and records take; fetched ahead. */
#define NODE_BYTES	320
#define RECORD_BYTES	192

void
tree_init(struct tree *tree, const struct blocks *blocks, const struct spool *spool,
    const struct cid *root, const struct filter *filter)
{
	*tree = (struct tree){ .blocks = blocks, .spool = spool, .filter = filter,
	    .root = root->bytes };
}

void
tree_clear(struct tree *tree)
{
	for (size_t i = 0; i < MST_LAYERS && tree->frames[i] != NULL; i++) {
		buf_clear(&tree->frames[i]->scratch);
		mst_node_clear(&tree->frames[i]->node);
		free(tree->frames[i]);
		tree->frames[i] = NULL;
	}
	buf_clear(&tree->scratch);
	tree->depth = 0;
}

/* A frame's memory stays for the next node of the same depth. */
static struct tree_frame *
push(struct tree *tree)
{
	struct tree_frame **frame = &tree->frames[tree->depth++];

	if (*frame == NULL)
		*frame = xcalloc(1, sizeof(**frame));
	return *frame;
}

static int
missing(const uint8_t *cid_bytes, struct fault *fault)
{
	char text[CID_TEXT_SIZE];
	struct cid cid;

	memcpy(cid.bytes, cid_bytes, CID_BYTES);
	cid_format(&cid, text);
	return fault_set_detail(fault, FAULT_NODE_MISSING, FAULT_NO_OFFSET,
	    str_from(text));
}

/* Have all that a node links to at hand: its subtrees and its records come next. */
static void
prefetch_links(struct tree *tree, const struct mst_node *node)
{
	const uint8_t *nodes[BLOCKS_PREFETCH_MAX], *records[BLOCKS_PREFETCH_MAX];
	size_t n_nodes = 0, n_records = 0;

	if (node->left != NULL)
		nodes[n_nodes++] = node->left;
	for (size_t i = 0; i < node->n && i + 1 < BLOCKS_PREFETCH_MAX; i++) {
		if (node->entries[i].value.len == CID_BYTES)
			records[n_records++] = node->entries[i].value.ptr;
		if (node->entries[i].right != NULL)
			nodes[n_nodes++] = node->entries[i].right;
	}
	blocks_prefetch(tree->blocks, tree->spool, nodes, n_nodes, NODE_BYTES);
	if (tree->wants_records)
		blocks_prefetch(tree->blocks, tree->spool, records, n_records,
		    RECORD_BYTES);
}

static int
enter(struct tree *tree, const uint8_t *cid, struct fault *fault)
{
	struct tree_frame *frame;
	struct block block;
	struct bytes data;
	int rc = blocks_find(tree->blocks, tree->spool, cid, &tree->scratch, &block,
	    fault);

	if (rc <= 0)
		return rc == 0 ? missing(cid, fault) : -1;
	if (block.len > LIMIT_MST_NODE_BYTES)
		return fault_set(fault, FAULT_NODE_SIZE, block.offset);
	/* Layers fall with each step down; the caller refuses those that do not. */
	if (tree->depth == MST_LAYERS)
		return fault_set(fault, FAULT_NODE_BELOW_ZERO, block.offset);
	frame = push(tree);
	if (spool_read(tree->spool, block.data_offset, block.len, &frame->scratch, &data,
	    fault) < 0)
		return -1;
	if (mst_node_read(&frame->node, data, fault) < 0) {
		fault->offset += block.data_offset;
		return -1;
	}
	if (tree->filter == NULL)
		prefetch_links(tree, &frame->node);
	frame->next = 0;
	frame->offset = block.data_offset;
	frame->child = frame->node.left;
	frame->key_len = 0;
	frame->next_key_len = 0;
	tree->nodes++;
	return 0;
}

/* An entry's key: the bytes it shares with `previous`, then its own. */
static int
build_key(uint8_t *key, size_t *key_len, const uint8_t *previous, size_t previous_len,
    const struct mst_entry *entry, uint64_t offset, struct fault *fault)
{
	if (entry->prefix > previous_len)
		return fault_set(fault, FAULT_NODE_PREFIX, offset);
	if (entry->suffix.len > LIMIT_MST_KEY_BYTES - entry->prefix)
		return fault_set(fault, FAULT_KEY_SIZE, offset);
	if (key != previous)
		memcpy(key, previous, entry->prefix);
	memcpy(key + entry->prefix, entry->suffix.ptr, entry->suffix.len);
	*key_len = entry->prefix + entry->suffix.len;
	return 0;
}

static struct str
as_key(const uint8_t *key, size_t len)
{
	return (struct str){ (const char *)key, len };
}

/*
 * Can the child hold a wanted key?  Its keys lie between the last key of this node
 * and the next one, or if this has none that of the nearest node above that does.
 */
static int
is_child_wanted(struct tree *tree, struct tree_frame *frame, bool *wanted_out,
    struct fault *fault)
{
	const struct mst_entry *entry = &frame->node.entries[frame->next];
	struct str after = STR_NONE, before = STR_NONE;

	frame->next_key_len = 0;
	if (frame->next < frame->node.n && build_key(frame->next_key,
	    &frame->next_key_len,
	    frame->key, frame->key_len, entry, frame->offset + entry->offset, fault) < 0)
		return -1;
	for (size_t i = tree->depth; i > 0 && (after.len == 0 || before.len == 0); i--) {
		const struct tree_frame *above = tree->frames[i - 1];

		if (after.len == 0)
			after = as_key(above->key, above->key_len);
		if (before.len == 0)
			before = as_key(above->next_key, above->next_key_len);
	}
	*wanted_out = filter_wants_between(tree->filter, after, before);
	return 0;
}

/* Enter the child that is due, unless a filter leaves it out: 1 if entered. */
static int
enter_child(struct tree *tree, struct tree_frame *frame, struct fault *fault)
{
	const uint8_t *child = frame->child;
	bool wanted = true;

	frame->child = NULL;
	if (tree->filter != NULL && is_child_wanted(tree, frame, &wanted, fault) < 0)
		return -1;
	if (!wanted)
		return 0;
	return enter(tree, child, fault) < 0 ? -1 : 1;
}

static int
read_leaf(struct tree_frame *frame, struct tree_leaf *leaf, struct fault *fault)
{
	const struct mst_entry *entry = &frame->node.entries[frame->next++];

	leaf->offset = frame->offset + entry->offset;
	leaf->is_prefix_short = entry->prefix < frame->key_len && entry->suffix.len > 0 &&
	    entry->suffix.ptr[0] == frame->key[entry->prefix];
	leaf->value = entry->value;
	if (build_key(frame->key, &frame->key_len, frame->key, frame->key_len, entry,
	    leaf->offset, fault) < 0)
		return -1;
	leaf->key = as_key(frame->key, frame->key_len);
	frame->child = entry->right;
	return 0;
}

enum tree_step
tree_next(struct tree *tree, struct tree_leaf *leaf_out, struct fault *fault)
{
	if (tree->root != NULL) {
		const uint8_t *root = tree->root;

		tree->root = NULL;
		return enter(tree, root, fault) < 0 ? TREE_FAILED : TREE_NODE;
	}
	while (tree->depth > 0) {
		struct tree_frame *frame = tree_top(tree);

		if (frame->child != NULL) {
			int rc = enter_child(tree, frame, fault);

			if (rc != 0)
				return rc < 0 ? TREE_FAILED : TREE_NODE;
		}
		if (frame->next == frame->node.n) {
			tree->depth--;
			continue;
		}
		if (read_leaf(frame, leaf_out, fault) < 0)
			return TREE_FAILED;
		if (!filter_wants_path(tree->filter, leaf_out->key))
			continue;
		return TREE_LEAF;
	}
	return TREE_END;
}

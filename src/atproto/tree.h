/*
 * tree.h - a cursor over the tree of a repository, in the order of its keys.
 *
 * Internal to the library: repo_check.c proves the tree with it, repo_walk.c hands
 * out records.  It reads nodes and builds keys; what a key or a node must be like
 * is the caller's to check.  Its memory is bounded by the depth, not by the size.
 */
#ifndef BF_ATPROTO_TREE_H
#define BF_ATPROTO_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/blocks.h"
#include "atproto/fault.h"
#include "atproto/filter.h"
#include "atproto/mst.h"
#include "atproto/spool.h"
#include "common/attr.h"
#include "common/limits.h"

/* One node on the path from the root to where the cursor stands. */
struct tree_frame {
	struct mst_node node;		/* owned */
	size_t next;			/* the entry that comes next */
	uint64_t offset;		/* of the block's content, in the CAR */
	unsigned layer;			/* the caller's, set at TREE_NODE */
	const uint8_t *child;		/* a subtree to enter next, or NULL */
	size_t key_len;
	size_t next_key_len;		/* of the entry behind child; or 0 */
	uint8_t key[LIMIT_MST_KEY_BYTES];	/* of the last entry */
	uint8_t next_key[LIMIT_MST_KEY_BYTES];
	struct buf scratch;		/* owned: the block, if it had to be read */
};

struct tree {
	/* borrowed */
	const struct blocks *blocks;
	const struct spool *spool;
	const struct filter *filter;
	bool wants_records;		/* each leaf's block is looked up at once */
	/* the position */
	const uint8_t *root;		/* until it is entered */
	size_t depth;
	uint64_t nodes;			/* entered so far */
	/* owned */
	struct tree_frame *frames[MST_LAYERS];
	struct buf scratch;
};

enum tree_step {
	TREE_FAILED = -1,
	TREE_END = 0,
	TREE_NODE,		/* a node was entered: tree_top() */
	TREE_LEAF,		/* *leaf_out is set */
};

struct tree_leaf {
	struct str key;			/* in the frame; until the next step */
	bool is_prefix_short;		/* its p leaves out bytes shared with the key
					 * before it in this node */
	struct bytes value;		/* the binary CID, of any kind */
	uint64_t offset;		/* of the entry, in the CAR */
};

/* The root is a CID of ours that outlives the tree. */
void tree_init(struct tree *tree, const struct blocks *blocks, const struct spool *spool,
    const struct cid *root, const struct filter *filter);
void tree_clear(struct tree *tree);

enum tree_step tree_next(struct tree *tree, struct tree_leaf *leaf_out,
    struct fault *fault) BF_MUSTCHECK;

static inline struct tree_frame *
tree_top(const struct tree *tree)
{
	return tree->frames[tree->depth - 1];
}

#endif

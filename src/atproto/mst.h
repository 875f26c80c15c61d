/*
 * mst.h - nodes of a Merkle Search Tree (spec: Repository, "MST Structure").
 *
 * A node is {e: [{k, p, t, v}...], l}: l is the subtree left of the first entry;
 * an entry has the key's suffix k behind the p bytes it shares with the key
 * before it in this node, the record's CID v, and the subtree t right of it.
 */
#ifndef BF_ATPROTO_MST_H
#define BF_ATPROTO_MST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "atproto/fault.h"
#include "common/attr.h"
#include "common/str.h"

/* A layer counts pairs of leading zero bits of a SHA-256: no tree is deeper. */
#define MST_LAYERS	129

unsigned mst_layer(struct sha256 *sha, struct bytes key);

/* How many bytes two keys share at their start. */
size_t mst_common_prefix(struct bytes a, struct bytes b);

/* One entry, as it stands in the block. */
struct mst_entry {
	size_t prefix;			/* p */
	struct bytes suffix;		/* k; borrows from the block */
	struct bytes value;		/* v: a binary CID of any kind; likewise */
	const uint8_t *right;		/* t: the binary CID of a subtree, or NULL */
	size_t offset;			/* of the entry, in the block */
};

/* A node whose entries are read in order. */
struct mst_node {
	const uint8_t *left;		/* l: a binary CID in the block, or NULL */
	size_t entries;			/* how many there are */
	/* private to mst.c */
	const uint8_t *start, *at, *end;	/* borrowed: the block; its next entry */
	size_t entries_left;
};

/*
 * Check the form of a whole node, as strictly as dagcbor_check() would; entries
 * are read without failing afterwards.  Fails with FAULT_CBOR_* or FAULT_NODE_*;
 * offsets count from the start of the block.  What needs keys is not checked
 * here: prefixes, order, layers.
 */
int mst_node_open(struct bytes block, struct mst_node *node_out, struct fault *fault)
    BF_MUSTCHECK;

/* False when there are no more. */
bool mst_node_next(struct mst_node *node, struct mst_entry *entry_out);

#endif

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

/* One entry, as it stands in the block, which it borrows from. */
struct mst_entry {
	size_t prefix;			/* p */
	struct bytes suffix;		/* k */
	struct bytes value;		/* v: a binary CID of any kind */
	const uint8_t *right;		/* t: the binary CID of a subtree, or NULL */
	size_t offset;			/* of the entry, in the block */
};

struct mst_node {
	const uint8_t *left;		/* l: the binary CID of a subtree, or NULL */
	size_t n;			/* entries */
	/* owned: grows to the largest node that was read */
	struct mst_entry *entries;
	size_t size;
};

/*
 * Read a node into node, which is zeroed or was used before.  Its form is checked
 * as strictly as dagcbor_check() would; it fails with FAULT_CBOR_* or FAULT_NODE_*,
 * with offsets from the start of the block.  What needs keys is not checked here:
 * prefixes, order, layers.
 */
int mst_node_read(struct mst_node *node, struct bytes block, struct fault *fault)
    BF_MUSTCHECK;
void mst_node_clear(struct mst_node *node);

#endif

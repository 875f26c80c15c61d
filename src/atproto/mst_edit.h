/*
 * mst_edit.h - a tree that is changed in memory while most of it is absent.
 *
 * The tree starts as a root's CID.  Nodes are read when a change comes to them;
 * what no change touches stays a CID.  So a tree of millions of keys can be changed
 * with the few nodes that a firehose event brings (spec: Sync, "inductive proofs"),
 * and its new root be told.
 *
 * The tree of a set of keys and values is one and the same however it came about:
 * whatever root comes out is that of the tree with the changes made, provided that
 * the first root was that of a right tree.
 *
 * Nodes are checked as they are read: form, layers, prefixes, order.  A root is a
 * promise about its whole tree only if that was checked before; nothing here does.
 */
#ifndef BF_ATPROTO_MST_EDIT_H
#define BF_ATPROTO_MST_EDIT_H

#include <stdbool.h>

#include "atproto/cid.h"
#include "atproto/fault.h"
#include "common/attr.h"
#include "common/buf.h"
#include "common/str.h"

struct mst_edit;

/*
 * Where nodes come from.  1 and the node's block, which has to last until the next
 * call; 0 if it is absent; -1 with fault set if it cannot be read.
 */
typedef int mst_edit_read_cb(const struct cid *cid, struct bytes *block_out,
    struct fault *fault, void *arg);

/* Borrows sha for its life.  No more than max_nodes are read. */
struct mst_edit *mst_edit_new(struct sha256 *sha, const struct cid *root,
    size_t max_nodes, mst_edit_read_cb *read, void *arg);
void mst_edit_free(struct mst_edit **edit);

/*
 * One key.  Keys are 1 to LIMIT_MST_KEY_BYTES long; their syntax is the caller's
 * matter.  All fail with FAULT_NODE_MISSING if a node that the change needs is
 * absent, with another of the tree's faults if one is bad, and then the tree is
 * only good to be freed.
 */

/* A key that must not be there: FAULT_PROOF_VALUE otherwise. */
int mst_edit_insert(struct mst_edit *edit, struct str key, const struct cid *value,
    struct fault *fault) BF_MUSTCHECK;

/* A key whose value must be `old`: FAULT_PROOF_VALUE otherwise. */
int mst_edit_replace(struct mst_edit *edit, struct str key, const struct cid *old,
    const struct cid *value, struct fault *fault) BF_MUSTCHECK;
int mst_edit_remove(struct mst_edit *edit, struct str key, const struct cid *old,
    struct fault *fault) BF_MUSTCHECK;

/* The root as the tree stands now. */
int mst_edit_root(struct mst_edit *edit, struct cid *root_out, struct fault *fault)
    BF_MUSTCHECK;

#endif

/*
 * mst_build.h - the tree of a sorted list of keys and values, block by block.
 *
 * For whoever makes repositories: tests and benchmarks here.  Needs memory for one
 * path through the tree, not for the tree.
 */
#ifndef BF_ATPROTO_MST_BUILD_H
#define BF_ATPROTO_MST_BUILD_H

#include "atproto/cid.h"
#include "common/str.h"

struct mst_build;

/* Called for each node, children before their parents; block is borrowed. */
typedef void mst_block_cb(const struct cid *cid, struct bytes block, void *arg);

/* Borrows sha for its life.  cb may be NULL if only the root is wanted. */
struct mst_build *mst_build_new(struct sha256 *sha, mst_block_cb *cb, void *arg);
void mst_build_free(struct mst_build **build);

/* Keys ascend by their bytes and are not empty. */
void mst_build_add(struct mst_build *build, struct str key, const struct cid *value);

/* Writes what is left, up to the root.  Nothing may be added afterwards. */
void mst_build_end(struct mst_build *build, struct cid *root_out);

#endif

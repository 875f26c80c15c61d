/*
 * mst_edit_impl.h - the inside of mst_edit.h: mst_edit.c changes nodes,
 * mst_edit_node.c makes, reads and writes them.
 */
#ifndef BF_ATPROTO_MST_EDIT_IMPL_H
#define BF_ATPROTO_MST_EDIT_IMPL_H

#include <stdbool.h>
#include <stddef.h>

#include "atproto/mst.h"
#include "atproto/mst_edit.h"
#include "common/buf.h"

#define LAYER_UNKNOWN	MST_LAYERS	/* of the root, before it is read */

struct edit_entry {
	struct str key;
	struct bytes value;	/* a binary CID of any kind */
};

struct edit_node {
	struct cid cid;		/* while it is not changed */
	unsigned layer;
	bool is_read;		/* else only cid and layer are known */
	bool is_changed;
	struct str after, before;	/* its keys lie between them; empty: no bound */
	size_t n;			/* entries */
	struct edit_entry *entries;
	struct edit_node **children;		/* n + 1; NULL where there is none */
};

/* Everything that a tree is made of lives until the tree is freed, so that keys can
 * be pointed to from anywhere. */
struct edit_kept {
	struct edit_kept *next;
};

struct mst_edit {
	/* borrowed */
	struct sha256 *sha;
	mst_edit_read_cb *read;
	void *arg;
	/* owned */
	struct edit_kept *kept;
	struct mst_node scratch;
	struct buf block;

	struct edit_node *root;	/* NULL: the tree is empty */
	size_t nodes_left;	/* that may still be read */
	size_t key_bytes_left;
};

/* A node in memory, changed, with room for n entries. */
struct edit_node *edit_node_make(struct mst_edit *edit, unsigned layer, size_t n);

/* Copies in memory of the tree's. */
struct str edit_keep_str(struct mst_edit *edit, struct str text);
struct bytes edit_keep_cid(struct mst_edit *edit, const struct cid *cid);

/* Have its entries and children in memory.  Fails as mst_edit.h says. */
int edit_node_read(struct mst_edit *edit, struct edit_node *node, struct fault *fault)
    BF_MUSTCHECK;

/* Bring the CID of a node up to date, and of what is below it.  NULL is fine. */
void edit_node_settle(struct mst_edit *edit, struct edit_node *node);

#endif

/*
 * node_set.h - blocks in memory, found by their CID: trees for tests.
 */
#ifndef BF_T_UNIT_NODE_SET_H
#define BF_T_UNIT_NODE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "atproto/cid.h"
#include "atproto/fault.h"
#include "common/buf.h"

struct node_set_block {
	struct cid cid;
	struct buf data;	/* owned */
	bool is_hidden;		/* absent for node_set_read() */
};

struct node_set {
	struct node_set_block *blocks;	/* owned */
	size_t n;
};

void node_set_clear(struct node_set *set);
struct node_set_block *node_set_find(const struct node_set *set, const struct cid *cid);

/* A mst_block_cb; the set is arg. */
void node_set_add(const struct cid *cid, struct bytes block, void *arg);

/* All blocks of a CAR; its root. */
struct cid node_set_add_car(struct node_set *set, struct bytes car);

/* A mst_edit_read_cb; the set is arg. */
int node_set_read(const struct cid *cid, struct bytes *block_out, struct fault *fault,
    void *arg);

#endif

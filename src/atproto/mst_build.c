#include "atproto/mst_build.h"

#include <assert.h>
#include <stdlib.h>

#include "atproto/dagcbor_write.h"
#include "atproto/mst.h"
#include "common/buf.h"
#include "common/mem.h"

/* The node of one layer that is being filled. */
struct open_node {
	struct buf entries;	/* owned: encoded, all but the last */
	struct buf key;		/* owned: of the last entry */
	size_t prefix;		/* of the last entry */
	struct cid value;	/* of the last entry */
	size_t count;		/* of entries, with the last */
	struct cid child;	/* right of the last entry, or of nothing: the left one */
	bool has_child;
	struct cid left;
	bool has_left;
};

struct mst_build {
	/* borrowed */
	struct sha256 *sha;
	mst_block_cb *cb;
	void *arg;
	unsigned top;		/* the highest layer with a key */
	/* owned */
	struct open_node layers[MST_LAYERS];
	struct buf block;
};

struct mst_build *
mst_build_new(struct sha256 *sha, mst_block_cb *cb, void *arg)
{
	struct mst_build *build = xcalloc(1, sizeof(*build));

	build->sha = sha;
	build->cb = cb;
	build->arg = arg;
	return build;
}

void
mst_build_free(struct mst_build **build)
{
	if (*build == NULL)
		return;
	for (size_t i = 0; i < MST_LAYERS; i++) {
		buf_clear(&(*build)->layers[i].entries);
		buf_clear(&(*build)->layers[i].key);
	}
	buf_clear(&(*build)->block);
	free(*build);
	*build = NULL;
}

static void
write_subtree(struct buf *to, bool has_it, const struct cid *cid)
{
	if (has_it)
		dagcbor_write_link(to, cid);
	else
		dagcbor_write_null(to);
}

/* Encode the last entry: what is right of it is known now. */
static void
settle_last(struct open_node *node)
{
	struct buf *to = &node->entries;

	if (node->count == 0) {
		node->left = node->child;
		node->has_left = node->has_child;
	} else {
		dagcbor_write_map(to, 4);
		dagcbor_write_text(to, STR("k"));
		dagcbor_write_bytes(to,
		    (struct bytes){ buf_data(&node->key) + node->prefix,
		    buf_len(&node->key) - node->prefix });
		dagcbor_write_text(to, STR("p"));
		dagcbor_write_int(to, (int64_t)node->prefix);
		dagcbor_write_text(to, STR("t"));
		write_subtree(to, node->has_child, &node->child);
		dagcbor_write_text(to, STR("v"));
		dagcbor_write_link(to, &node->value);
	}
	node->has_child = false;
}

/* Encode the node, hand it out, and make it empty. */
static void
close_node(struct mst_build *build, struct open_node *node, struct cid *cid_out)
{
	struct buf *block = &build->block;

	settle_last(node);
	buf_reset(block);
	dagcbor_write_map(block, 2);
	dagcbor_write_text(block, STR("e"));
	dagcbor_write_array(block, node->count);
	buf_add(block, buf_data(&node->entries), buf_len(&node->entries));
	dagcbor_write_text(block, STR("l"));
	write_subtree(block, node->has_left, &node->left);
	cid_of(build->sha, CID_DAG_CBOR, buf_bytes(block), cid_out);
	if (build->cb != NULL)
		build->cb(cid_out, buf_bytes(block), build->arg);
	buf_reset(&node->entries);
	buf_reset(&node->key);
	node->count = 0;
	node->has_left = false;
}

/* Close what lies under a layer; a gap becomes nodes that hold one link alone. */
static void
close_below(struct mst_build *build, unsigned layer)
{
	for (unsigned i = 0; i < layer; i++) {
		struct open_node *node = &build->layers[i];

		if (node->count == 0 && !node->has_child)
			continue;
		close_node(build, node, &build->layers[i + 1].child);
		build->layers[i + 1].has_child = true;
	}
}

void
mst_build_add(struct mst_build *build, struct str key, const struct cid *value)
{
	struct bytes bytes = { (const uint8_t *)key.ptr, key.len };
	unsigned layer = mst_layer(build->sha, bytes);
	struct open_node *node = &build->layers[layer];
	size_t prefix;

	close_below(build, layer);
	prefix = node->count > 0 ? mst_common_prefix(buf_bytes(&node->key), bytes) : 0;
	settle_last(node);
	buf_reset(&node->key);
	buf_add_str(&node->key, key);
	node->prefix = prefix;
	node->value = *value;
	node->count++;
	if (layer > build->top)
		build->top = layer;
}

void
mst_build_end(struct mst_build *build, struct cid *root_out)
{
	close_below(build, build->top);
	close_node(build, &build->layers[build->top], root_out);
}

#include "atproto/mst_edit_impl.h"

#include <stdlib.h>

#include "atproto/dagcbor_write.h"
#include "common/limits.h"
#include "common/mem.h"

/* --- memory --- */

static void *
keep(struct mst_edit *edit, size_t bytes)
{
	struct edit_kept *kept = xcalloc(1, sizeof(*kept) + bytes);

	kept->next = edit->kept;
	edit->kept = kept;
	return kept + 1;
}

struct str
edit_keep_str(struct mst_edit *edit, struct str text)
{
	char *copy = keep(edit, text.len);

	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	return (struct str){ copy, text.len };
}

static struct bytes
keep_bytes(struct mst_edit *edit, struct bytes bytes)
{
	struct str copy = edit_keep_str(edit,
	    (struct str){ (const char *)bytes.ptr, bytes.len });

	return (struct bytes){ (const uint8_t *)copy.ptr, copy.len };
}

struct bytes
edit_keep_cid(struct mst_edit *edit, const struct cid *cid)
{
	return keep_bytes(edit, (struct bytes){ cid->bytes, CID_BYTES });
}

struct edit_node *
edit_node_make(struct mst_edit *edit, unsigned layer, size_t n)
{
	struct edit_node *node = keep(edit, sizeof(*node));

	node->layer = layer;
	node->is_read = node->is_changed = true;
	node->n = n;
	node->entries = keep(edit, n * sizeof(*node->entries));
	node->children = keep(edit, (n + 1) * sizeof(struct edit_node *));
	return node;
}

static struct edit_node *
make_stub(struct mst_edit *edit, const uint8_t *cid, unsigned layer)
{
	struct edit_node *node = keep(edit, sizeof(*node));

	memcpy(node->cid.bytes, cid, CID_BYTES);
	node->layer = layer;
	return node;
}

struct mst_edit *
mst_edit_new(struct sha256 *sha, const struct cid *root, size_t max_nodes,
    mst_edit_read_cb *read, void *arg)
{
	struct mst_edit *edit = xcalloc(1, sizeof(*edit));

	edit->sha = sha;
	edit->read = read;
	edit->arg = arg;
	edit->nodes_left = max_nodes;
	edit->key_bytes_left = LIMIT_PROOF_KEY_BYTES;
	edit->root = make_stub(edit, root->bytes, LAYER_UNKNOWN);
	return edit;
}

void
mst_edit_free(struct mst_edit **edit)
{
	struct edit_kept *kept, *next;

	if (*edit == NULL)
		return;
	for (kept = (*edit)->kept; kept != NULL; kept = next) {
		next = kept->next;
		free(kept);
	}
	mst_node_clear(&(*edit)->scratch);
	buf_clear(&(*edit)->block);
	free(*edit);
	*edit = NULL;
}

/* --- reading nodes --- */

static struct bytes
as_bytes(struct str text)
{
	return (struct bytes){ (const uint8_t *)text.ptr, text.len };
}

/* The key of an entry, behind the key before it. */
static int
read_key(struct mst_edit *edit, const struct mst_entry *entry, struct str previous,
    struct str *key_out, struct fault *fault)
{
	size_t len = entry->prefix + entry->suffix.len;
	char *key;

	if (entry->prefix > previous.len)
		return fault_set(fault, FAULT_NODE_PREFIX, entry->offset);
	if (entry->suffix.len > LIMIT_MST_KEY_BYTES - entry->prefix)
		return fault_set(fault, FAULT_KEY_SIZE, entry->offset);
	if (len > edit->key_bytes_left)
		return fault_set(fault, FAULT_PROOF_SIZE, entry->offset);
	edit->key_bytes_left -= len;
	key = keep(edit, len);
	if (entry->prefix > 0)
		memcpy(key, previous.ptr, entry->prefix);
	if (entry->suffix.len > 0)
		memcpy(key + entry->prefix, entry->suffix.ptr, entry->suffix.len);
	*key_out = (struct str){ key, len };
	if (mst_common_prefix(as_bytes(previous), as_bytes(*key_out)) != entry->prefix)
		return fault_set_detail(fault, FAULT_NODE_PREFIX_SHORT, entry->offset,
		    *key_out);
	return 0;
}

static int
check_place(struct mst_edit *edit, const struct edit_node *node, struct str previous,
    struct str key, uint64_t offset, struct fault *fault)
{
	struct str after = previous.len > 0 ? previous : node->after;

	if (str_cmp(after, key) >= 0 ||
	    (node->before.len > 0 && str_cmp(key, node->before) >= 0))
		return fault_set_detail(fault, FAULT_KEY_ORDER, offset, key);
	if (mst_layer(edit->sha, as_bytes(key)) != node->layer)
		return fault_set_detail(fault, FAULT_KEY_LAYER, offset, key);
	return 0;
}

static struct edit_node *
make_child(struct mst_edit *edit, const struct edit_node *node, const uint8_t *cid,
    struct str after)
{
	struct edit_node *child;

	if (cid == NULL)
		return NULL;
	child = make_stub(edit, cid, node->layer - 1);
	child->after = after;
	child->before = node->before;
	return child;
}

static int
fill_entry(struct mst_edit *edit, struct edit_node *node, size_t i, struct fault *fault)
{
	const struct mst_entry *from = &edit->scratch.entries[i];
	struct edit_entry *entry = &node->entries[i];
	struct str previous = i > 0 ? node->entries[i - 1].key : STR_NONE;

	if (read_key(edit, from, previous, &entry->key, fault) < 0)
		return -1;
	if (node->layer == LAYER_UNKNOWN)
		node->layer = mst_layer(edit->sha, as_bytes(entry->key));
	if (check_place(edit, node, previous, entry->key, from->offset, fault) < 0)
		return -1;
	entry->value = keep_bytes(edit, from->value);
	if (node->layer == 0 && from->right != NULL)
		return fault_set(fault, FAULT_NODE_BELOW_ZERO, from->offset);
	if (node->children[i] != NULL)
		node->children[i]->before = entry->key;
	node->children[i + 1] = make_child(edit, node, from->right, entry->key);
	return 0;
}

static int
fill_node(struct mst_edit *edit, struct edit_node *node, struct fault *fault)
{
	const struct mst_node *from = &edit->scratch;
	bool is_root = node->layer == LAYER_UNKNOWN;

	if (from->n == 0 && is_root && from->left != NULL)
		return fault_set(fault, FAULT_NODE_BARE_ROOT, 0);
	if (from->n == 0 && !is_root && from->left == NULL)
		return fault_set(fault, FAULT_NODE_EMPTY, 0);
	node->n = from->n;
	node->entries = keep(edit, from->n * sizeof(*node->entries));
	node->children = keep(edit, (from->n + 1) * sizeof(struct edit_node *));
	if (is_root && from->n > 0) {
		struct str first;

		if (read_key(edit, &from->entries[0], STR_NONE, &first, fault) < 0)
			return -1;
		node->layer = mst_layer(edit->sha, as_bytes(first));
	}
	if (node->layer == 0 && from->left != NULL)
		return fault_set(fault, FAULT_NODE_BELOW_ZERO, 0);
	node->children[0] = make_child(edit, node, from->left, node->after);
	for (size_t i = 0; i < from->n; i++)
		if (fill_entry(edit, node, i, fault) < 0)
			return -1;
	node->is_read = true;
	return 0;
}

int
edit_node_read(struct mst_edit *edit, struct edit_node *node, struct fault *fault)
{
	char text[CID_TEXT_SIZE];
	struct bytes block;
	int rc;

	if (node->is_read)
		return 0;
	if (edit->nodes_left == 0)
		return fault_set(fault, FAULT_PROOF_SIZE, FAULT_NO_OFFSET);
	edit->nodes_left--;
	rc = edit->read(&node->cid, &block, fault, edit->arg);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		cid_format(&node->cid, text);
		return fault_set_detail(fault, FAULT_NODE_MISSING, FAULT_NO_OFFSET,
		    str_from(text));
	}
	if (block.len > LIMIT_MST_NODE_BYTES)
		return fault_set(fault, FAULT_NODE_SIZE, FAULT_NO_OFFSET);
	if (mst_node_read(&edit->scratch, block, fault) < 0)
		return -1;
	return fill_node(edit, node, fault);
}

/* --- writing --- */

static void
write_child(struct buf *to, const struct edit_node *child)
{
	if (child != NULL)
		dagcbor_write_link(to, &child->cid);
	else
		dagcbor_write_null(to);
}

static void
write_node(struct mst_edit *edit, const struct edit_node *node)
{
	struct buf *to = &edit->block;
	struct bytes previous = BYTES_NONE;

	buf_reset(to);
	dagcbor_write_map(to, 2);
	dagcbor_write_text(to, STR("e"));
	dagcbor_write_array(to, node->n);
	for (size_t i = 0; i < node->n; i++) {
		struct bytes key = as_bytes(node->entries[i].key);
		size_t prefix = mst_common_prefix(previous, key);

		dagcbor_write_map(to, 4);
		dagcbor_write_text(to, STR("k"));
		dagcbor_write_bytes(to,
		    (struct bytes){ key.ptr + prefix, key.len - prefix });
		dagcbor_write_text(to, STR("p"));
		dagcbor_write_int(to, (int64_t)prefix);
		dagcbor_write_text(to, STR("t"));
		write_child(to, node->children[i + 1]);
		dagcbor_write_text(to, STR("v"));
		dagcbor_write_any_link(to, node->entries[i].value);
		previous = key;
	}
	dagcbor_write_text(to, STR("l"));
	write_child(to, node->children[0]);
}

void
edit_node_settle(struct mst_edit *edit, struct edit_node *node)
{
	if (node == NULL || !node->is_changed)
		return;
	for (size_t i = 0; i <= node->n; i++)
		edit_node_settle(edit, node->children[i]);
	write_node(edit, node);
	cid_of(edit->sha, CID_DAG_CBOR, buf_bytes(&edit->block), &node->cid);
	node->is_changed = false;
}


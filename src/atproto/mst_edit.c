#include "atproto/mst_edit_impl.h"

#include <assert.h>

#include "common/limits.h"

/* How many entries stand before the key; *found_out: the next one is the key's. */
static size_t
position(const struct edit_node *node, struct str key, bool *found_out)
{
	size_t low = 0, high = node->n;

	*found_out = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(node->entries[middle].key, key);

		if (order == 0)
			*found_out = true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
wrong_value(struct str key, struct fault *fault)
{
	return fault_set_detail(fault, FAULT_PROOF_VALUE, FAULT_NO_OFFSET, key);
}

static bool
is_bare(const struct edit_node *node)
{
	return node->n == 0 && node->children[0] == NULL;
}

/* Copy entries [from, to) and the children between and around them. */
static struct edit_node *
part_of(struct mst_edit *edit, const struct edit_node *node, size_t from, size_t to)
{
	struct edit_node *part = edit_node_make(edit, node->layer, to - from);

	for (size_t i = from; i < to; i++)
		part->entries[i - from] = node->entries[i];
	for (size_t i = from; i <= to; i++)
		part->children[i - from] = node->children[i];
	return part;
}

/*
 * Part a subtree at a key of a higher layer.  As deep as the layers, like all that
 * calls itself here.
 */
static int
split(struct mst_edit *edit, struct edit_node *node, struct str key, struct edit_node **left_out,
    struct edit_node **right_out, struct fault *fault)
{
	struct edit_node *left, *right;
	bool found;
	size_t at;

	*left_out = *right_out = NULL;
	if (node == NULL)
		return 0;
	if (edit_node_read(edit, node, fault) < 0)
		return -1;
	at = position(node, key, &found);
	left = part_of(edit, node, 0, at);
	right = part_of(edit, node, at, node->n);
	if (split(edit, node->children[at], key, &left->children[at],
	    &right->children[0], fault) < 0)
		return -1;
	*left_out = is_bare(left) ? NULL : left;
	*right_out = is_bare(right) ? NULL : right;
	return 0;
}

/* Join two neighbours of one layer, between which no key is left. */
static int
join(struct mst_edit *edit, struct edit_node *left, struct edit_node *right,
    struct edit_node **node_out, struct fault *fault)
{
	struct edit_node *node;

	if (left == NULL || right == NULL) {
		*node_out = left == NULL ? right : left;
		return 0;
	}
	if (edit_node_read(edit, left, fault) < 0 || edit_node_read(edit, right, fault) < 0)
		return -1;
	node = edit_node_make(edit, left->layer, left->n + right->n);
	for (size_t i = 0; i < node->n; i++)
		node->entries[i] = i < left->n ? left->entries[i] :
		    right->entries[i - left->n];
	for (size_t i = 0; i <= node->n; i++)
		node->children[i] = i < left->n ? left->children[i] :
		    right->children[i - left->n];
	*node_out = node;
	return join(edit, left->children[left->n], right->children[0],
	    &node->children[left->n], fault);
}

/* Put an entry at its place in its node, the child that stood there parted. */
static int
insert_here(struct mst_edit *edit, struct edit_node **place, size_t at,
    const struct edit_entry *entry, struct fault *fault)
{
	struct edit_node *old = *place, *node = edit_node_make(edit, old->layer, old->n + 1);

	for (size_t i = 0; i < old->n; i++)
		node->entries[i < at ? i : i + 1] = old->entries[i];
	for (size_t i = 0; i <= old->n; i++)
		node->children[i < at ? i : i + 1] = old->children[i];
	node->entries[at] = *entry;
	*place = node;
	return split(edit, old->children[at], entry->key, &node->children[at],
	    &node->children[at + 1], fault);
}

/* place is where a node of this layer stands, or may. */
static int
insert(struct mst_edit *edit, struct edit_node **place, unsigned layer,
    unsigned key_layer, const struct edit_entry *entry, struct fault *fault)
{
	struct edit_node *node;
	bool found;
	size_t at;

	if (*place == NULL)
		*place = edit_node_make(edit, layer, 0);
	node = *place;
	if (edit_node_read(edit, node, fault) < 0)
		return -1;
	at = position(node, entry->key, &found);
	if (found)
		return wrong_value(entry->key, fault);
	if (layer == key_layer)
		return insert_here(edit, place, at, entry, fault);
	node->is_changed = true;
	return insert(edit, &node->children[at], layer - 1, key_layer, entry, fault);
}

/* Read the root, of which nothing is known before; an empty one is none. */
static int
read_root(struct mst_edit *edit, struct fault *fault)
{
	if (edit->root == NULL)
		return 0;
	if (edit_node_read(edit, edit->root, fault) < 0)
		return -1;
	if (is_bare(edit->root))
		edit->root = NULL;
	return 0;
}

int
mst_edit_insert(struct mst_edit *edit, struct str key, const struct cid *value,
    struct fault *fault)
{
	unsigned layer = mst_layer(edit->sha,
	    (struct bytes){ (const uint8_t *)key.ptr, key.len });
	struct edit_entry entry;

	assert(key.len > 0 && key.len <= LIMIT_MST_KEY_BYTES);
	if (read_root(edit, fault) < 0)
		return -1;
	while (edit->root != NULL && edit->root->layer < layer) {
		struct edit_node *above = edit_node_make(edit, edit->root->layer + 1, 0);

		above->children[0] = edit->root;
		edit->root = above;
	}
	entry.key = edit_keep_str(edit, key);
	entry.value = edit_keep_cid(edit, value);
	return insert(edit, &edit->root, edit->root != NULL ? edit->root->layer : layer,
	    layer, &entry, fault);
}

static bool
has_value(const struct edit_entry *entry, const struct cid *cid)
{
	return bytes_eq(entry->value, (struct bytes){ cid->bytes, CID_BYTES });
}

int
mst_edit_replace(struct mst_edit *edit, struct str key, const struct cid *old,
    const struct cid *value, struct fault *fault)
{
	struct edit_node *node;
	bool found = false;
	size_t at = 0;

	if (read_root(edit, fault) < 0)
		return -1;
	for (node = edit->root; node != NULL; node = node->children[at]) {
		if (edit_node_read(edit, node, fault) < 0)
			return -1;
		node->is_changed = true;
		at = position(node, key, &found);
		if (found)
			break;
	}
	if (node == NULL || !has_value(&node->entries[at], old))
		return wrong_value(key, fault);
	node->entries[at].value = edit_keep_cid(edit, value);
	return 0;
}

static int
remove_here(struct mst_edit *edit, struct edit_node *node, size_t at, struct fault *fault)
{
	struct edit_node *joined;

	if (join(edit, node->children[at], node->children[at + 1], &joined, fault) < 0)
		return -1;
	for (size_t i = at + 1; i < node->n; i++)
		node->entries[i - 1] = node->entries[i];
	for (size_t i = at + 2; i <= node->n; i++)
		node->children[i - 1] = node->children[i];
	node->children[at] = joined;
	node->n--;
	return 0;
}

static int
remove_below(struct mst_edit *edit, struct edit_node **place, struct str key,
    const struct cid *old, struct fault *fault)
{
	struct edit_node *node = *place;
	bool found;
	size_t at;

	if (node == NULL)
		return wrong_value(key, fault);
	if (edit_node_read(edit, node, fault) < 0)
		return -1;
	node->is_changed = true;
	at = position(node, key, &found);
	if (found && !has_value(&node->entries[at], old))
		return wrong_value(key, fault);
	if (found ? remove_here(edit, node, at, fault) < 0 :
	    remove_below(edit, &node->children[at], key, old, fault) < 0)
		return -1;
	if (is_bare(node))
		*place = NULL;
	return 0;
}

int
mst_edit_remove(struct mst_edit *edit, struct str key, const struct cid *old,
    struct fault *fault)
{
	if (read_root(edit, fault) < 0)
		return -1;
	return remove_below(edit, &edit->root, key, old, fault);
}

/*
 * A root is no mere pointer.  A child that is absent is taken for one that has keys:
 * were it a pointer too, the root that comes out would be no right tree's.
 */
static int
trim_root(struct mst_edit *edit, struct fault *fault)
{
	while (edit->root != NULL && edit->root->is_read && edit->root->n == 0) {
		edit->root = edit->root->children[0];
		if (edit->root != NULL && edit_node_read(edit, edit->root, fault) < 0 &&
		    fault->code != FAULT_NODE_MISSING)
			return -1;
	}
	return 0;
}

int
mst_edit_root(struct mst_edit *edit, struct cid *root_out, struct fault *fault)
{
	if (trim_root(edit, fault) < 0)
		return -1;
	if (edit->root == NULL)
		edit->root = edit_node_make(edit, 0, 0);	/* the empty repository */
	edit_node_settle(edit, edit->root);
	*root_out = edit->root->cid;
	return 0;
}

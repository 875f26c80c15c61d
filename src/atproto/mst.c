#include "atproto/mst.h"

#include <stdlib.h>

#include "atproto/dagcbor.h"
#include "common/limits.h"
#include "common/mem.h"

unsigned
mst_layer(struct sha256 *sha, struct bytes key)
{
	uint8_t digest[SHA256_BYTES];
	unsigned zeros = 0;

	sha256_digest(sha, key, digest);
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		if (digest[i] != 0)
			return (zeros + (unsigned)__builtin_clz(digest[i]) - 24) / 2;
		zeros += 8;
	}
	return MST_LAYERS - 1;
}

size_t
mst_common_prefix(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len, i = 0;

	while (i < n && a.ptr[i] == b.ptr[i])
		i++;
	return i;
}

/*
 * A node has one form, so its bytes are compared with what must stand there.
 * Each take_* moves *at behind what it found, or returns false.
 */
struct scan {
	const uint8_t *at, *end;
};

static inline bool
take_literal(struct scan *s, const char *literal, size_t len)
{
	if ((size_t)(s->end - s->at) < len || memcmp(s->at, literal, len) != 0)
		return false;
	s->at += len;
	return true;
}

/* A head of the major type given by `base`, in its shortest form. */
static inline bool
take_head(struct scan *s, uint8_t base, size_t *value_out)
{
	size_t left = (size_t)(s->end - s->at);
	unsigned info;

	if (left < 1 || (s->at[0] & 0xe0) != base)
		return false;
	info = s->at[0] & 31;
	if (info < 24) {
		*value_out = info;
		s->at += 1;
	} else if (info == 24 && left >= 2 && s->at[1] >= 24) {
		*value_out = s->at[1];
		s->at += 2;
	} else if (info == 25 && left >= 3 && s->at[1] != 0) {
		*value_out = (size_t)s->at[1] << 8 | s->at[2];
		s->at += 3;
	} else if (info == 26 && left >= 5 && (s->at[1] != 0 || s->at[2] != 0)) {
		*value_out = (size_t)s->at[1] << 24 | (size_t)s->at[2] << 16 |
		    (size_t)s->at[3] << 8 | s->at[4];
		s->at += 5;
	} else {
		return false;
	}
	return true;
}

static inline bool
take_bytes(struct scan *s, struct bytes *bytes_out)
{
	size_t len;

	if (!take_head(s, 0x40, &len) || len > (size_t)(s->end - s->at))
		return false;
	*bytes_out = (struct bytes){ s->at, len };
	s->at += len;
	return true;
}

/* A link to a tree node, or null. */
static inline bool
take_subtree(struct scan *s, const uint8_t **cid_out)
{
	static const char head[] = "\xd8\x2a\x58\x25";	/* and the zero byte behind it */

	if (take_literal(s, "\xf6", 1)) {
		*cid_out = NULL;
		return true;
	}
	if (s->end - s->at < (ptrdiff_t)sizeof(head) + CID_BYTES ||
	    memcmp(s->at, head, sizeof(head)) != 0 ||
	    !cid_is_ours(s->at + sizeof(head)) ||
	    s->at[sizeof(head) + 1] != CID_DAG_CBOR)
		return false;
	*cid_out = s->at + sizeof(head);
	s->at += sizeof(head) + CID_BYTES;
	return true;
}

static inline bool
take_value(struct scan *s, struct bytes *cid_out)
{
	struct bytes link;

	if (!take_literal(s, "\xd8\x2a", 2) || !take_bytes(s, &link) || link.len < 1 ||
	    link.ptr[0] != 0)
		return false;
	*cid_out = (struct bytes){ link.ptr + 1, link.len - 1 };
	return cid_is_any(*cid_out);
}

static inline bool
take_entry(struct scan *s, struct mst_entry *entry)
{
	return take_literal(s, "\xa4\x61k", 3) && take_bytes(s, &entry->suffix) &&
	    take_literal(s, "\x61p", 2) && take_head(s, 0x00, &entry->prefix) &&
	    take_literal(s, "\x61t", 2) && take_subtree(s, &entry->right) &&
	    take_literal(s, "\x61v", 2) && take_value(s, &entry->value);
}

/* A prefix that is negative, or a link of another kind, has a name of its own. */
static enum fault_code
why_not_a_node(const uint8_t *at, const uint8_t *end)
{
	if (end - at >= 3 && at[0] == 0x61 && at[1] == 'p' && at[2] >> 5 == 1)
		return FAULT_NODE_PREFIX;
	if (end - at >= 2 && at[0] == 0xd8 && at[1] == 42)
		return FAULT_NODE_LINK;
	return FAULT_NODE_FIELDS;
}

/* Find the reason why a block is not a node; `at` is the value where reading
 * stopped. */
static int
refuse(struct bytes block, const uint8_t *at, struct fault *fault)
{
	const uint8_t *end = block.ptr + block.len;
	enum fault_code code;

	if (dagcbor_check(block, fault) < 0)
		return -1;
	code = why_not_a_node(at, end);
	if (code == FAULT_NODE_FIELDS && at - block.ptr >= 2)
		code = why_not_a_node(at - 2, end);	/* behind the member's name */
	return fault_set(fault, code, (uint64_t)(at - block.ptr));
}

static struct mst_entry *
room_for(struct mst_node *node, size_t entries)
{
	if (entries > node->size) {
		node->size = entries < 16 ? 16 : entries;
		node->entries = xrealloc(node->entries,
		    node->size * sizeof(*node->entries));
	}
	return node->entries;
}

int
mst_node_read(struct mst_node *node, struct bytes block, struct fault *fault)
{
	struct scan s = { block.ptr, block.ptr + block.len };
	struct mst_entry *entries;
	size_t n;

	if (!take_literal(&s, "\xa2\x61" "e", 3) || !take_head(&s, 0x80, &n))
		return refuse(block, s.at, fault);
	if (n > LIMIT_MST_NODE_ENTRIES)
		return fault_set(fault, FAULT_NODE_ENTRIES, 3);
	entries = room_for(node, n);
	for (size_t i = 0; i < n; i++) {
		entries[i].offset = (size_t)(s.at - block.ptr);
		if (!take_entry(&s, &entries[i]))
			return refuse(block, s.at, fault);
	}
	if (!take_literal(&s, "\x61l", 2) || !take_subtree(&s, &node->left) ||
	    s.at != s.end)
		return refuse(block, s.at, fault);
	node->n = n;
	return 0;
}

void
mst_node_clear(struct mst_node *node)
{
	free(node->entries);
	*node = (struct mst_node){ .n = 0 };
}

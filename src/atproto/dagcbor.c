#include "atproto/dagcbor.h"

#include <assert.h>
#include <endian.h>

#include "common/limits.h"
#include "common/utf8.h"

enum major { UINT, NINT, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

#define SIMPLE_FALSE	20
#define SIMPLE_TRUE	21
#define SIMPLE_NULL	22
#define SIMPLE_HALF	25	/* floats of 16, 32 and 64 bits */
#define SIMPLE_DOUBLE	27

#define TAG_LINK	42

/* A container whose values are being read. */
struct level {
	uint64_t left;		/* values or pairs to come, the current one too */
	struct str key;		/* the last one, of a map */
	bool is_map;
};

struct checker {
	const uint8_t *start, *at, *end;
	struct fault *fault;
	unsigned depth;
	struct level levels[LIMIT_CBOR_DEPTH];
};

static int
fail_at(const struct checker *c, enum fault_code code, const uint8_t *at)
{
	fault_set(c->fault, code, (uint64_t)(at - c->start));
	return -1;	/* said here: the compiler follows it into the callers */
}

/* The number behind a head whose low five bits are 24 to 31. */
static int
check_long_head(struct checker *c, unsigned info, uint64_t *value_out)
{
	const uint8_t *head = c->at - 1;
	size_t n = (size_t)1 << (info - 24);
	uint64_t value = 0, least;

	if (info > 27)
		return fail_at(c, FAULT_CBOR_HEAD, head);
	if ((size_t)(c->end - c->at) < n)
		return fail_at(c, FAULT_CBOR_TRUNCATED, head);
	for (size_t i = 0; i < n; i++)
		value = value << 8 | *c->at++;
	least = info == 24 ? 24 : (uint64_t)1 << (4 * n);
	if (value < least)
		return fail_at(c, FAULT_CBOR_NOT_MINIMAL, head);
	*value_out = value;
	return 0;
}

static inline int
check_head(struct checker *c, enum major *major_out, uint64_t *value_out)
{
	uint8_t first;

	if (c->at == c->end)
		return fail_at(c, FAULT_CBOR_TRUNCATED, c->at);
	first = *c->at++;
	*major_out = (enum major)(first >> 5);
	if ((first & 31) < 24) {
		*value_out = first & 31;
		return 0;
	}
	/* What looks like a length here is a float's width, or a second byte. */
	if (*major_out == SIMPLE) {
		*value_out = first & 31;
		return 0;
	}
	return check_long_head(c, first & 31, value_out);
}

static inline uint64_t
load64(const uint8_t *at)
{
	uint64_t eight;

	memcpy(&eight, at, sizeof(eight));
	return le64toh(eight);
}

/* Most text is ASCII: eight bytes a step, the last step overlapping the one before;
 * short text is read together with what stands behind it in the block. */
static inline bool
is_utf8(const uint8_t *text, size_t len, const uint8_t *end)
{
	uint64_t all = 0;

	if (len > 8) {
		for (size_t i = 0; i < len - 8; i += 8)
			all |= load64(text + i);
		all |= load64(text + len - 8);
	} else if (len > 0 && end - text >= 8) {
		all = load64(text) << (64 - 8 * len);
	} else {
		return utf8_is_valid(text, len);
	}
	return (all & 0x8080808080808080u) == 0 || utf8_is_valid(text, len);
}

static inline int
check_text(struct checker *c, uint64_t len, struct str *text_out)
{
	if (len > (uint64_t)(c->end - c->at))
		return fail_at(c, FAULT_CBOR_TRUNCATED, c->at);
	if (!is_utf8(c->at, (size_t)len, c->end))
		return fail_at(c, FAULT_CBOR_UTF8, c->at);
	*text_out = (struct str){ (const char *)c->at, (size_t)len };
	c->at += len;
	return 0;
}

static inline int
key_cmp(struct str a, struct str b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return memcmp(a.ptr, b.ptr, a.len);
}

static inline int
check_key(struct checker *c, struct level *level)
{
	const uint8_t *start = c->at;
	enum major major;
	uint64_t len;
	struct str key;
	int order;

	if (check_head(c, &major, &len) < 0)
		return -1;
	if (major != TEXT)
		return fail_at(c, FAULT_CBOR_KEY_TYPE, start);
	if (check_text(c, len, &key) < 0)
		return -1;
	if (level->key.ptr != NULL) {
		order = key_cmp(level->key, key);
		if (order >= 0)
			return fail_at(c, order == 0 ? FAULT_CBOR_KEY_TWICE :
			    FAULT_CBOR_KEY_ORDER, start);
	}
	level->key = key;
	return 0;
}

/* Behind the head of a tag. */
static int
check_link(struct checker *c, uint64_t tag, const uint8_t *start)
{
	enum major major;
	uint64_t len;

	if (tag != TAG_LINK)
		return fail_at(c, FAULT_CBOR_TAG, start);
	if (check_head(c, &major, &len) < 0)
		return -1;
	if (major != BYTES)
		return fail_at(c, FAULT_CBOR_LINK, start);
	if (len > (uint64_t)(c->end - c->at))
		return fail_at(c, FAULT_CBOR_TRUNCATED, start);
	if (len < 1 || c->at[0] != 0 ||
	    !cid_is_any((struct bytes){ c->at + 1, (size_t)len - 1 }))
		return fail_at(c, FAULT_CBOR_LINK, start);
	c->at += len;
	return 0;
}

static int
check_simple(struct checker *c, uint64_t value, const uint8_t *start)
{
	if (value >= SIMPLE_FALSE && value <= SIMPLE_NULL)
		return 0;
	if (value >= SIMPLE_HALF && value <= SIMPLE_DOUBLE)
		return fail_at(c, FAULT_CBOR_FLOAT, start);
	return fail_at(c, value == 31 ? FAULT_CBOR_HEAD : FAULT_CBOR_SIMPLE, start);
}

static int
enter(struct checker *c, bool is_map, uint64_t count, const uint8_t *start)
{
	if (count > LIMIT_CBOR_ENTRIES)
		return fail_at(c, FAULT_CBOR_ENTRIES, start);
	if (c->depth == LIMIT_CBOR_DEPTH)
		return fail_at(c, FAULT_CBOR_DEPTH, start);
	c->levels[c->depth++] = (struct level){ count, STR_NONE, is_map };
	return 0;
}

/* One value; a container is entered, and `entered` says so. */
static inline int
check_value(struct checker *c, bool *entered)
{
	const uint8_t *start = c->at;
	enum major major;
	uint64_t value;
	struct str text;

	*entered = false;
	if (check_head(c, &major, &value) < 0)
		return -1;
	switch (major) {
	case UINT:
	case NINT:
		return value <= INT64_MAX ? 0 : fail_at(c, FAULT_CBOR_INT_RANGE, start);
	case BYTES:
		if (value > (uint64_t)(c->end - c->at))
			return fail_at(c, FAULT_CBOR_TRUNCATED, start);
		c->at += value;
		return 0;
	case TEXT:
		return check_text(c, value, &text);
	case ARRAY:
	case MAP:
		/* An empty one is a plain value, but takes its place in the depth. */
		if (value == 0 && c->depth < LIMIT_CBOR_DEPTH)
			return 0;
		*entered = true;
		return enter(c, major == MAP, value, start);
	case TAG:
		return check_link(c, value, start);
	case SIMPLE:
		return check_simple(c, value, start);
	}
	return 0;
}

/* One whole value. */
static inline int
check_one(struct checker *c, struct bytes block, struct fault *fault)
{
	c->start = c->at = block.ptr;
	c->end = block.ptr + block.len;
	c->fault = fault;
	c->depth = 0;
	do {
		bool entered;

		if (c->depth > 0 && c->levels[c->depth - 1].is_map &&
		    check_key(c, &c->levels[c->depth - 1]) < 0)
			return -1;
		if (check_value(c, &entered) < 0)
			return -1;
		if (entered)
			continue;
		while (c->depth > 0 && --c->levels[c->depth - 1].left == 0)
			c->depth--;
	} while (c->depth > 0);
	return 0;
}

int
dagcbor_check(struct bytes block, struct fault *fault)
{
	struct checker c;

	if (check_one(&c, block, fault) < 0)
		return -1;
	if (c.at != c.end)
		return fail_at(&c, FAULT_CBOR_TRAILING, c.at);
	return 0;
}

int
dagcbor_check_first(struct bytes bytes, size_t *len_out, struct fault *fault)
{
	struct checker c;

	if (check_one(&c, bytes, fault) < 0)
		return -1;
	*len_out = (size_t)(c.at - c.start);
	return 0;
}

/* A head of checked bytes. */
static inline enum major
next_head(struct dagcbor *from, uint64_t *value_out)
{
	uint8_t first = *from->at++;
	unsigned info = first & 31;
	uint64_t value = info;

	if (info >= 24) {
		value = 0;
		for (size_t n = (size_t)1 << (info - 24); n > 0; n--)
			value = value << 8 | *from->at++;
	}
	*value_out = value;
	return (enum major)(first >> 5);
}

static struct bytes
take(struct dagcbor *from, uint64_t n)
{
	struct bytes bytes = { from->at, (size_t)n };

	from->at += n;
	return bytes;
}

struct dagcbor_item
dagcbor_next(struct dagcbor *from)
{
	struct dagcbor_item item = { .type = DAGCBOR_NULL };
	uint64_t value;

	assert(from->at < from->end);
	switch (next_head(from, &value)) {
	case UINT:
		item.type = DAGCBOR_INT;
		item.integer = (int64_t)value;
		break;
	case NINT:
		item.type = DAGCBOR_INT;
		item.integer = -1 - (int64_t)value;
		break;
	case BYTES:
		item.type = DAGCBOR_BYTES;
		item.bytes = take(from, value);
		break;
	case TEXT:
		item.type = DAGCBOR_TEXT;
		item.text = (struct str){ (const char *)from->at, (size_t)value };
		from->at += value;
		break;
	case ARRAY:
		item.type = DAGCBOR_ARRAY;
		item.count = value;
		break;
	case MAP:
		item.type = DAGCBOR_MAP;
		item.count = value;
		break;
	case TAG:
		next_head(from, &value);
		from->at++;	/* the zero byte in front of the CID */
		item.type = DAGCBOR_LINK;
		item.bytes = take(from, value - 1);
		break;
	case SIMPLE:
		if (value == SIMPLE_NULL)
			break;
		item.type = DAGCBOR_BOOL;
		item.boolean = value == SIMPLE_TRUE;
		break;
	}
	return item;
}

void
dagcbor_skip(struct dagcbor *from)
{
	/* Checked bytes are short of 2^64 values, however they are nested. */
	for (uint64_t left = 1; left > 0; left--) {
		struct dagcbor_item item = dagcbor_next(from);

		if (item.type == DAGCBOR_ARRAY)
			left += item.count;
		else if (item.type == DAGCBOR_MAP)
			left += 2 * item.count;
	}
}

bool
dagcbor_find(struct dagcbor map, struct str name, struct dagcbor *value_out)
{
	struct dagcbor_item head = dagcbor_next(&map);

	if (head.type != DAGCBOR_MAP)
		return false;
	for (uint64_t i = 0; i < head.count; i++) {
		if (str_eq(dagcbor_next(&map).text, name)) {
			*value_out = map;
			return true;
		}
		dagcbor_skip(&map);
	}
	return false;
}

bool
dagcbor_find_item(struct dagcbor map, struct str name, enum dagcbor_type type,
    struct dagcbor_item *item_out)
{
	struct dagcbor value;
	struct dagcbor_item item;

	if (!dagcbor_find(map, name, &value))
		return false;
	item = dagcbor_next(&value);
	if (item.type != type)
		return false;
	*item_out = item;
	return true;
}

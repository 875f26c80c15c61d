/* The other half of dagcbor_json.h: through a tree, since members are sorted. */
#include "atproto/dagcbor_json.h"

#include <stdlib.h>

#include <jansson.h>

#include "atproto/basex.h"
#include "atproto/cid.h"
#include "atproto/dagcbor_write.h"
#include "common/limits.h"
#include "common/mem.h"

#define CID_MAX_BYTES	100	/* of any kind; as the Go implementation */
#define INT_SAFE_MAX	9007199254740991.0	/* 2^53 - 1: exact as a double */

struct writer {
	struct buf *to;
	struct fault *fault;
	unsigned depth;
};

static int write_value(struct writer *w, const json_t *value);

static int
fail(const struct writer *w, enum fault_code code, const char *name)
{
	return fault_set_detail(w->fault, code, FAULT_NO_OFFSET, str_from(name));
}

static struct str
text_of(const json_t *value)
{
	return (struct str){ json_string_value(value), json_string_length(value) };
}

static int
write_link(struct writer *w, const json_t *map, const json_t *link)
{
	uint8_t cid[CID_MAX_BYTES];
	size_t len;

	if (json_object_size(map) != 1 || !json_is_string(link) ||
	    multibase_decode(text_of(link), cid, sizeof(cid), &len) < 0 ||
	    !cid_is_any((struct bytes){ cid, len }) || cid[0] != 1)
		return fail(w, FAULT_JSON_LINK, "$link");
	dagcbor_write_any_link(w->to, (struct bytes){ cid, len });
	return 0;
}

static int
write_bytes(struct writer *w, const json_t *map, const json_t *text)
{
	struct buf bytes = BUF_INIT;
	int rc = -1;

	if (json_object_size(map) == 1 && json_is_string(text) &&
	    base64_decode(text_of(text), &bytes) == 0) {
		dagcbor_write_bytes(w->to, buf_bytes(&bytes));
		rc = 0;
	}
	buf_clear(&bytes);
	return rc == 0 ? 0 : fail(w, FAULT_JSON_BYTES, "$bytes");
}

static bool
is_link(const json_t *value)
{
	return json_object_size(value) == 1 && json_object_get(value, "$link") != NULL;
}

/* What `$type` has to be, and what it demands of the rest. */
static int
check_type(struct writer *w, const json_t *map)
{
	const json_t *type = json_object_get(map, "$type");

	if (type == NULL)
		return 0;
	if (!json_is_string(type) || json_string_length(type) == 0)
		return fail(w, FAULT_JSON_TYPE, "$type");
	if (!str_eq(text_of(type), STR("blob")))
		return 0;
	if (!is_link(json_object_get(map, "ref")) ||
	    !json_is_string(json_object_get(map, "mimeType")) ||
	    !json_is_integer(json_object_get(map, "size")))
		return fail(w, FAULT_JSON_BLOB, "blob");
	return 0;
}

struct member {
	struct str name;
	const json_t *value;
};

static int
member_cmp(const void *a, const void *b)
{
	return dagcbor_key_cmp(((const struct member *)a)->name,
	    ((const struct member *)b)->name);
}

static int
write_members(struct writer *w, json_t *map)
{
	size_t n = json_object_size(map), i = 0;
	struct member *members;
	void *at;
	int rc = 0;

	dagcbor_write_map(w->to, n);
	if (n == 0)
		return 0;
	members = xcalloc(n, sizeof(*members));
	for (at = json_object_iter(map); at != NULL; at = json_object_iter_next(map, at))
		members[i++] = (struct member){ { json_object_iter_key(at),
		    json_object_iter_key_len(at) }, json_object_iter_value(at) };
	qsort(members, n, sizeof(*members), member_cmp);
	for (i = 0; i < n && rc == 0; i++) {
		dagcbor_write_text(w->to, members[i].name);
		rc = write_value(w, members[i].value);
	}
	free(members);
	return rc;
}

static int
write_map(struct writer *w, const json_t *map)
{
	const json_t *link = json_object_get(map, "$link");
	const json_t *bytes = json_object_get(map, "$bytes");
	int rc;

	if (link != NULL)
		return write_link(w, map, link);
	if (bytes != NULL)
		return write_bytes(w, map, bytes);
	if (json_object_size(map) > LIMIT_CBOR_ENTRIES)
		return fail(w, FAULT_CBOR_ENTRIES, "");
	if (w->depth == LIMIT_CBOR_DEPTH)
		return fail(w, FAULT_CBOR_DEPTH, "");
	if (check_type(w, map) < 0)
		return -1;
	w->depth++;
	/* jansson's iterator takes no const; nothing is changed. */
	rc = write_members(w, (json_t *)(uintptr_t)map);
	w->depth--;
	return rc;
}

static int
write_array(struct writer *w, const json_t *array)
{
	size_t n = json_array_size(array);

	if (n > LIMIT_CBOR_ENTRIES)
		return fail(w, FAULT_CBOR_ENTRIES, "");
	if (w->depth == LIMIT_CBOR_DEPTH)
		return fail(w, FAULT_CBOR_DEPTH, "");
	dagcbor_write_array(w->to, n);
	w->depth++;
	for (size_t i = 0; i < n; i++)
		if (write_value(w, json_array_get(array, i)) < 0)
			return -1;
	w->depth--;
	return 0;
}

/* "123.0" is how some writers put an integer. */
static int
write_real(struct writer *w, double value)
{
	if (value < -INT_SAFE_MAX || value > INT_SAFE_MAX || (double)(int64_t)value != value)
		return fail(w, FAULT_JSON_FLOAT, "");
	dagcbor_write_int(w->to, (int64_t)value);
	return 0;
}

/* Recursion ends at LIMIT_CBOR_DEPTH. */
static int
write_value(struct writer *w, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return write_map(w, value);
	case JSON_ARRAY:
		return write_array(w, value);
	case JSON_STRING:
		dagcbor_write_text(w->to, text_of(value));
		return 0;
	case JSON_INTEGER:
		dagcbor_write_int(w->to, json_integer_value(value));
		return 0;
	case JSON_REAL:
		return write_real(w, json_real_value(value));
	case JSON_TRUE:
	case JSON_FALSE:
		dagcbor_write_bool(w->to, json_is_true(value));
		return 0;
	case JSON_NULL:
		dagcbor_write_null(w->to);
		return 0;
	}
	return 0;
}

int
dagcbor_from_json(struct str json, struct buf *to, struct fault *fault)
{
	struct buf out = BUF_INIT;
	struct writer w = { &out, fault, 0 };
	json_error_t error;
	json_t *root;
	int rc;

	if (json.len > LIMIT_JSON_RECORD_BYTES)
		return fault_set(fault, FAULT_JSON_SIZE, FAULT_NO_OFFSET);
	root = json_loadb(json.len > 0 ? json.ptr : "", json.len,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (root == NULL)
		return fault_set_detail(fault, FAULT_JSON_SYNTAX,
		    error.position >= 0 ? (uint64_t)error.position : FAULT_NO_OFFSET,
		    str_from(error.text));
	rc = json_is_object(root) ? write_value(&w, root) :
	    fail(&w, FAULT_JSON_NOT_MAP, "");
	if (rc == 0)
		buf_add(to, buf_data(&out), buf_len(&out));
	buf_clear(&out);
	json_decref(root);
	return rc;
}

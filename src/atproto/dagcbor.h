/*
 * dagcbor.h - reading DAG-CBOR as the AT Protocol data model restricts it
 * (RFC 8949 section 4.2.1, DAG-CBOR's strictness, no floats).
 *
 * Bytes are checked once and read without doubts afterwards: dagcbor_check()
 * refuses everything that is not canonical, in one pass without recursion and
 * without allocation; struct dagcbor then walks bytes that passed.  Nothing is
 * copied: text and bytes that are handed out point into the block.
 */
#ifndef BF_ATPROTO_DAGCBOR_H
#define BF_ATPROTO_DAGCBOR_H

#include <stdbool.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "atproto/fault.h"
#include "common/attr.h"
#include "common/str.h"

/*
 * 0 if block is exactly one canonical value: shortest heads, definite lengths,
 * map keys that are text, unique and in order (shorter first, then bytewise),
 * valid UTF-8, tag 42 alone, no floats, nothing behind the value, and inside
 * LIMIT_CBOR_DEPTH and LIMIT_CBOR_ENTRIES.  Fails with one of FAULT_CBOR_*;
 * the offset counts from the start of the block.
 */
int dagcbor_check(struct bytes block, struct fault *fault) BF_MUSTCHECK;

/* The same of the first of several values that stand one behind the other, as in a
 * frame of an event stream; its length. */
int dagcbor_check_first(struct bytes bytes, size_t *len_out, struct fault *fault)
    BF_MUSTCHECK;

enum dagcbor_type {
	DAGCBOR_INT,
	DAGCBOR_BYTES,
	DAGCBOR_TEXT,
	DAGCBOR_ARRAY,		/* count values follow */
	DAGCBOR_MAP,		/* count pairs of a text and a value follow */
	DAGCBOR_LINK,
	DAGCBOR_BOOL,
	DAGCBOR_NULL,
};

struct dagcbor_item {
	enum dagcbor_type type;
	union {
		int64_t integer;
		uint64_t count;
		bool boolean;
		struct str text;	/* borrows from the block */
		struct bytes bytes;	/* DAGCBOR_BYTES, and the binary CID of a link */
	};
};

struct dagcbor {
	/* borrowed */
	const uint8_t *at, *end;
};

static inline struct dagcbor
dagcbor_read(struct bytes checked)
{
	return (struct dagcbor){ checked.ptr, checked.ptr + checked.len };
}

static inline bool
dagcbor_at_end(const struct dagcbor *from)
{
	return from->at == from->end;
}

/* The next head with its text, bytes or CID; containers are entered.  Only for
 * bytes that passed dagcbor_check(), and not at the end. */
struct dagcbor_item dagcbor_next(struct dagcbor *from);

void dagcbor_skip(struct dagcbor *from);	/* one whole value */

/*
 * Find a member of a map.  map stands at a map; on success value_out stands at
 * the member's value.  False if it is not a map or has no such member.
 */
bool dagcbor_find(struct dagcbor map, struct str name, struct dagcbor *value_out);

/* dagcbor_find() and the type at once: false if the member is of another type. */
bool dagcbor_find_item(struct dagcbor map, struct str name, enum dagcbor_type type,
    struct dagcbor_item *item_out);

#endif

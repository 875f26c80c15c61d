/*
 * wire.h - the subset of msgpack that our messages use.
 *
 * Packing is msgpack-c's.  Reading is our own, since msgpack-c 4.0 reserves
 * memory from the counts that a peer claims: this reader takes one value at a
 * time from a byte range, allocates nothing, has no depth, and checks every
 * length against the bytes that are there.
 */
#ifndef BF_PROTO_WIRE_H
#define BF_PROTO_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/buf.h"
#include "common/str.h"

/* Packing appends to a buffer. */
void wire_pack_array(struct buf *to, uint32_t count);
void wire_pack_map(struct buf *to, uint32_t count);
void wire_pack_u64(struct buf *to, uint64_t value);
void wire_pack_bool(struct buf *to, bool value);
void wire_pack_text(struct buf *to, struct str text);
void wire_pack_bytes(struct buf *to, struct bytes bytes);

struct wire_reader {
	const uint8_t *at, *end;	/* borrowed */
};

static inline struct wire_reader
wire_reader(struct bytes from)
{
	return (struct wire_reader){ from.ptr, from.ptr + from.len };
}

static inline bool wire_at_end(const struct wire_reader *r) { return r->at == r->end; }

/* Each reads exactly one value of its kind, or fails (-1) and leaves the
 * reader where it was.  Text is checked to be UTF-8. */
int wire_read_array(struct wire_reader *r, uint32_t *count_out) BF_MUSTCHECK;
int wire_read_map(struct wire_reader *r, uint32_t *count_out) BF_MUSTCHECK;
int wire_read_u64(struct wire_reader *r, uint64_t *value_out) BF_MUSTCHECK;
int wire_read_bool(struct wire_reader *r, bool *value_out) BF_MUSTCHECK;
int wire_read_text(struct wire_reader *r, struct str *text_out) BF_MUSTCHECK;
int wire_read_bytes(struct wire_reader *r, struct bytes *bytes_out) BF_MUSTCHECK;

/* Pass over one value of any of the kinds above but array and map. */
int wire_skip_plain(struct wire_reader *r) BF_MUSTCHECK;

#endif

/*
 * dagcbor_write.h - writing DAG-CBOR, straight into a struct buf.
 *
 * The caller writes map members in canonical order (shorter names first, then
 * bytewise): dagcbor_check() on the result tells whether it did.
 */
#ifndef BF_ATPROTO_DAGCBOR_WRITE_H
#define BF_ATPROTO_DAGCBOR_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "common/buf.h"
#include "common/str.h"

void dagcbor_write_map(struct buf *to, uint64_t members);
void dagcbor_write_array(struct buf *to, uint64_t values);
void dagcbor_write_text(struct buf *to, struct str text);
void dagcbor_write_bytes(struct buf *to, struct bytes bytes);
void dagcbor_write_int(struct buf *to, int64_t value);
void dagcbor_write_bool(struct buf *to, bool value);
void dagcbor_write_null(struct buf *to);
void dagcbor_write_link(struct buf *to, const struct cid *cid);
void dagcbor_write_any_link(struct buf *to, struct bytes binary_cid);	/* of any kind */

/* The order of map keys: negative, 0 or positive, as memcmp(). */
int dagcbor_key_cmp(struct str a, struct str b);

#endif

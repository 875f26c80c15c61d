/*
 * basex.h - the text forms of bytes that AT Protocol uses: base32 lower case,
 * base58btc, base64, and multibase in front of them.
 *
 * Decoders write at most to_size bytes and fail (-1) on a result that does not
 * fit, on any character outside the alphabet, and on bits that stand for
 * nothing.  Only base64_decode() allows padding, since the data model does.
 */
#ifndef BF_ATPROTO_BASEX_H
#define BF_ATPROTO_BASEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/buf.h"
#include "common/str.h"

#define BASE32_LEN(bytes)	(((bytes) * 8 + 4) / 5)
#define BASE58_MAX_BYTES	128	/* decoding takes the square of the length */

void base32_encode(struct bytes bytes, char *to);	/* BASE32_LEN() characters */
int base32_decode(struct str text, uint8_t *to, size_t to_size, size_t *len_out)
    BF_MUSTCHECK;

void base58_encode(struct bytes bytes, struct buf *to);	/* at most BASE58_MAX_BYTES */
int base58_decode(struct str text, uint8_t *to, size_t to_size, size_t *len_out)
    BF_MUSTCHECK;

void base64_encode(struct bytes bytes, struct buf *to);	/* no padding */

/* Standard alphabet; padding is optional but must be right if it is there. */
int base64_decode(struct str text, struct buf *to) BF_MUSTCHECK;

/* RFC 7515's base64url: no padding, no '+' or '/'. */
int base64url_decode(struct str text, struct buf *to) BF_MUSTCHECK;

/* 'b' base32 and 'z' base58btc; every other prefix fails. */
int multibase_decode(struct str text, uint8_t *to, size_t to_size, size_t *len_out)
    BF_MUSTCHECK;

#endif

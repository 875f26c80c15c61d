/*
 * sha256.h - SHA-256 with a digest that is fetched once and a context that is
 * reused: OpenSSL takes twice the time per block when it has to look both up.
 */
#ifndef BF_ATPROTO_SHA256_H
#define BF_ATPROTO_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

#define SHA256_BYTES	32

struct sha256;

struct sha256 *sha256_new(void);
void sha256_free(struct sha256 **sha);

void sha256_digest(struct sha256 *sha, struct bytes data,
    uint8_t digest_out[SHA256_BYTES]);

/* In pieces: begin, any number of add, end.  No sha256_digest() in between. */
void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, struct bytes piece);
void sha256_end(struct sha256 *sha, uint8_t digest_out[SHA256_BYTES]);

#endif

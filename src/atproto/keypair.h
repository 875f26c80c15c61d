/*
 * keypair.h - a private key, for signing our own tokens and, in tests and
 * benchmarks, repositories.
 */
#ifndef BF_ATPROTO_KEYPAIR_H
#define BF_ATPROTO_KEYPAIR_H

#include <stdint.h>

#include "atproto/key.h"
#include "common/attr.h"

struct keypair;

/* NULL unless secret is a private key of the curve. */
struct keypair *keypair_new(enum key_curve curve, const uint8_t secret[32]);
void keypair_free(struct keypair **pair);	/* wipes the secret */

struct key keypair_public(const struct keypair *pair);

/* A low-S signature. */
void keypair_sign(const struct keypair *pair, const uint8_t digest[SHA256_BYTES],
    uint8_t sig_out[KEY_SIG_BYTES]);

#endif

/*
 * key.h - public keys and signatures, on secp256k1 and P-256.
 */
#ifndef BF_ATPROTO_KEY_H
#define BF_ATPROTO_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "atproto/fault.h"
#include "atproto/sha256.h"
#include "common/attr.h"
#include "common/buf.h"
#include "common/str.h"

#define KEY_POINT_BYTES	33
#define KEY_SIG_BYTES	64	/* r and s, 32 bytes each, big-endian; never DER */

enum key_curve {
	KEY_K256,		/* secp256k1; ES256K */
	KEY_P256,		/* secp256r1; ES256 */
};

struct key {			/* always a point on its curve */
	enum key_curve curve;
	uint8_t point[KEY_POINT_BYTES];	/* compressed */
};

static inline bool
key_eq(const struct key *a, const struct key *b)
{
	return a->curve == b->curve && memcmp(a->point, b->point, KEY_POINT_BYTES) == 0;
}

/* All fail (-1) on another encoding or curve, and on a point that is not on it. */
int key_from_point(enum key_curve curve, struct bytes point, struct key *key_out)
    BF_MUSTCHECK;					/* 33 or 65 bytes */
/* "zQ3s...", "zDna..." */
int key_parse_multikey(struct str text, struct key *key_out) BF_MUSTCHECK;
/* "did:key:" in front of it */
int key_parse_did_key(struct str text, struct key *key_out) BF_MUSTCHECK;

void key_format_did_key(const struct key *key, struct buf *to);

/*
 * Check a signature over a SHA-256 digest.  Repository commits demand a low S
 * (spec: Cryptography); pass false only where a peer's standard does not, as for
 * JWTs.  Fails with FAULT_SIG_LENGTH, FAULT_SIG_HIGH_S or FAULT_SIG_WRONG, which
 * covers r or s of zero or beyond the order; the offset is left to the caller.
 */
int key_verify(const struct key *key, const uint8_t digest[SHA256_BYTES],
    struct bytes signature, bool low_s_only, struct fault *fault) BF_MUSTCHECK;

#endif

/*
 * jwt.h - service-auth tokens: what they say, and whether it may be believed.
 *
 * A PDS signs one with its account's key for one request to another service
 * (spec: XRPC, "Inter-Service Authentication"; RFC 7515, 7519, 8725).  This file
 * is pure: whose key it is and which tokens have been used before is for its
 * caller, the API, to know.
 *
 * Stricter than the reference: the key is named by `#atproto` or not at all,
 * `iat` and `jti` are required, no lifetime beyond LIMIT_JWT_LIFE_SECS, no
 * duplicate members, no `crit`, no padding, no DER.  As lenient: a signature may
 * have a high S.
 */
#ifndef BF_ATPROTO_JWT_H
#define BF_ATPROTO_JWT_H

#include <stdint.h>

#include "atproto/key.h"
#include "common/attr.h"
#include "common/str.h"

/* The reference server's names. */
#define JWT_FAULTS(X)							\
	X(BAD, "BadJwt")		/* no token, or one of its rules broken */ \
	X(BAD_TYPE, "BadJwtType")	/* a token for something else */ \
	X(EXPIRED, "JwtExpired")					\
	X(BAD_AUDIENCE, "BadJwtAudience")				\
	X(BAD_METHOD, "BadJwtLexiconMethod")				\
	X(BAD_ISSUER, "BadJwtIss")					\
	X(BAD_SIGNATURE, "BadJwtSignature")

enum jwt_fault {
#define X(fault, name)	JWT_##fault,
	JWT_FAULTS(X)
#undef X
};

struct jwt_error {
	enum jwt_fault fault;
	char text[160];			/* a sentence for the caller */
};

const char *jwt_fault_name(enum jwt_fault fault);

struct json_t;

struct jwt {
	enum key_curve curve;		/* by `alg`; the key has to be of it */
	struct str iss, aud, jti;	/* borrowed from payload; never empty */
	struct str lxm;			/* likewise; may be absent */
	int64_t exp_secs, iat_secs;
	int64_t nbf_secs;		/* 0: absent */
	uint8_t signature[KEY_SIG_BYTES];
	struct str signed_text;		/* borrowed from the token */

	struct json_t *payload;		/* owned */
};

/*
 * Take a token apart and check its form.  The token has to outlive the result,
 * which the caller ends with jwt_clear().
 */
int jwt_parse(struct str token, struct jwt *jwt_out, struct jwt_error *error)
    BF_MUSTCHECK;
void jwt_clear(struct jwt *jwt);

struct jwt_rules {
	int64_t now_secs;
	int64_t issued_since_secs;	/* older ones may have been used: refused */
	struct str audiences;		/* those accepted, parted by blanks */
	struct str lxm;			/* the method that is called */
};

/* Is it for us, for this call, now, and from an account?  Says nothing yet of
 * whether the issuer has made it. */
int jwt_check(const struct jwt *jwt, const struct jwt_rules *rules,
    struct jwt_error *error) BF_MUSTCHECK;

/* Has the owner of the key made it? */
int jwt_verify(const struct jwt *jwt, const struct key *key,
    struct jwt_error *error) BF_MUSTCHECK;

#endif

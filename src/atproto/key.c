#include "atproto/key.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <secp256k1.h>

#include "atproto/basex.h"

#define POINT_LONG_BYTES	65	/* 04, x, y */

/* Multicodec prefixes as varints: p256-pub 0x1200, secp256k1-pub 0xe7. */
static const uint8_t prefix_p256[2] = { 0x80, 0x24 };
static const uint8_t prefix_k256[2] = { 0xe7, 0x01 };

/* Half of P-256's order, rounded down: a low S is not above it. */
static const uint8_t p256_half_order[32] = {
	0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00,
	0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42,
	0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
};

/* NULL if the point is not on the curve. */
static EVP_PKEY *
p256_key(struct bytes point)
{
	char group[] = "P-256";
	/* OSSL_PARAM takes no const, and does not write here. */
	void *ptr = (void *)(uintptr_t)point.ptr;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, ptr,
		    point.len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static int
p256_from_point(struct bytes point, struct key *key_out)
{
	EVP_PKEY *pkey = p256_key(point);

	if (pkey == NULL)
		return -1;
	EVP_PKEY_free(pkey);
	key_out->curve = KEY_P256;
	memcpy(key_out->point, point.ptr, KEY_POINT_BYTES);
	if (point.len == POINT_LONG_BYTES)
		key_out->point[0] = 0x02 | (point.ptr[POINT_LONG_BYTES - 1] & 1);
	return 0;
}

static int
k256_from_point(struct bytes point, struct key *key_out)
{
	secp256k1_pubkey pubkey;
	size_t len = KEY_POINT_BYTES;

	if (secp256k1_ec_pubkey_parse(secp256k1_context_static, &pubkey, point.ptr,
	    point.len) != 1)
		return -1;
	key_out->curve = KEY_K256;
	secp256k1_ec_pubkey_serialize(secp256k1_context_static, key_out->point, &len,
	    &pubkey, SECP256K1_EC_COMPRESSED);
	return 0;
}

int
key_from_point(enum key_curve curve, struct bytes point, struct key *key_out)
{
	/* Hybrid forms (06, 07), which both libraries know, are nobody's. */
	bool is_short = point.len == KEY_POINT_BYTES &&
	    (point.ptr[0] == 2 || point.ptr[0] == 3);
	bool is_long = point.len == POINT_LONG_BYTES && point.ptr[0] == 4;

	if (!is_short && !is_long)
		return -1;
	return curve == KEY_P256 ? p256_from_point(point, key_out) :
	    k256_from_point(point, key_out);
}

int
key_parse_multikey(struct str text, struct key *key_out)
{
	uint8_t bytes[2 + KEY_POINT_BYTES];
	struct bytes point = { bytes + 2, KEY_POINT_BYTES };
	size_t len;

	if (text.len == 0 || text.ptr[0] != 'z' ||
	    multibase_decode(text, bytes, sizeof(bytes), &len) < 0 ||
	    len != sizeof(bytes))
		return -1;
	if (memcmp(bytes, prefix_p256, 2) == 0)
		return key_from_point(KEY_P256, point, key_out);
	if (memcmp(bytes, prefix_k256, 2) == 0)
		return key_from_point(KEY_K256, point, key_out);
	return -1;
}

int
key_parse_did_key(struct str text, struct key *key_out)
{
	struct str prefix = STR("did:key:");

	if (!str_starts_with(text, prefix))
		return -1;
	return key_parse_multikey((struct str){ text.ptr + prefix.len,
	    text.len - prefix.len },
	    key_out);
}

void
key_format_did_key(const struct key *key, struct buf *to)
{
	uint8_t bytes[2 + KEY_POINT_BYTES];

	memcpy(bytes, key->curve == KEY_P256 ? prefix_p256 : prefix_k256, 2);
	memcpy(bytes + 2, key->point, KEY_POINT_BYTES);
	buf_add_str(to, STR("did:key:z"));
	base58_encode((struct bytes){ bytes, sizeof(bytes) }, to);
}

static int
k256_verify(const struct key *key, const uint8_t *digest, const uint8_t *sig,
    bool low_s_only, struct fault *fault)
{
	const secp256k1_context *ctx = secp256k1_context_static;
	secp256k1_ecdsa_signature parsed;
	secp256k1_pubkey pubkey;

	if (secp256k1_ecdsa_signature_parse_compact(ctx, &parsed, sig) != 1)
		return fault_set(fault, FAULT_SIG_WRONG, FAULT_NO_OFFSET);
	/* The library itself takes low S alone. */
	if (secp256k1_ecdsa_signature_normalize(ctx, &parsed, &parsed) == 1 && low_s_only)
		return fault_set(fault, FAULT_SIG_HIGH_S, FAULT_NO_OFFSET);
	if (secp256k1_ec_pubkey_parse(ctx, &pubkey, key->point, KEY_POINT_BYTES) != 1 ||
	    secp256k1_ecdsa_verify(ctx, &parsed, digest, &pubkey) != 1)
		return fault_set(fault, FAULT_SIG_WRONG, FAULT_NO_OFFSET);
	return 0;
}

/* r and s as OpenSSL wants them: in DER.  Returns the length, 0 on failure. */
static size_t
der_signature(const uint8_t *sig, uint8_t *der, size_t der_size)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, 32, NULL), *s = BN_bin2bn(sig + 32, 32, NULL);
	int len = 0;

	if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = s = NULL;		/* now the pair's */
		len = i2d_ECDSA_SIG(pair, NULL);
		if (len > 0 && (size_t)len <= der_size)
			len = i2d_ECDSA_SIG(pair, &der);
		else
			len = 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return len > 0 ? (size_t)len : 0;
}

static int
p256_verify(const struct key *key, const uint8_t *digest, const uint8_t *sig,
    bool low_s_only, struct fault *fault)
{
	uint8_t der[80];
	size_t der_len = der_signature(sig, der, sizeof(der));
	EVP_PKEY *pkey = p256_key((struct bytes){ key->point, KEY_POINT_BYTES });
	EVP_PKEY_CTX *ctx = pkey != NULL ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	bool is_right = der_len > 0 && ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_verify(ctx, der, der_len, digest, SHA256_BYTES) == 1;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	if (low_s_only && memcmp(sig + 32, p256_half_order, 32) > 0)
		return fault_set(fault, FAULT_SIG_HIGH_S, FAULT_NO_OFFSET);
	return is_right ? 0 : fault_set(fault, FAULT_SIG_WRONG, FAULT_NO_OFFSET);
}

int
key_verify(const struct key *key, const uint8_t digest[SHA256_BYTES],
    struct bytes signature, bool low_s_only, struct fault *fault)
{
	if (signature.len != KEY_SIG_BYTES)
		return fault_set(fault, FAULT_SIG_LENGTH, FAULT_NO_OFFSET);
	if (key->curve == KEY_K256)
		return k256_verify(key, digest, signature.ptr, low_s_only, fault);
	return p256_verify(key, digest, signature.ptr, low_s_only, fault);
}

#include "atproto/keypair.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <secp256k1.h>

#include "common/mem.h"

struct keypair {
	struct key public;
	uint8_t secret[32];
	/* owned; one of them is NULL */
	secp256k1_context *k256;
	EVP_PKEY *p256;
};

/* The public point of a secret on P-256, compressed; -1 if it is not a key. */
static int
p256_point(const uint8_t secret[32], uint8_t point_out[KEY_POINT_BYTES])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
	BIGNUM *number = BN_bin2bn(secret, 32, NULL);
	int rc = -1;

	if (point != NULL && number != NULL && !BN_is_zero(number) &&
	    BN_cmp(number, EC_GROUP_get0_order(group)) < 0 &&
	    EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1 &&
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_COMPRESSED, point_out,
	    KEY_POINT_BYTES, NULL) == KEY_POINT_BYTES)
		rc = 0;
	BN_clear_free(number);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return rc;
}

static EVP_PKEY *
p256_private(const uint8_t secret[32], const uint8_t point[KEY_POINT_BYTES])
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *number = BN_bin2bn(secret, 32, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (build != NULL && number != NULL && ctx != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256",
	    0) && OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
	    KEY_POINT_BYTES) && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY,
	    number))
		params = OSSL_PARAM_BLD_to_param(build);
	if (params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(number);
	OSSL_PARAM_BLD_free(build);
	return pkey;
}

static int
init_p256(struct keypair *pair)
{
	pair->public.curve = KEY_P256;
	if (p256_point(pair->secret, pair->public.point) < 0)
		return -1;
	pair->p256 = p256_private(pair->secret, pair->public.point);
	return pair->p256 != NULL ? 0 : -1;
}

static int
init_k256(struct keypair *pair)
{
	secp256k1_pubkey pubkey;
	size_t len = KEY_POINT_BYTES;

	pair->public.curve = KEY_K256;
	pair->k256 = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	if (secp256k1_ec_pubkey_create(pair->k256, &pubkey, pair->secret) != 1)
		return -1;
	secp256k1_ec_pubkey_serialize(pair->k256, pair->public.point, &len, &pubkey,
	    SECP256K1_EC_COMPRESSED);
	return 0;
}

struct keypair *
keypair_new(enum key_curve curve, const uint8_t secret[32])
{
	struct keypair *pair = xcalloc(1, sizeof(*pair));

	memcpy(pair->secret, secret, sizeof(pair->secret));
	if ((curve == KEY_P256 ? init_p256(pair) : init_k256(pair)) < 0)
		keypair_free(&pair);
	return pair;
}

void
keypair_free(struct keypair **pair)
{
	if (*pair == NULL)
		return;
	if ((*pair)->k256 != NULL)
		secp256k1_context_destroy((*pair)->k256);
	EVP_PKEY_free((*pair)->p256);
	OPENSSL_cleanse((*pair)->secret, sizeof((*pair)->secret));
	free(*pair);
	*pair = NULL;
}

struct key
keypair_public(const struct keypair *pair)
{
	return pair->public;
}

/* Make s the lower of s and order - s; both are as good a signature. */
static void
p256_write_low_s(const ECDSA_SIG *sig, uint8_t sig_out[KEY_SIG_BYTES])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	const BIGNUM *order = EC_GROUP_get0_order(group), *s = ECDSA_SIG_get0_s(sig);
	BIGNUM *other = BN_new();
	int ok = other != NULL && BN_sub(other, order, s) == 1 &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), sig_out, 32) == 32 &&
	    BN_bn2binpad(BN_cmp(s, other) > 0 ? other : s, sig_out + 32, 32) == 32;

	if (!ok)
		abort();
	BN_free(other);
	EC_GROUP_free(group);
}

static void
p256_sign(EVP_PKEY *pkey, const uint8_t *digest, uint8_t sig_out[KEY_SIG_BYTES])
{
	uint8_t der[80];
	const uint8_t *at = der;
	size_t len = sizeof(der);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	ECDSA_SIG *sig;

	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1 ||
	    EVP_PKEY_sign(ctx, der, &len, digest, SHA256_BYTES) != 1)
		abort();
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	if (sig == NULL)
		abort();
	p256_write_low_s(sig, sig_out);
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
}

void
keypair_sign(const struct keypair *pair, const uint8_t digest[SHA256_BYTES],
    uint8_t sig_out[KEY_SIG_BYTES])
{
	secp256k1_ecdsa_signature sig;

	if (pair->p256 != NULL) {
		p256_sign(pair->p256, digest, sig_out);
		return;
	}
	if (secp256k1_ecdsa_sign(pair->k256, &sig, digest, pair->secret, NULL, NULL) != 1)
		abort();
	secp256k1_ecdsa_signature_serialize_compact(pair->k256, sig_out, &sig);
}

/*
 * test_jwt.c - service-auth tokens (F97): those of the vectors, and what an
 * attacker would make of them.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "atproto/basex.h"
#include "atproto/diddoc.h"
#include "atproto/jwt.h"
#include "atproto/keypair.h"
#include "common/limits.h"
#include "t/unit/maker.h"
#include "t/unit/vectors.h"

#define NOW	1800000000

static const struct jwt_rules rules = {
	.now_secs = NOW,
	.audiences = { "did:web:us.test#backfill did:web:us.test", 40 },
	.lxm = { "pub.chive.admin.triggerBackfill", 31 },
};

/* --- the vectors --- */

static int
judge(struct str token, const struct jwt_rules *by, const json_t *did_docs,
    struct jwt_error *error)
{
	const json_t *doc_json;
	struct diddoc doc = { .has_key = false };
	struct jwt jwt;
	int result;

	if (jwt_parse(token, &jwt, error) == -1)
		return -1;
	result = jwt_check(&jwt, by, error);
	doc_json = json_object_getn(did_docs, jwt.iss.ptr, jwt.iss.len);
	if (result == 0 && doc_json != NULL) {
		char *text = json_dumps(doc_json, 0);
		struct err err;

		assert_int_equal(diddoc_parse((struct bytes){ (uint8_t *)text,
		    strlen(text) }, jwt.iss, false, &doc, &err), 0);
		free(text);
	}
	if (result == 0 && doc.has_key) {
		result = jwt_verify(&jwt, &doc.key, error);
	} else if (result == 0) {
		error->fault = JWT_BAD_SIGNATURE;
		result = -1;
	}
	diddoc_clear(&doc);
	jwt_clear(&jwt);
	return result;
}

/* What we do where the vectors leave it open. */
static bool
is_accepted(struct str name, struct str expect)
{
	if (str_eq(expect, STR("accept")) || str_eq(expect, STR("authz")))
		return true;
	return str_eq(name, STR("ok-kid-full"));
}

/* No fault is suggested, or that of a rule which we look at later: the payload
 * that was tampered with also lives for an hour. */
static bool
may_have_any_fault(struct str name)
{
	return str_eq(name, STR("ok-bare-did-aud")) || str_eq(name, STR("typ-absent")) ||
	    str_eq(name, STR("empty")) || str_eq(name, STR("tampered-payload"));
}

static void
token__f97_is_judged_as_the_vectors_say(void **state BF_UNUSED)
{
	json_t *vectors, *cases;
	const json_t *item;
	struct jwt_rules by = { .now_secs = NOW };
	size_t i;

	vectors_need();
	vectors = vectors_json("derived/service-jwt/cases.json");
	by.audiences = str_from(json_string_value(json_array_get(
	    json_object_get(vectors, "accepted_audiences"), 0)));
	by.lxm = vectors_member(vectors, "required_lxm");
	cases = json_object_get(vectors, "cases");
	assert_int_equal(json_array_size(cases), 32);
	json_array_foreach(cases, i, item) {
		struct str name = vectors_member(item, "name");
		struct str fault = vectors_member(item, "error_suggestion");
		struct jwt_error error = { .text = "" };
		int rc = judge(vectors_member(item, "token"), &by,
		    json_object_get(vectors, "did_docs"), &error);

		if ((rc == 0) != is_accepted(name, vectors_member(item, "expect")))
			fail_msg("%.*s: %s", STR_FMT(name), error.text);
		if (rc == -1 && !may_have_any_fault(name))
			assert_true(str_eq(str_from(jwt_fault_name(error.fault)), fault));
	}
	json_decref(vectors);
}

static void
token__for_the_bare_did_is_taken_where_it_is_listed(void **state BF_UNUSED)
{
	json_t *vectors;
	const json_t *item;
	struct jwt_rules by = { .now_secs = NOW };
	struct jwt_error error;
	size_t i, found = 0;

	vectors_need();
	vectors = vectors_json("derived/service-jwt/cases.json");
	by.audiences = STR("did:web:other did:web:backfilld.test");
	by.lxm = vectors_member(vectors, "required_lxm");
	json_array_foreach(json_object_get(vectors, "cases"), i, item) {
		if (!str_eq(vectors_member(item, "name"), STR("ok-bare-did-aud")))
			continue;
		assert_int_equal(judge(vectors_member(item, "token"), &by,
		    json_object_get(vectors, "did_docs"), &error), 0);
		found++;
	}
	assert_int_equal(found, 1);
	json_decref(vectors);
}

/* --- tokens made here --- */

#define HEADER	"{\"typ\":\"JWT\",\"alg\":\"ES256K\"}"
#define CLAIMS(more)							\
	"{\"iss\":\"did:plc:ewvi7nxzyoun6zhxrhs64oiz\","		\
	"\"aud\":\"did:web:us.test#backfill\",\"iat\":1800000000,"	\
	"\"lxm\":\"pub.chive.admin.triggerBackfill\"," more "}"
#define GOOD	CLAIMS("\"exp\":1800000060,\"jti\":\"n\"")

static void
add_base64url(struct buf *to, struct bytes bytes)
{
	size_t at = buf_len(to);

	base64_encode(bytes, to);
	for (; at < buf_len(to); at++) {
		uint8_t *c = buf_data(to) + at;

		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	}
}

static struct bytes
bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static struct buf
sign(enum key_curve curve, const char *header, const char *claims)
{
	struct keypair *pair = maker_keypair(curve);
	struct sha256 *sha = sha256_new();
	uint8_t digest[SHA256_BYTES], sig[KEY_SIG_BYTES];
	struct buf token = BUF_INIT;

	add_base64url(&token, bytes_of(header));
	buf_add_byte(&token, '.');
	add_base64url(&token, bytes_of(claims));
	sha256_digest(sha, buf_bytes(&token), digest);
	keypair_sign(pair, digest, sig);
	buf_add_byte(&token, '.');
	add_base64url(&token, (struct bytes){ sig, sizeof(sig) });
	sha256_free(&sha);
	keypair_free(&pair);
	return token;
}

static int
verdict(enum key_curve key_curve, struct str token, struct jwt_error *error)
{
	struct keypair *pair = maker_keypair(key_curve);
	struct key key = keypair_public(pair);
	struct jwt jwt;
	int result;

	keypair_free(&pair);
	if (jwt_parse(token, &jwt, error) == -1)
		return -1;
	result = jwt_check(&jwt, &rules, error);
	if (result == 0)
		result = jwt_verify(&jwt, &key, error);
	jwt_clear(&jwt);
	return result;
}

static void
expect_fault(const char *header, const char *claims, enum jwt_fault fault)
{
	struct buf token = sign(KEY_K256, header, claims);
	struct jwt_error error = { .text = "accepted" };

	assert_int_equal(verdict(KEY_K256, buf_str(&token), &error), -1);
	assert_string_equal(jwt_fault_name(error.fault), jwt_fault_name(fault));
	buf_clear(&token);
}

static void
expect_good(enum key_curve curve, const char *header, const char *claims)
{
	struct buf token = sign(curve, header, claims);
	struct jwt_error error = { .text = "" };

	if (verdict(curve, buf_str(&token), &error) == -1)
		fail_msg("%s", error.text);
	buf_clear(&token);
}

static void
token__f97_that_keeps_the_rules_is_good(void **state BF_UNUSED)
{
	expect_good(KEY_K256, HEADER, GOOD);
	expect_good(KEY_P256, "{\"alg\":\"ES256\"}", GOOD);
	expect_good(KEY_K256, "{\"alg\":\"ES256K\",\"kid\":\"#atproto\"}", GOOD);
	/* At the very ends of its time. */
	expect_good(KEY_K256, HEADER, CLAIMS("\"exp\":1800000000,\"jti\":\"n\""));
	expect_good(KEY_K256, HEADER,	/* LIMIT_JWT_LIFE_SECS */
	    CLAIMS("\"exp\":1800000300,\"jti\":\"n\""));
	expect_good(KEY_K256, HEADER, CLAIMS("\"exp\":1800000060.0,\"jti\":\"n\""));
	expect_good(KEY_K256, HEADER,
	    CLAIMS("\"exp\":1800000060,\"jti\":\"n\",\"nbf\":1800000000"));
}

static void
token__f97_with_another_algorithm_is_refused(void **state BF_UNUSED)
{
	static const char *const algs[] = { "none", "None", "HS256", "RS256", "ES256",
	    "ES384", "EdDSA", "es256k", "ES256K " };

	for (size_t i = 0; i < BF_ARRAY_LEN(algs); i++) {
		char header[64];

		(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", algs[i]);
		expect_fault(header, GOOD, JWT_BAD_SIGNATURE);
	}
}

static void
token__f97_with_a_key_of_the_other_curve_is_refused(void **state BF_UNUSED)
{
	struct buf token = sign(KEY_P256, "{\"alg\":\"ES256\"}", GOOD);
	struct jwt_error error;

	assert_int_equal(verdict(KEY_K256, buf_str(&token), &error), -1);
	assert_int_equal(error.fault, JWT_BAD_SIGNATURE);
	buf_clear(&token);
}

static void
token__f97_with_a_bad_header_is_refused(void **state BF_UNUSED)
{
	expect_fault("{}", GOOD, JWT_BAD);
	expect_fault("[]", GOOD, JWT_BAD);
	expect_fault("{\"alg\":1}", GOOD, JWT_BAD);
	expect_fault("{\"alg\":\"ES256K\",\"alg\":\"ES256K\"}", GOOD, JWT_BAD);
	expect_fault("{\"alg\":\"ES256K\",\"crit\":[\"x\"]}", GOOD, JWT_BAD);
	expect_fault("{\"alg\":\"ES256K\",\"typ\":\"dpop+jwt\"}", GOOD, JWT_BAD_TYPE);
	expect_fault("{\"alg\":\"ES256K\",\"typ\":\"refresh+jwt\"}", GOOD, JWT_BAD_TYPE);
	expect_fault("{\"alg\":\"ES256K\",\"typ\":1}", GOOD, JWT_BAD_TYPE);
	expect_fault("{\"alg\":\"ES256K\",\"kid\":\"#atproto_label\"}", GOOD, JWT_BAD);
	expect_fault("{\"alg\":\"ES256K\",\"kid\":\"#atproto2\"}", GOOD, JWT_BAD);
	expect_fault("{\"alg\":\"ES256K\",\"kid\":\"did:web:x#atproto\"}", GOOD, JWT_BAD);
	expect_fault("{\"alg\":\"ES256K\",\"kid\":null}", GOOD, JWT_BAD);
	expect_fault("{\"alg\":\"ES256K\"} x", GOOD, JWT_BAD);
}

static void
token__f97_with_bad_claims_is_refused(void **state BF_UNUSED)
{
	expect_fault(HEADER, "[]", JWT_BAD);
	expect_fault(HEADER, "{\"a\":\"\\u0000\"}", JWT_BAD);
	expect_fault(HEADER, CLAIMS("\"exp\":1800000060"), JWT_BAD);
	expect_fault(HEADER, CLAIMS("\"exp\":1800000060,\"jti\":\"\""), JWT_BAD);
	expect_fault(HEADER, CLAIMS("\"exp\":1800000060,\"jti\":1"), JWT_BAD);
	expect_fault(HEADER, CLAIMS("\"exp\":1e300,\"jti\":\"n\""), JWT_BAD);
	expect_fault(HEADER, CLAIMS("\"exp\":-1,\"jti\":\"n\""), JWT_BAD);
	expect_fault(HEADER, CLAIMS("\"exp\":1800000060,\"jti\":\"n\",\"aud\":\"x\""),
	    JWT_BAD);
	expect_fault(HEADER, CLAIMS("\"exp\":1800000060,\"jti\":\"n\",\"nbf\":\"x\""),
	    JWT_BAD);
	expect_fault(HEADER, "{\"iss\":\"did:plc:ewvi7nxzyoun6zhxrhs64oiz\",\"aud\":"
	    "\"did:web:us.test\",\"exp\":1800000060,\"jti\":\"n\"}", JWT_BAD);
}

static void
token__f97_out_of_its_time_is_refused(void **state BF_UNUSED)
{
	expect_fault(HEADER, CLAIMS("\"exp\":1799999999,\"jti\":\"n\""), JWT_EXPIRED);
	expect_fault(HEADER, CLAIMS("\"exp\":1800000301,\"jti\":\"n\""), JWT_BAD);
	expect_fault(HEADER, CLAIMS("\"exp\":9007199254740992,\"jti\":\"n\""), JWT_BAD);
	expect_fault(HEADER,
	    CLAIMS("\"exp\":1800000200,\"jti\":\"n\",\"nbf\":1800000061"), JWT_BAD);
}

static void
token__issued_before_the_server_started_is_refused(void **state BF_UNUSED)
{
	struct buf token = sign(KEY_K256, HEADER, GOOD);
	struct jwt_rules since = rules;
	struct jwt_error error;
	struct jwt jwt;

	assert_int_equal(jwt_parse(buf_str(&token), &jwt, &error), 0);
	since.issued_since_secs = NOW;
	assert_int_equal(jwt_check(&jwt, &since, &error), 0);
	since.issued_since_secs = NOW + 1;
	assert_int_equal(jwt_check(&jwt, &since, &error), -1);
	jwt_clear(&jwt);
	buf_clear(&token);
}

static void
token__f97_for_another_service_method_or_from_no_account_is_refused(
    void **state BF_UNUSED)
{
	static const struct {
		const char *from, *to;
		enum jwt_fault fault;
	} changes[] = {
		{ "did:web:us.test#backfill", "did:web:us.test#other", JWT_BAD_AUDIENCE },
		{ "did:web:us.test#backfill", "did:web:us.test#", JWT_BAD_AUDIENCE },
		{ "did:web:us.test#backfill", "did:web:us.tes", JWT_BAD_AUDIENCE },
		{ "did:web:us.test#backfill", " ", JWT_BAD_AUDIENCE },
		{ "triggerBackfill", "triggerBackfil", JWT_BAD_METHOD },
		{ "triggerBackfill", "triggerBackfill2", JWT_BAD_METHOD },
		{ "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:plc:x", JWT_BAD_ISSUER },
		{ "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:web:a.b:c", JWT_BAD_ISSUER },
		{ "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
		    "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc",
		    JWT_BAD_ISSUER },
		{ "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
		    "did:plc:ewvi7nxzyoun6zhxrhs64oiz#atproto", JWT_BAD_ISSUER },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(changes); i++) {
		const char *at = strstr(GOOD, changes[i].from);
		char claims[512];

		(void)snprintf(claims, sizeof(claims), "%.*s%s%s", (int)(at - GOOD), GOOD,
		    changes[i].to, at + strlen(changes[i].from));
		expect_fault(HEADER, claims, changes[i].fault);
	}
}

/* Every character matters, and so does each one that could be added. */
static void
token__f97_changed_anywhere_is_refused(void **state BF_UNUSED)
{
	struct buf token = sign(KEY_K256, HEADER, GOOD);
	struct str text = buf_str(&token);
	struct buf changed = BUF_INIT;
	struct jwt_error error;

	for (size_t i = 0; i < text.len; i++) {
		buf_reset(&changed);
		buf_add_str(&changed, text);
		buf_data(&changed)[i] ^= 4;
		if (verdict(KEY_K256, buf_str(&changed), &error) == 0)
			fail_msg("character %zu may be changed", i);
	}
	for (size_t i = 0; i <= text.len; i++) {
		static const char extra[] = "=. A\n";

		for (const char *c = extra; *c != '\0'; c++) {
			buf_reset(&changed);
			buf_add(&changed, text.ptr, i);
			buf_add_byte(&changed, (uint8_t)*c);
			buf_add(&changed, text.ptr + i, text.len - i);
			if (verdict(KEY_K256, buf_str(&changed), &error) == 0)
				fail_msg("'%c' may stand before character %zu", *c, i);
		}
	}
	for (size_t len = 0; len < text.len; len++)
		assert_int_equal(verdict(KEY_K256, (struct str){ text.ptr, len }, &error),
		    -1);
	buf_clear(&changed);
	buf_clear(&token);
}

static void
token__over_limit_jwt_bytes_is_refused(void **state BF_UNUSED)
{
	static char claims[LIMIT_JWT_BYTES];
	struct jwt_error error;
	struct buf token;

	memset(claims, ' ', sizeof(claims) - 1);
	memcpy(claims, GOOD, strlen(GOOD));
	token = sign(KEY_K256, HEADER, claims);
	assert_true(buf_len(&token) > LIMIT_JWT_BYTES);
	assert_int_equal(verdict(KEY_K256, buf_str(&token), &error), -1);
	assert_non_null(strstr(error.text, "longer than"));
	buf_clear(&token);
	claims[4096] = '\0';
	expect_good(KEY_K256, HEADER, claims);
}

static const struct CMUnitTest jwt_tests[] = {
	cmocka_unit_test(token__f97_is_judged_as_the_vectors_say),
	cmocka_unit_test(token__for_the_bare_did_is_taken_where_it_is_listed),
	cmocka_unit_test(token__f97_that_keeps_the_rules_is_good),
	cmocka_unit_test(token__f97_with_another_algorithm_is_refused),
	cmocka_unit_test(token__f97_with_a_key_of_the_other_curve_is_refused),
	cmocka_unit_test(token__f97_with_a_bad_header_is_refused),
	cmocka_unit_test(token__f97_with_bad_claims_is_refused),
	cmocka_unit_test(token__f97_out_of_its_time_is_refused),
	cmocka_unit_test(token__issued_before_the_server_started_is_refused),
	cmocka_unit_test(
	    token__f97_for_another_service_method_or_from_no_account_is_refused),
	cmocka_unit_test(token__f97_changed_anywhere_is_refused),
	cmocka_unit_test(token__over_limit_jwt_bytes_is_refused),
};

UNIT_MAIN(jwt_tests)

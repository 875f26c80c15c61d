/*
 * test_key.c - keys, signatures, DID documents.
 */
#include "t/unit/unit.h"

#include "atproto/basex.h"
#include "atproto/diddoc.h"
#include "atproto/key.h"
#include "atproto/keypair.h"
#include "common/limits.h"
#include "common/mem.h"
#include "t/unit/maker.h"
#include "t/unit/vectors.h"

static struct buf
base64(struct str text)
{
	struct buf buf = BUF_INIT;

	assert_int_equal(base64_decode(text, &buf), 0);
	return buf;
}

static struct key
did_key(struct str text)
{
	struct key key;

	assert_int_equal(key_parse_did_key(text, &key), 0);
	return key;
}

static void
signature__is_judged_as_the_interop_fixtures_say(void **state BF_UNUSED)
{
	struct sha256 *sha;
	json_t *fixtures;
	const json_t *fixture;
	size_t i;

	vectors_need();
	sha = sha256_new();
	fixtures = vectors_json("atproto-interop-tests/crypto/signature-fixtures.json");
	json_array_foreach(fixtures, i, fixture) {
		struct buf message = base64(vectors_member(fixture, "messageBase64"));
		struct buf sig = base64(vectors_member(fixture, "signatureBase64"));
		struct key key = did_key(vectors_member(fixture, "publicKeyDid"));
		bool is_valid = json_is_true(json_object_get(fixture, "validSignature"));
		const char *tag = json_string_value(json_array_get(
		    json_object_get(fixture, "tags"), 0));
		uint8_t digest[SHA256_BYTES];
		struct fault fault;
		int rc;

		sha256_digest(sha, buf_bytes(&message), digest);
		rc = key_verify(&key, digest, buf_bytes(&sig), true, &fault);
		assert_int_equal(rc, is_valid ? 0 : -1);
		if (tag != NULL && strcmp(tag, "high-s") == 0) {
			assert_int_equal(fault.code, FAULT_SIG_HIGH_S);
			/* JWTs may have it: the same signature, otherwise right. */
			assert_int_equal(key_verify(&key, digest, buf_bytes(&sig), false,
			    &fault), 0);
		} else if (tag != NULL) {
			assert_int_equal(fault.code, FAULT_SIG_LENGTH);
		}
		buf_clear(&message);
		buf_clear(&sig);
	}
	assert_true(i >= 6);
	json_decref(fixtures);
	sha256_free(&sha);
}

static void
signature__of_zero_or_beyond_the_order_is_wrong(void **state BF_UNUSED)
{
	static const enum key_curve curves[] = { KEY_K256, KEY_P256 };

	for (size_t c = 0; c < BF_ARRAY_LEN(curves); c++) {
		struct keypair *pair = maker_keypair(curves[c]);
		struct key key = keypair_public(pair);
		uint8_t digest[SHA256_BYTES] = { 1 }, sig[KEY_SIG_BYTES];
		struct bytes bytes = { sig, sizeof(sig) };
		struct fault fault;

		keypair_sign(pair, digest, sig);
		assert_int_equal(key_verify(&key, digest, bytes, true, &fault), 0);
		digest[0] ^= 2;
		assert_int_equal(key_verify(&key, digest, bytes, true, &fault), -1);
		assert_int_equal(fault.code, FAULT_SIG_WRONG);
		digest[0] ^= 2;
		memset(sig, 0, 32);
		assert_int_equal(key_verify(&key, digest, bytes, true, &fault), -1);
		memset(sig, 0xff, 32);
		assert_int_equal(key_verify(&key, digest, bytes, true, &fault), -1);
		keypair_sign(pair, digest, sig);
		memset(sig + 32, 0, 32);
		assert_int_equal(key_verify(&key, digest, bytes, true, &fault), -1);
		memset(sig + 32, 0xff, 32);
		assert_int_equal(key_verify(&key, digest, bytes, true, &fault), -1);
		bytes.len = 63;
		assert_int_equal(key_verify(&key, digest, bytes, true, &fault), -1);
		assert_int_equal(fault.code, FAULT_SIG_LENGTH);
		keypair_free(&pair);
	}
}

static void
signature__of_the_other_curve_is_wrong(void **state BF_UNUSED)
{
	struct keypair *k256 = maker_keypair(KEY_K256), *p256 = maker_keypair(KEY_P256);
	struct key key = keypair_public(p256);
	uint8_t digest[SHA256_BYTES] = { 1 }, sig[KEY_SIG_BYTES];
	struct fault fault;

	keypair_sign(k256, digest, sig);
	assert_int_equal(key_verify(&key, digest, (struct bytes){ sig, sizeof(sig) },
	    true, &fault), -1);
	keypair_free(&k256);
	keypair_free(&p256);
}

/* P-256 makes a high S every other time: it has to be turned. */
static void
keypair__signs_with_a_low_s(void **state BF_UNUSED)
{
	struct keypair *pair = maker_keypair(KEY_P256);
	struct key key = keypair_public(pair);

	for (uint8_t i = 0; i < 16; i++) {
		uint8_t digest[SHA256_BYTES] = { i }, sig[KEY_SIG_BYTES];
		struct fault fault;

		keypair_sign(pair, digest, sig);
		assert_int_equal(key_verify(&key, digest,
		    (struct bytes){ sig, sizeof(sig) },
		    true, &fault), 0);
	}
	keypair_free(&pair);
}

static void
check_did_key(const json_t *fixture, enum key_curve curve)
{
	struct buf secret = BUF_INIT, text = BUF_INIT;
	struct str hex = vectors_member(fixture, "privateKeyBytesHex");
	struct str base58 = vectors_member(fixture, "privateKeyBytesBase58");
	struct str expected = vectors_member(fixture, "publicDidKey");
	struct keypair *pair;
	struct key public, parsed;
	size_t len = 0;

	if (hex.len > 0) {
		secret = vectors_hex(hex);
	} else {
		assert_int_equal(base58_decode(base58, buf_reserve(&secret, 32), 32,
		    &len), 0);
		buf_added(&secret, len);
	}
	assert_int_equal(buf_len(&secret), 32);
	pair = keypair_new(curve, buf_data(&secret));
	public = keypair_public(pair);
	key_format_did_key(&public, &text);
	assert_true(str_eq(buf_str(&text), expected));
	parsed = did_key(expected);
	assert_true(key_eq(&public, &parsed));
	keypair_free(&pair);
	buf_clear(&secret);
	buf_clear(&text);
}

static void
did_key__is_the_one_of_the_interop_fixtures(void **state BF_UNUSED)
{
	static const struct {
		const char *path;
		enum key_curve curve;
	} files[] = {
		{ "atproto-interop-tests/crypto/w3c_didkey_K256.json", KEY_K256 },
		{ "atproto-interop-tests/crypto/w3c_didkey_P256.json", KEY_P256 },
	};

	vectors_need();
	for (size_t f = 0; f < BF_ARRAY_LEN(files); f++) {
		json_t *fixtures = vectors_json(files[f].path);
		const json_t *fixture;
		size_t i;

		json_array_foreach(fixtures, i, fixture)
			check_did_key(fixture, files[f].curve);
		json_decref(fixtures);
	}
}

static void
key__is_refused_off_its_curve_or_in_another_form(void **state BF_UNUSED)
{
	uint8_t point[65] = { 2 };
	struct key key;

	memset(point + 1, 0xff, 64);	/* x is beyond the field */
	assert_int_equal(key_from_point(KEY_K256, (struct bytes){ point, 33 }, &key), -1);
	assert_int_equal(key_from_point(KEY_P256, (struct bytes){ point, 33 }, &key), -1);
	memset(point, 0, sizeof(point));
	point[0] = 4;
	assert_int_equal(key_from_point(KEY_K256, (struct bytes){ point, 65 }, &key), -1);
	assert_int_equal(key_from_point(KEY_P256, (struct bytes){ point, 65 }, &key), -1);
	point[0] = 6;
	assert_int_equal(key_from_point(KEY_P256, (struct bytes){ point, 65 }, &key), -1);
	assert_int_equal(key_from_point(KEY_P256, BYTES_NONE, &key), -1);
	assert_int_equal(key_parse_did_key(STR("did:key:"), &key), -1);
	assert_int_equal(key_parse_did_key(STR("did:key:zQ3sh"), &key), -1);
	assert_int_equal(key_parse_did_key(STR("did:plc:zQ3sh"), &key), -1);
	/* Ed25519, which the protocol does not use. */
	assert_int_equal(key_parse_multikey(
	    STR("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"), &key), -1);
}

static struct diddoc
parse_file(const char *path, const char *did, bool allow_http)
{
	struct buf json = vectors_read(path);
	struct diddoc doc;
	struct err err;

	if (diddoc_parse(buf_bytes(&json), str_from(did), allow_http, &doc, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	buf_clear(&json);
	return doc;
}

static void
diddoc__gives_key_and_server_in_old_and_new_form(void **state BF_UNUSED)
{
	struct key expected = did_key(
	    STR("did:key:zQ3shXjHeiBuRCKmM36cuYnm7YEMzhGnCmCyW92sRJ9pribSF"));
	struct diddoc doc;

	vectors_need();
	doc = parse_file("indigo/atproto/identity/testdata/did_plc_doc_legacy.json",
	    "did:plc:ewvi7nxzyoun6zhxrhs64oiz", false);
	assert_true(doc.has_key);
	assert_true(key_eq(&doc.key, &expected));
	assert_string_equal(doc.pds, "https://bsky.social");
	assert_string_equal(doc.handle, "atproto.com");
	diddoc_clear(&doc);

	doc = parse_file("indigo/atproto/identity/testdata/did_plc_doc.json",
	    "did:plc:ewvi7nxzyoun6zhxrhs64oiz", false);
	assert_true(doc.has_key);
	assert_true(key_eq(&doc.key, &expected));
	assert_non_null(doc.pds);
	diddoc_clear(&doc);

	doc = parse_file("indigo/atproto/identity/testdata/did_web_doc.json",
	    "did:web:discover.bsky.social", false);
	assert_false(doc.has_key);
	assert_null(doc.pds);
	assert_null(doc.handle);
	diddoc_clear(&doc);
}

static void
diddoc__of_real_accounts_has_key_and_server(void **state BF_UNUSED)
{
	json_t *docs, *doc_json;
	const char *did;

	vectors_need();
	docs = vectors_json("jetstream/internal/corpus/testdata/did_docs.json");
	assert_true(json_object_size(docs) > 100);
	json_object_foreach(docs, did, doc_json) {
		char *text = json_is_string(doc_json) ?
		    xstrdup(json_string_value(doc_json)) :
		    json_dumps(doc_json, 0);
		struct diddoc doc;
		struct err err;

		assert_int_equal(diddoc_parse((struct bytes){ (uint8_t *)text,
		    strlen(text) },
		    str_from(did), false, &doc, &err), 0);
		assert_true(doc.has_key);
		assert_non_null(doc.pds);
		diddoc_clear(&doc);
		free(text);
	}
	json_decref(docs);
}

#define DID	"did:plc:ewvi7nxzyoun6zhxrhs64oiz"
#define METHOD(id, controller, key)						\
	"{\"id\":\"" id "\",\"type\":\"Multikey\",\"controller\":\"" controller	\
	"\",\"publicKeyMultibase\":\"" key "\"}"
#define SERVICE(id, type, endpoint)						\
	"{\"id\":\"" id "\",\"type\":\"" type "\",\"serviceEndpoint\":\"" endpoint "\"}"
#define DOC(method, service)							\
	"{\"id\":\"" DID "\",\"verificationMethod\":[" method "],\"service\":[" service "]}"
#define GOOD_KEY	"zQ3shXjHeiBuRCKmM36cuYnm7YEMzhGnCmCyW92sRJ9pribSF"
#define GOOD_METHOD	METHOD("#atproto", DID, GOOD_KEY)

static struct diddoc
parse_text(const char *json, bool allow_http)
{
	struct diddoc doc;
	struct err err;

	if (diddoc_parse((struct bytes){ (const uint8_t *)json, strlen(json) }, STR(DID),
	    allow_http, &doc, &err) < 0)
		fail_msg("%s: %s", json, err.text);
	return doc;
}

static void
diddoc__counts_a_malformed_method_as_absent(void **state BF_UNUSED)
{
	static const struct {
		const char *json;
		bool has_key;
	} cases[] = {
		{ DOC(GOOD_METHOD, ""), true },
		{ DOC(METHOD(DID "#atproto", DID, GOOD_KEY), ""), true },
		{ DOC(METHOD("#other", DID, GOOD_KEY) "," GOOD_METHOD, ""), true },
		{ DOC(METHOD("did:plc:other#atproto", DID, GOOD_KEY), ""), false },
		{ DOC(METHOD("#atproto", "did:plc:other", GOOD_KEY), ""), false },
		{ DOC(METHOD("#atproto", DID, "zQ3sh"), ""), false },
		/* The first one with that id counts, even if it is bad. */
		{ DOC(METHOD("#atproto", DID, "z") "," GOOD_METHOD, ""), false },
		{ "{\"id\":\"" DID "\",\"verificationMethod\":7}", false },
		{ "{\"id\":\"" DID "\",\"verificationMethod\":[7,null,{}]}", false },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct diddoc doc = parse_text(cases[i].json, false);

		if (doc.has_key != cases[i].has_key)
			fail_msg("%s", cases[i].json);
		diddoc_clear(&doc);
	}
}

static void
diddoc__takes_only_a_plain_server_address(void **state BF_UNUSED)
{
#define PDS(endpoint) DOC("", SERVICE("#atproto_pds", "AtprotoPersonalDataServer", endpoint))
	static const struct {
		const char *json;
		const char *pds;	/* http is allowed */
	} cases[] = {
		{ PDS("https://a.example"), "https://a.example" },
		{ PDS("https://a.example/"), "https://a.example" },
		{ PDS("https://a.example:8443"), "https://a.example:8443" },
		{ PDS("http://localhost:2583"), "http://localhost:2583" },
		{ PDS("https://[::1]:2583"), "https://[::1]:2583" },
		{ PDS("ftp://a.example"), NULL },
		{ PDS("https://"), NULL },
		{ PDS("https:///"), NULL },
		{ PDS("https://a.example/path"), NULL },
		{ PDS("https://a.example//"), NULL },
		{ PDS("https://user@a.example"), NULL },
		{ PDS("https://a.example?q"), NULL },
		{ PDS("https://a.example#f"), NULL },
		{ PDS("https://a.example\\u0000.evil"), NULL },
		{ PDS("https://a.example\\r\\nX"), NULL },
		{ DOC("", SERVICE("#atproto_pds", "Other", "https://a.example")), NULL },
		{ DOC("", SERVICE("#other", "AtprotoPersonalDataServer", "https://a.b")),
		    NULL },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct diddoc doc = parse_text(cases[i].json, true);
		struct str want = str_from(cases[i].pds), got = str_from(doc.pds);

		if (!str_eq(want, got))
			fail_msg("%s: %.*s", cases[i].json, STR_FMT(got));
		diddoc_clear(&doc);
		doc = parse_text(cases[i].json, false);
		if (doc.pds != NULL && strncmp(doc.pds, "https://", 8) != 0)
			fail_msg("%s: http is not allowed", cases[i].json);
		diddoc_clear(&doc);
	}
}

static void
diddoc__of_another_did_or_over_its_limit_is_refused(void **state BF_UNUSED)
{
	static const char *const bad[] = { "", "[]", "7", "{}", "{\"id\":7}",
	    "{\"id\":\"did:plc:other\"}", "{\"id\":\"" DID "\\u0000\"}",
	    "{\"id\":\"" DID "\",\"id\":\"" DID "\"}" };
	struct buf big = BUF_INIT;
	struct diddoc doc;
	struct err err;

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++) {
		assert_int_equal(diddoc_parse((struct bytes){ (const uint8_t *)bad[i],
		    strlen(bad[i]) }, STR(DID), false, &doc, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
	memset(buf_reserve(&big, LIMIT_DIDDOC_BYTES + 1), ' ', LIMIT_DIDDOC_BYTES + 1);
	buf_added(&big, LIMIT_DIDDOC_BYTES + 1);
	assert_int_equal(diddoc_parse(buf_bytes(&big), STR(DID), false, &doc, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	buf_clear(&big);
}

static const struct CMUnitTest key_tests[] = {
	cmocka_unit_test(signature__is_judged_as_the_interop_fixtures_say),
	cmocka_unit_test(signature__of_zero_or_beyond_the_order_is_wrong),
	cmocka_unit_test(signature__of_the_other_curve_is_wrong),
	cmocka_unit_test(keypair__signs_with_a_low_s),
	cmocka_unit_test(did_key__is_the_one_of_the_interop_fixtures),
	cmocka_unit_test(key__is_refused_off_its_curve_or_in_another_form),
	cmocka_unit_test(diddoc__gives_key_and_server_in_old_and_new_form),
	cmocka_unit_test(diddoc__of_real_accounts_has_key_and_server),
	cmocka_unit_test(diddoc__counts_a_malformed_method_as_absent),
	cmocka_unit_test(diddoc__takes_only_a_plain_server_address),
	cmocka_unit_test(diddoc__of_another_did_or_over_its_limit_is_refused),
};

UNIT_MAIN(key_tests)

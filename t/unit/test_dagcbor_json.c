/*
 * test_dagcbor_json.c - the data model's two forms, each from the other.
 */
#include "t/unit/unit.h"

#include "atproto/basex.h"
#include "atproto/dagcbor.h"
#include "atproto/dagcbor_json.h"
#include "common/limits.h"
#include "t/unit/vectors.h"

/* JSON text of a jansson value, as the data model's JSON has it. */
static struct buf
dumped(const json_t *value)
{
	struct buf text = BUF_INIT;
	char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	buf_add_str(&text, str_from(dump));
	free(dump);
	return text;
}

static void
json__has_the_bytes_and_the_cid_of_the_interop_fixtures(void **state BF_UNUSED)
{
	struct sha256 *sha;
	json_t *fixtures;
	json_t *fixture;
	size_t i;

	vectors_need();
	sha = sha256_new();
	fixtures = vectors_json("atproto-interop-tests/data-model/data-model-fixtures.json");
	json_array_foreach(fixtures, i, fixture) {
		struct buf want = BUF_INIT, got = BUF_INIT, back = BUF_INIT;
		struct buf json = dumped(json_object_get(fixture, "json"));
		struct fault fault;
		char text[CID_TEXT_SIZE];
		struct cid cid;
		json_t *parsed;

		assert_int_equal(base64_decode(vectors_member(fixture, "cbor_base64"),
		    &want), 0);
		assert_int_equal(dagcbor_from_json(buf_str(&json), &got, &fault), 0);
		assert_true(bytes_eq(buf_bytes(&want), buf_bytes(&got)));
		cid_of(sha, CID_DAG_CBOR, buf_bytes(&got), &cid);
		cid_format(&cid, text);
		assert_true(str_eq(str_from(text), vectors_member(fixture, "cid")));

		assert_int_equal(dagcbor_check(buf_bytes(&want), &fault), 0);
		dagcbor_to_json(buf_bytes(&want), &back);
		parsed = json_loadb((char *)buf_data(&back), buf_len(&back), 0, NULL);
		assert_true(json_equal(parsed, json_object_get(fixture, "json")));
		json_decref(parsed);
		buf_clear(&want);
		buf_clear(&got);
		buf_clear(&back);
		buf_clear(&json);
	}
	json_decref(fixtures);
	sha256_free(&sha);
}

static void
check_json_file(const char *path, bool is_valid)
{
	json_t *fixtures = vectors_json(path);
	json_t *fixture;
	size_t i;

	assert_true(json_array_size(fixtures) > 3);
	json_array_foreach(fixtures, i, fixture) {
		struct buf json = dumped(json_object_get(fixture, "json")),
		    block = BUF_INIT;
		struct fault fault;
		int rc = dagcbor_from_json(buf_str(&json), &block, &fault);

		if ((rc == 0) != is_valid)
			fail_msg("%s: %.*s", path,
			    STR_FMT(vectors_member(fixture, "note")));
		if (rc == 0)
			assert_int_equal(dagcbor_check(buf_bytes(&block), &fault), 0);
		else
			assert_int_equal(buf_len(&block), 0);
		buf_clear(&json);
		buf_clear(&block);
	}
	json_decref(fixtures);
}

static void
json__is_taken_or_refused_as_the_interop_fixtures_say(void **state BF_UNUSED)
{
	vectors_need();
	check_json_file("atproto-interop-tests/data-model/data-model-valid.json", true);
	check_json_file("atproto-interop-tests/data-model/data-model-invalid.json",
	    false);
}

static void
json__names_the_reason_of_each_refusal(void **state BF_UNUSED)
{
	static const struct {
		const char *json;
		enum fault_code code;
	} cases[] = {
		{ "", FAULT_JSON_SYNTAX },
		{ "{", FAULT_JSON_SYNTAX },
		{ "{\"a\":1,\"a\":2}", FAULT_JSON_SYNTAX },
		{ "{} {}", FAULT_JSON_SYNTAX },
		{ "[]", FAULT_JSON_NOT_MAP },
		{ "{\"a\":1.5}", FAULT_JSON_FLOAT },
		{ "{\"a\":1e300}", FAULT_JSON_FLOAT },
		{ "{\"a\":{\"$link\":\"x\"}}", FAULT_JSON_LINK },
		{ "{\"a\":{\"$bytes\":\"!\"}}", FAULT_JSON_BYTES },
		{ "{\"$type\":\"\"}", FAULT_JSON_TYPE },
		{ "{\"$type\":\"blob\"}", FAULT_JSON_BLOB },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct buf block = BUF_INIT;
		struct fault fault;

		assert_int_equal(dagcbor_from_json(str_from(cases[i].json), &block,
		    &fault), -1);
		if (fault.code != cases[i].code)
			fail_msg("%s: %s", cases[i].json, fault_symbol(fault.code));
		buf_clear(&block);
	}
}

static void
json__is_refused_over_its_limits(void **state BF_UNUSED)
{
	struct buf json = BUF_INIT, block = BUF_INIT;
	struct fault fault;

	buf_add_str(&json, STR("{\"a\":"));
	for (size_t i = 0; i < LIMIT_CBOR_DEPTH; i++)
		buf_add_byte(&json, '[');
	for (size_t i = 0; i < LIMIT_CBOR_DEPTH; i++)
		buf_add_byte(&json, ']');
	buf_add_byte(&json, '}');
	assert_int_equal(dagcbor_from_json(buf_str(&json), &block, &fault), -1);
	assert_int_equal(fault.code, FAULT_CBOR_DEPTH);
	buf_reset(&json);
	memset(buf_reserve(&json, LIMIT_JSON_RECORD_BYTES + 1), ' ',
	    LIMIT_JSON_RECORD_BYTES + 1);
	buf_added(&json, LIMIT_JSON_RECORD_BYTES + 1);
	assert_int_equal(dagcbor_from_json(buf_str(&json), &block, &fault), -1);
	assert_int_equal(fault.code, FAULT_JSON_SIZE);
	buf_clear(&json);
	buf_clear(&block);
}

static const struct CMUnitTest dagcbor_json_tests[] = {
	cmocka_unit_test(json__has_the_bytes_and_the_cid_of_the_interop_fixtures),
	cmocka_unit_test(json__is_taken_or_refused_as_the_interop_fixtures_say),
	cmocka_unit_test(json__names_the_reason_of_each_refusal),
	cmocka_unit_test(json__is_refused_over_its_limits),
};

UNIT_MAIN(dagcbor_json_tests)

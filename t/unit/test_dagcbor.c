/*
 * test_dagcbor.c - the strict reader and the writer, against three collections of
 * fixtures.
 */
#include "t/unit/unit.h"

#include <stdio.h>

#include "atproto/dagcbor.h"
#include "atproto/dagcbor_json.h"
#include "atproto/dagcbor_write.h"
#include "common/limits.h"
#include "common/mem.h"
#include "t/unit/maker.h"
#include "t/unit/vectors.h"

/* Write a checked value again, with the writer: canonical bytes come out the same. */
static void
rewrite(struct dagcbor *from, struct buf *to)
{
	struct dagcbor_item item = dagcbor_next(from);

	switch (item.type) {
	case DAGCBOR_INT:
		dagcbor_write_int(to, item.integer);
		break;
	case DAGCBOR_BYTES:
		dagcbor_write_bytes(to, item.bytes);
		break;
	case DAGCBOR_TEXT:
		dagcbor_write_text(to, item.text);
		break;
	case DAGCBOR_ARRAY:
		dagcbor_write_array(to, item.count);
		for (uint64_t i = 0; i < item.count; i++)
			rewrite(from, to);
		break;
	case DAGCBOR_MAP:
		dagcbor_write_map(to, item.count);
		for (uint64_t i = 0; i < 2 * item.count; i++)
			rewrite(from, to);
		break;
	case DAGCBOR_LINK:
		dagcbor_write_any_link(to, item.bytes);
		break;
	case DAGCBOR_BOOL:
		dagcbor_write_bool(to, item.boolean);
		break;
	case DAGCBOR_NULL:
		dagcbor_write_null(to);
		break;
	}
}

static void
assert_rewrites(const char *name, struct bytes block)
{
	struct dagcbor from = dagcbor_read(block);
	struct buf again = BUF_INIT;

	rewrite(&from, &again);
	assert_true(dagcbor_at_end(&from));
	if (!bytes_eq(buf_bytes(&again), block))
		fail_msg("%s: is written otherwise than it was read", name);
	buf_clear(&again);
}

/* Read once with exact bounds, in memory of its own, so that a sanitizer sees every
 * byte read too many. */
static enum fault_code
check(struct bytes block)
{
	uint8_t *copy = xmalloc(block.len > 0 ? block.len : 1);
	struct fault fault = FAULT_INIT;
	int rc;

	if (block.len > 0)
		memcpy(copy, block.ptr, block.len);
	rc = dagcbor_check((struct bytes){ copy, block.len }, &fault);
	assert_true(rc == 0 || (fault.code != FAULT_NONE && fault.offset <= block.len));
	free(copy);
	return rc == 0 ? FAULT_NONE : fault.code;
}

static enum fault_code
check_hex(const char *hex)
{
	struct buf block = vectors_hex(str_from(hex));
	enum fault_code code = check(buf_bytes(&block));

	buf_clear(&block);
	return code;
}

static void
check__names_the_reason_of_each_refusal(void **state BF_UNUSED)
{
	static const struct {
		const char *hex;
		enum fault_code code;
	} cases[] = {
		{ "", FAULT_CBOR_TRUNCATED },
		{ "6261", FAULT_CBOR_TRUNCATED },
		{ "42aa", FAULT_CBOR_TRUNCATED },
		{ "19aa", FAULT_CBOR_TRUNCATED },
		{ "81", FAULT_CBOR_TRUNCATED },
		{ "a16161", FAULT_CBOR_TRUNCATED },
		{ "5b7fffffffffffffff", FAULT_CBOR_TRUNCATED },
		{ "7b7fffffffffffffff", FAULT_CBOR_TRUNCATED },
		{ "d82a5825", FAULT_CBOR_TRUNCATED },
		{ "f6f6", FAULT_CBOR_TRAILING },
		{ "9fff", FAULT_CBOR_HEAD },
		{ "bfff", FAULT_CBOR_HEAD },
		{ "5fff", FAULT_CBOR_HEAD },
		{ "7fff", FAULT_CBOR_HEAD },
		{ "ff", FAULT_CBOR_HEAD },
		{ "1c", FAULT_CBOR_HEAD },
		{ "1f", FAULT_CBOR_HEAD },
		{ "1817", FAULT_CBOR_NOT_MINIMAL },
		{ "1900ff", FAULT_CBOR_NOT_MINIMAL },
		{ "1a0000ffff", FAULT_CBOR_NOT_MINIMAL },
		{ "1b00000000ffffffff", FAULT_CBOR_NOT_MINIMAL },
		{ "580161", FAULT_CBOR_NOT_MINIMAL },
		{ "1b8000000000000000", FAULT_CBOR_INT_RANGE },
		{ "3b8000000000000000", FAULT_CBOR_INT_RANGE },
		{ "f90000", FAULT_CBOR_FLOAT },
		{ "fa00000000", FAULT_CBOR_FLOAT },
		{ "fb0000000000000000", FAULT_CBOR_FLOAT },
		{ "f7", FAULT_CBOR_SIMPLE },
		{ "f820", FAULT_CBOR_SIMPLE },
		{ "e0", FAULT_CBOR_SIMPLE },
		{ "c000", FAULT_CBOR_TAG },
		{ "d82b4100", FAULT_CBOR_TAG },
		{ "d82a6100", FAULT_CBOR_LINK },
		{ "d82a40", FAULT_CBOR_LINK },
		{ "d82a4100", FAULT_CBOR_LINK },
		{ "d82a4101", FAULT_CBOR_LINK },
		{ "a10101", FAULT_CBOR_KEY_TYPE },
		{ "a14100f6", FAULT_CBOR_KEY_TYPE },
		{ "a26162f66161f6", FAULT_CBOR_KEY_ORDER },
		{ "a2626161f66162f6", FAULT_CBOR_KEY_ORDER },	/* shorter comes first */
		{ "a26161f66161f6", FAULT_CBOR_KEY_TWICE },
		{ "a260f660f6", FAULT_CBOR_KEY_TWICE },
		{ "61ff", FAULT_CBOR_UTF8 },
		{ "63eda080", FAULT_CBOR_UTF8 },
		{ "696161616161616161ff", FAULT_CBOR_UTF8 },
		{ "a161fff6", FAULT_CBOR_UTF8 },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		enum fault_code code = check_hex(cases[i].hex);

		if (code != cases[i].code)
			fail_msg("%s: %s, not %s", cases[i].hex, fault_symbol(code),
			    fault_symbol(cases[i].code));
	}
}

static void
check__takes_what_is_canonical(void **state BF_UNUSED)
{
	static const char *const good[] = { "00", "17", "1818", "1b7fffffffffffffff",
	    "20",
	    "3b7fffffffffffffff", "40", "60", "80", "a0", "f4", "f5", "f6", "a260f66161f6",
	    "8201820203", "69616161616161616161", "62c3a9" };

	for (size_t i = 0; i < BF_ARRAY_LEN(good); i++) {
		struct buf block = vectors_hex(str_from(good[i]));

		if (check(buf_bytes(&block)) != FAULT_NONE)
			fail_msg("%s is refused", good[i]);
		assert_rewrites(good[i], buf_bytes(&block));
		buf_clear(&block);
	}
}

/* Arrays in arrays, the innermost one empty. */
static enum fault_code
check_nested(size_t depth)
{
	struct buf block = BUF_INIT;
	enum fault_code code;

	for (size_t i = 1; i < depth; i++)
		dagcbor_write_array(&block, 1);
	dagcbor_write_array(&block, 0);
	code = check(buf_bytes(&block));
	if (code == FAULT_NONE) {
		struct buf json = BUF_INIT;

		dagcbor_to_json(buf_bytes(&block), &json);
		assert_int_equal(buf_len(&json), 2 * depth);
		buf_clear(&json);
	}
	buf_clear(&block);
	return code;
}

static void
check__refuses_more_than_limit_cbor_depth(void **state BF_UNUSED)
{
	assert_int_equal(check_nested(LIMIT_CBOR_DEPTH), FAULT_NONE);
	assert_int_equal(check_nested(LIMIT_CBOR_DEPTH + 1), FAULT_CBOR_DEPTH);
	assert_int_equal(check_nested(100000), FAULT_CBOR_DEPTH);
}

static void
check__refuses_more_than_limit_cbor_entries(void **state BF_UNUSED)
{
	for (uint64_t over = 0; over <= 1; over++) {
		struct buf block = BUF_INIT;

		dagcbor_write_array(&block, LIMIT_CBOR_ENTRIES + over);
		for (uint64_t i = 0; i < LIMIT_CBOR_ENTRIES + over; i++)
			dagcbor_write_null(&block);
		assert_int_equal(check(buf_bytes(&block)),
		    over ? FAULT_CBOR_ENTRIES : FAULT_NONE);
		buf_clear(&block);
	}
}

static bool
has_tag(const json_t *fixture, const char *tag)
{
	const json_t *value;
	size_t i;

	json_array_foreach(json_object_get(fixture, "tags"), i, value)
		if (strcmp(json_string_value(value), tag) == 0)
			return true;
	return false;
}

/* The floats that DAG-CBOR has and the data model has not, and big integers. */
static bool
is_outside_data_model(enum fault_code code)
{
	return code == FAULT_CBOR_FLOAT || code == FAULT_CBOR_INT_RANGE;
}

static void
check_dasl_file(const char *path, void *arg)
{
	json_t *fixtures = vectors_json(path);
	size_t *checked = arg;
	const json_t *fixture;
	size_t i;

	json_array_foreach(fixtures, i, fixture) {
		struct str type = vectors_member(fixture, "type");
		struct str name = vectors_member(fixture, "name");
		struct buf block = vectors_hex(vectors_member(fixture, "data"));
		enum fault_code code = check(buf_bytes(&block));

		if (has_tag(fixture, "basic") || has_tag(fixture, "dag-cbor")) {
			if (str_eq(type, STR("roundtrip")) && code != FAULT_NONE &&
			    !is_outside_data_model(code))
				fail_msg("%.*s: %s", STR_FMT(name), fault_text(code));
			if (str_eq(type, STR("roundtrip")) && code == FAULT_NONE)
				assert_rewrites(path, buf_bytes(&block));
			if (str_eq(type, STR("invalid_in")) && code == FAULT_NONE)
				fail_msg("%s: %.*s is accepted", path, STR_FMT(name));
			(*checked)++;
		}
		buf_clear(&block);
	}
	json_decref(fixtures);
}

static void
check__agrees_with_the_dasl_fixtures(void **state BF_UNUSED)
{
	size_t checked = 0;

	vectors_need();
	vectors_files("dasl-testing/fixtures/cbor", ".json", check_dasl_file, &checked);
	assert_true(checked > 50);
}

struct codec_counts {
	size_t good, outside;
	struct sha256 *sha;
};

static void
check_codec_file(const char *path, void *arg)
{
	struct codec_counts *counts = arg;
	struct buf block = vectors_read(path);
	enum fault_code code = check(buf_bytes(&block));
	const char *name = strrchr(path, '/') + 1;
	char cid[CID_TEXT_SIZE];
	struct cid of_block;

	cid_of(counts->sha, CID_DAG_CBOR, buf_bytes(&block), &of_block);
	cid_format(&of_block, cid);
	assert_memory_equal(name, cid, CID_TEXT_LEN);
	if (code == FAULT_NONE) {
		assert_rewrites(path, buf_bytes(&block));
		counts->good++;
	} else if (is_outside_data_model(code)) {
		counts->outside++;
	} else {
		fail_msg("%s: %s", path, fault_text(code));
	}
	buf_clear(&block);
}

static void
check_codec_dir(const char *path, void *arg)
{
	vectors_files(path, ".dag-cbor", check_codec_file, arg);
}

static void
check__agrees_with_the_ipld_codec_fixtures(void **state BF_UNUSED)
{
	struct codec_counts counts = { 0, 0, NULL };

	vectors_need();
	counts.sha = sha256_new();
	vectors_files("codec-fixtures/fixtures", "", check_codec_dir, &counts);
	assert_true(counts.good >= 70);
	assert_true(counts.outside >= 10);
	sha256_free(&counts.sha);
}

static void
check__refuses_the_ipld_negative_fixtures(void **state BF_UNUSED)
{
	json_t *fixtures;
	const json_t *fixture;
	size_t i;

	vectors_need();
	fixtures = vectors_json(
	    "codec-fixtures/negative-fixtures/dag-cbor/decode/duplicate-keys.json");
	assert_true(json_array_size(fixtures) > 0);
	json_array_foreach(fixtures, i, fixture) {
		struct buf block = vectors_hex(vectors_member(fixture, "hex"));

		assert_int_not_equal(check(buf_bytes(&block)), FAULT_NONE);
		buf_clear(&block);
	}
	json_decref(fixtures);
}

static void
find__reads_members_by_name_and_type(void **state BF_UNUSED)
{
	/* {"a": [1, {"b": 2}], "c": "x", "$type": "t"} */
	struct buf block = vectors_hex(
	    STR("a361618201a161620261636178652474797065" "6174"));
	struct dagcbor map;
	struct dagcbor_item item;

	assert_int_equal(check(buf_bytes(&block)), FAULT_NONE);
	map = dagcbor_read(buf_bytes(&block));
	assert_true(dagcbor_find_item(map, STR("c"), DAGCBOR_TEXT, &item));
	assert_true(str_eq(item.text, STR("x")));
	assert_true(dagcbor_find_item(map, STR("$type"), DAGCBOR_TEXT, &item));
	assert_false(dagcbor_find_item(map, STR("c"), DAGCBOR_INT, &item));
	assert_false(dagcbor_find_item(map, STR("b"), DAGCBOR_INT, &item));
	buf_clear(&block);
}

static const struct CMUnitTest dagcbor_tests[] = {
	cmocka_unit_test(check__names_the_reason_of_each_refusal),
	cmocka_unit_test(check__takes_what_is_canonical),
	cmocka_unit_test(check__refuses_more_than_limit_cbor_depth),
	cmocka_unit_test(check__refuses_more_than_limit_cbor_entries),
	cmocka_unit_test(check__agrees_with_the_dasl_fixtures),
	cmocka_unit_test(check__agrees_with_the_ipld_codec_fixtures),
	cmocka_unit_test(check__refuses_the_ipld_negative_fixtures),
	cmocka_unit_test(find__reads_members_by_name_and_type),
};

UNIT_MAIN(dagcbor_tests)

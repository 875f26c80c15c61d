/*
 * test_search_text.c - what is searched for and in what: mapping, documents, queries.
 */
#include "t/unit/search_unit.h"

#include "common/mem.h"
#include "search/match.h"

/* --- mapping --- */

static void
mapping__knows_its_collections_and_their_paths(void **state BF_UNUSED)
{
	struct mapping *mapping = mapping_of(MAPPING);
	const struct mapping_row *row = mapping_find(mapping, STR(EPRINTS));

	assert_int_equal(mapping_count(mapping), 2);
	assert_non_null(row);
	assert_int_equal(row->paths_count, 5);
	assert_int_equal(row->paths[2].field, SEARCH_ABSTRACT);
	assert_true(str_eq(row->paths[2].path, STR("abstract.text")));
	assert_null(mapping_find(mapping, STR("app.bsky.feed.like")));
	mapping_free(&mapping);
}

static void
mapping__that_is_wrong_is_refused_with_the_item(void **state BF_UNUSED)
{
	static const struct {
		const char *list, *names;
	} cases[] = {
		{ "", "no collection" },
		{ "title=title", "title=title" },
		{ "a.b.c", "a.b.c" },
		{ "a.b.c title=x a.b.d", "a.b.d" },
		{ "a.b.c title=x a.b.c title=y", "twice" },
		{ "a.b.c titel=x", "'titel'" },
		{ "a.b.c title=", "title=" },
		{ "a.b.c title=a..b", "a..b" },
		{ "a.b.c title=.a", ".a" },
		{ "a.b.c title=a.", "a." },
		{ "a.b.c title=a,,b", "''" },
		{ "nothing title=x", "nothing" },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct mapping *mapping = NULL;
		struct err err;

		if (mapping_parse(str_from(cases[i].list), &mapping, &err) == 0)
			fail_msg("taken: %s", cases[i].list);
		assert_int_equal(err.code, ERR_INVALID);
		if (strstr(err.text, cases[i].names) == NULL)
			fail_msg("%s: %s", cases[i].list, err.text);
	}
}

static void
mapping__refuses_a_path_over_LIMIT_SEARCH_PATH_BYTES(void **state BF_UNUSED)
{
	char list[LIMIT_SEARCH_PATH_BYTES + 64];
	struct mapping *mapping;
	struct err err;
	int len = snprintf(list, sizeof(list), "a.b.c title=");

	memset(list + len, 'x', LIMIT_SEARCH_PATH_BYTES + 1);
	list[len + LIMIT_SEARCH_PATH_BYTES] = '\0';
	mapping = mapping_of(list);
	mapping_free(&mapping);
	list[len + LIMIT_SEARCH_PATH_BYTES] = 'x';
	list[len + LIMIT_SEARCH_PATH_BYTES + 1] = '\0';
	assert_int_equal(mapping_parse(str_from(list), &mapping, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

/* --- documents --- */

static void
assert_field(const struct search_document *document, enum search_field field,
    const char *want)
{
	struct str text = buf_str(&document->text[field]);

	if (!str_eq(text, str_from(want)))
		fail_msg("%s: '%.*s', not '%s'", search_field_names[field], STR_FMT(text),
		    want);
}

static void
document__has_what_the_paths_find_in_their_order(void **state BF_UNUSED)
{
	struct search_document document = document_of(EPRINTS "/3kabc",
	    "{\"title\":\"On Birds\",\"abstract\":[{\"text\":\"first\"},{\"type\":\"x\"},"
	    "{\"text\":\"second\"}],\"abstractPlainText\":\"plain\","
	    "\"keywords\":[\"wing\",[\"nested\",\"deeper\"],3,\"feather\"],"
	    "\"authors\":[{\"name\":\"Ann\"},{\"name\":\"Bea\"}]}");

	assert_true(str_eq(buf_str(&document.uri), STR("at://" DID "/" EPRINTS "/3kabc")));
	assert_true(str_eq(document.collection, STR(EPRINTS)));
	assert_true(str_starts_with(buf_str(&document.cid), STR("bafyrei")));
	assert_field(&document, SEARCH_TITLE, "On Birds");
	assert_field(&document, SEARCH_ABSTRACT, "plain\nfirst\nsecond");
	assert_field(&document, SEARCH_KEYWORDS, "wing\nnested\ndeeper\nfeather");
	assert_field(&document, SEARCH_AUTHORS, "Ann\nBea");
	assert_field(&document, SEARCH_FIELDS, "");
	search_document_clear(&document);
}

static void
document__of_odd_values_has_what_is_text(void **state BF_UNUSED)
{
	struct search_document document = document_of(EPRINTS "/3kabc",
	    "{\"title\":{\"text\":\"no\"},\"abstract\":[],\"keywords\":null,"
	    "\"authors\":[[],[[{\"name\":\"Ann\"}]],{\"name\":{\"name\":1}},\"x\","
	    "{\"name\":[\"Bea\",\"Cy\"]}]}");

	assert_field(&document, SEARCH_TITLE, "");
	assert_field(&document, SEARCH_KEYWORDS, "");
	assert_field(&document, SEARCH_AUTHORS, "Ann\nBea\nCy");
	search_document_clear(&document);
}

static void
document__cuts_a_field_at_LIMIT_SEARCH_FIELD_BYTES(void **state BF_UNUSED)
{
	struct buf json = BUF_INIT;
	struct search_document document;
	struct str text;

	buf_add_str(&json, STR("{\"text\":\"x"));
	for (size_t i = 0; i < LIMIT_SEARCH_FIELD_BYTES / 2; i++)
		buf_add_str(&json, STR("\xc3\xa9"));
	buf_add_str(&json, STR("\"}"));
	buf_add_byte(&json, '\0');
	document = document_of("app.bsky.feed.post/a", (char *)buf_data(&json));
	text = buf_str(&document.text[SEARCH_ABSTRACT]);
	assert_int_equal(text.len, LIMIT_SEARCH_FIELD_BYTES - 1);
	search_document_clear(&document);
	buf_clear(&json);
}

static void
document__of_bytes_that_are_no_record_is_refused(void **state BF_UNUSED)
{
	struct mapping *mapping = mapping_of(MAPPING);
	struct search_document document = SEARCH_DOCUMENT_INIT;
	static const uint8_t bad[] = { 0xa1, 0x61, 'x' };
	struct fault fault = FAULT_INIT;

	assert_int_equal(search_document_fill(&document, mapping_row(mapping, 0),
	    STR(DID), STR(EPRINTS "/a"), (struct bytes){ RECORD_CID, CID_BYTES },
	    (struct bytes){ bad, sizeof(bad) }, &fault), -1);
	search_document_clear(&document);
	mapping_free(&mapping);
}

/* --- queries --- */

static void
match__is_what_people_mean(void **state BF_UNUSED)
{
	static const struct {
		const char *typed, *match;
	} cases[] = {
		{ "bird", "((\"bird\"))" },
		{ " two  words ", "((\"two\") AND (\"words\"))" },
		{ "\"two words\"", "((\"two words\"))" },
		{ "\"open", "((\"open\"))" },
		{ "electr*", "((\"electr\" *))" },
		{ "el*", "((\"el*\"))" },
		{ "title:bird", "((title : \"bird\"))" },
		{ "title:\"a b\" x", "((title : \"a b\") AND (\"x\"))" },
		{ "other:bird", "((\"other:bird\"))" },
		{ "bird -cat", "((\"bird\")) NOT \"cat\"" },
		{ "-cat bird", "((\"bird\")) NOT \"cat\"" },
		{ "a OR b c", "((\"a\" OR \"b\") AND (\"c\"))" },
		{ "OR a OR", "((\"a\"))" },
		{ "a - b", "((\"a\") AND (\"b\"))" },
		{ "NEAR(a b)", "((\"NEAR(a\") AND (\"b)\"))" },
		{ "a\"b\"", "((\"a\") AND (\"b\"))" },
		{ "v\xc3\xb6gel", "((\"v\xc3\xb6gel\"))" },
		{ "*** bird", "((\"bird\"))" },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct buf match = BUF_INIT;
		struct err err;

		if (match_from_text(str_from(cases[i].typed), &match, &err) == -1)
			fail_msg("%s: %s", cases[i].typed, err.text);
		if (!str_eq(buf_str(&match), str_from(cases[i].match)))
			fail_msg("%s: %.*s", cases[i].typed, STR_FMT(buf_str(&match)));
		buf_clear(&match);
	}
}

static enum err_code
refusal_of(struct str typed)
{
	struct buf match = BUF_INIT;
	struct err err;

	assert_int_equal(match_from_text(typed, &match, &err), -1);
	buf_clear(&match);
	return err.code;
}

static void
match__of_nothing_or_too_much_is_refused(void **state BF_UNUSED)
{
	struct buf many = BUF_INIT;
	char *text = xcalloc(1, LIMIT_SEARCH_QUERY_BYTES + 1);

	assert_int_equal(refusal_of(STR_NONE), ERR_INVALID);
	assert_int_equal(refusal_of(STR(" - \" \" *")), ERR_INVALID);
	assert_int_equal(refusal_of(STR("-bird")), ERR_INVALID);
	assert_int_equal(refusal_of(STR("a\0b")), ERR_INVALID);
	assert_int_equal(refusal_of(STR("a\xff")), ERR_INVALID);
	memset(text, 'x', LIMIT_SEARCH_QUERY_BYTES + 1);
	assert_int_equal(refusal_of((struct str){ text, LIMIT_SEARCH_QUERY_BYTES + 1 }),
	    ERR_LIMIT);
	for (size_t i = 0; i <= LIMIT_SEARCH_TERMS; i++)
		buf_printf(&many, "w%zu ", i);
	assert_int_equal(refusal_of(buf_str(&many)), ERR_LIMIT);
	buf_clear(&many);
	free(text);
}

static const struct CMUnitTest search_text_tests[] = {
	cmocka_unit_test(mapping__knows_its_collections_and_their_paths),
	cmocka_unit_test(mapping__that_is_wrong_is_refused_with_the_item),
	cmocka_unit_test(mapping__refuses_a_path_over_LIMIT_SEARCH_PATH_BYTES),
	cmocka_unit_test(document__has_what_the_paths_find_in_their_order),
	cmocka_unit_test(document__of_odd_values_has_what_is_text),
	cmocka_unit_test(document__cuts_a_field_at_LIMIT_SEARCH_FIELD_BYTES),
	cmocka_unit_test(document__of_bytes_that_are_no_record_is_refused),
	cmocka_unit_test(match__is_what_people_mean),
	cmocka_unit_test(match__of_nothing_or_too_much_is_refused),
};

UNIT_MAIN(search_text_tests)

/*
 * test_eprint.c - src/citation: eprints' records, and the table that cited works are
 * looked up in.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "atproto/dagcbor.h"
#include "atproto/dagcbor_json.h"
#include "citation/eprint.h"
#include "citation/match.h"
#include "citation/title.h"
#include "common/buf.h"
#include "common/limits.h"

/* --- records --- */

static const char default_fields[] =
    "title=title doi=publishedVersion.doi document=document holder=paperDid";

static void
eprint_map__refuses_what_is_no_field(void **state BF_UNUSED)
{
	struct eprint_map map;
	struct err err;

	assert_int_equal(eprint_map_parse(str_from(default_fields), &map, &err), 0);
	assert_true(str_eq(map.paths[EPRINT_DOI], STR("publishedVersion.doi")));
	assert_int_equal(eprint_map_parse(STR("name=title"), &map, &err), -1);
	assert_non_null(strstr(err.text, "\"name=title\""));
	assert_int_equal(eprint_map_parse(STR("title="), &map, &err), -1);
	assert_int_equal(eprint_map_parse(STR("title"), &map, &err), -1);
}

static void
read_json(const char *json, struct buf *record, struct eprint *eprint_out)
{
	struct eprint_map map;
	struct err err;
	struct fault fault;

	assert_int_equal(dagcbor_from_json(str_from(json), record, &fault), 0);
	assert_int_equal(dagcbor_check(buf_bytes(record), &fault), 0);
	assert_int_equal(eprint_map_parse(str_from(default_fields), &map, &err), 0);
	eprint_read(buf_bytes(record), &map, eprint_out);
}

#define BLOB_CID "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

static void
eprint__is_read_from_its_record(void **state BF_UNUSED)
{
	struct buf record = BUF_INIT;
	struct eprint eprint;
	char cid[CID_TEXT_SIZE];

	read_json("{\"title\": \"On things\", \"paperDid\": \"did:plc:x\","
	    "\"publishedVersion\": {\"doi\": \"https://doi.org/10.1000/ABC\"},"
	    "\"document\": {\"$type\": \"blob\", \"ref\": {\"$link\": \"" BLOB_CID "\"},"
	    "\"mimeType\": \"text/html\", \"size\": 606}}", &record, &eprint);
	assert_true(str_eq(eprint.title, STR("On things")));
	assert_true(str_eq(eprint.holder, STR("did:plc:x")));
	assert_string_equal(eprint.doi, "10.1000/abc");
	assert_true(eprint.has_document);
	cid_format(&eprint.document, cid);
	assert_string_equal(cid, BLOB_CID);
	assert_int_equal(eprint.document_bytes, 606);
	buf_clear(&record);
}

static void
eprint__without_fields_or_with_others_is_empty(void **state BF_UNUSED)
{
	static const char *const records[] = {
		"{}", "{\"title\": 1, \"document\": \"x\", \"publishedVersion\": []}",
		"{\"document\": {\"ref\": {\"$link\": \"" BLOB_CID "\"}, \"size\": -1},"
		"\"publishedVersion\": {\"doi\": \"none\"}}",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(records); i++) {
		struct buf record = BUF_INIT;
		struct eprint eprint;

		read_json(records[i], &record, &eprint);
		assert_int_equal(eprint.title.len + eprint.holder.len, 0);
		assert_string_equal(eprint.doi, "");
		assert_int_equal(eprint.document_bytes, 0);
		assert_int_equal(eprint.has_document, i == 2);
		buf_clear(&record);
	}
}

/* --- matching --- */

static void
add_eprint(struct match_table *table, const char *did, const char *rkey,
    const char *title, const char *doi)
{
	struct eprint eprint = { .title = str_from(title) };

	(void)snprintf(eprint.doi, sizeof(eprint.doi), "%s", doi);
	assert_int_equal(match_add(table, str_from(did), str_from(rkey), &eprint), 0);
}

/* expected: the keys of the candidates in order. */
static void
expect_candidates(const struct match_table *table, enum citation_method method,
    const char *text, const char *expected)
{
	struct buf normal = BUF_INIT, keys = BUF_INIT;
	struct match_candidate candidate;
	struct match_search search;

	if (method == CITATION_BY_TITLE)
		title_normal(str_from(text), &normal);
	else
		buf_add_str(&normal, str_from(text));
	search = match_begin(table, method, buf_str(&normal));
	while (match_next(&search, &candidate))
		buf_printf(&keys, "%.*s/%.*s ", STR_FMT(candidate.did),
		    STR_FMT(candidate.rkey));
	assert_true(str_eq(buf_str(&keys), str_from(expected)));
	buf_clear(&normal);
	buf_clear(&keys);
}

static void
match__finds_all_candidates_in_the_order_of_entry(void **state BF_UNUSED)
{
	struct match_table *table = match_table_new();

	add_eprint(table, "did:a", "1", "On the Origin of Species", "10.1000/origin");
	add_eprint(table, "did:a", "2", "Something else entirely", "");
	add_eprint(table, "did:b", "1", "ON THE ORIGIN: OF SPECIES", "10.1000/ORIGIN");
	add_eprint(table, "did:b", "3", "", "10.1000/origin");
	add_eprint(table, "did:c", "4", "Preface", "");
	match_ready(table);
	assert_int_equal(match_count(table), 5);
	expect_candidates(table, CITATION_BY_TITLE, "On the origin of species", "did:a/1 did:b/1 ");
	expect_candidates(table, CITATION_BY_DOI, "10.1000/origin", "did:a/1 did:b/3 ");
	expect_candidates(table, CITATION_BY_TITLE, "Preface", "");
	expect_candidates(table, CITATION_BY_TITLE, "", "");
	expect_candidates(table, CITATION_BY_DOI, "", "");
	expect_candidates(table, CITATION_BY_DOI, "10.1000/other", "");
	assert_true(match_has(table, STR("did:b"), STR("3")));
	assert_false(match_has(table, STR("did:b"), STR("4")));
	assert_false(match_has(table, STR("did:b3"), STR("")));
	match_table_free(&table);
}

static void
match__of_an_empty_table(void **state BF_UNUSED)
{
	struct match_table *table = match_table_new();

	match_ready(table);
	expect_candidates(table, CITATION_BY_DOI, "10.1000/1", "");
	assert_false(match_has(table, STR("did:a"), STR("1")));
	match_table_free(&table);
}

static void
match__of_many(void **state BF_UNUSED)
{
	struct match_table *table = match_table_new();
	char rkey[16], title[64], doi[64];

	for (int i = 0; i < 20000; i++) {
		(void)snprintf(rkey, sizeof(rkey), "key%d", i);
		(void)snprintf(title, sizeof(title), "A long title, number %d", i);
		(void)snprintf(doi, sizeof(doi), "10.1000/%d", i);
		add_eprint(table, i < 10000 ? "did:a" : "did:b", rkey, title, doi);
	}
	match_ready(table);
	expect_candidates(table, CITATION_BY_TITLE, "a long title number 777", "did:a/key777 ");
	expect_candidates(table, CITATION_BY_DOI, "10.1000/19999", "did:b/key19999 ");
	assert_true(match_has(table, STR("did:b"), STR("key10000")));
	assert_false(match_has(table, STR("did:a"), STR("key10000")));
	match_table_free(&table);
}

/* The limit itself would take a while: it is enough to know where it is. */
_Static_assert(LIMIT_EPRINTS < UINT32_MAX &&
    LIMIT_EPRINTS * (uint64_t)(LIMIT_RKEY_BYTES + 1) < UINT32_MAX,
    "places and offsets have 32 bits");

static const struct CMUnitTest eprint_tests[] = {
	cmocka_unit_test(eprint_map__refuses_what_is_no_field),
	cmocka_unit_test(eprint__is_read_from_its_record),
	cmocka_unit_test(eprint__without_fields_or_with_others_is_empty),
	cmocka_unit_test(match__finds_all_candidates_in_the_order_of_entry),
	cmocka_unit_test(match__of_an_empty_table),
	cmocka_unit_test(match__of_many),
};

UNIT_MAIN(eprint_tests)

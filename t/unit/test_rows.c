/*
 * test_rows.c - src/rows: rows as bytes and back, and bytes that are none.
 */
#include "t/unit/unit.h"

#include "rows/citation_row.h"
#include "rows/cursor_row.h"
#include "rows/desync_row.h"
#include "rows/edge_row.h"
#include "rows/extraction_row.h"
#include "rows/host_row.h"
#include "rows/identity_row.h"
#include "rows/node_row.h"
#include "rows/resume_row.h"
#include "rows/row_table.h"

static struct bytes
as_bytes(struct str text)
{
	return (struct bytes){ (const uint8_t *)text.ptr, text.len };
}

static void
host__comes_back_as_it_was(void **state BF_UNUSED)
{
	struct host_row row = {
		.origin = STR("https://pds.example"), .first_seen_ms = 1,
		.source = HOST_FROM_RELAY, .listed_ms = 2,
		.repos = 3, .rate_milli = 4500, .penalty_until_ms = 5, .failures = 6,
		.parked_until_ms = 7, .last_error = STR("refused"),
	}, back;
	struct buf value = BUF_INIT;

	host_row_encode(&value, &row);
	assert_int_equal(host_row_decode(as_bytes(row.origin), buf_bytes(&value), &back),
	    0);
	assert_true(str_eq(back.origin, row.origin));
	assert_int_equal(back.first_seen_ms, 1);
	assert_string_equal(host_source_name(back.source), "relay");
	assert_int_equal(back.listed_ms, 2);
	assert_int_equal(back.repos, 3);
	assert_int_equal(back.rate_milli, 4500);
	assert_int_equal(back.penalty_until_ms, 5);
	assert_int_equal(back.failures, 6);
	assert_int_equal(back.parked_until_ms, 7);
	assert_true(str_eq(back.last_error, row.last_error));
	buf_clear(&value);
}

/* Field 4 of rows that might have it: a cursor. */
static void
host__passes_over_what_it_has_no_name_for(void **state BF_UNUSED)
{
	static const uint8_t value[] = { 3, 0, 1, 2, 4, 0, 2, 'c', '1', 5, 0, 1, 3 };
	struct host_row row;

	assert_int_equal(host_row_decode(as_bytes(STR("https://pds.example")),
	    (struct bytes){ value, sizeof(value) }, &row), 0);
	assert_int_equal(row.listed_ms, 2);
	assert_int_equal(row.repos, 3);
}

static void
host__has_no_longer_pause_than_may_be_written(void **state BF_UNUSED)
{
	int64_t now_ms = 1000000000000, day_ms = 24 * 3600 * 1000;
	struct host_row row = { .penalty_until_ms = (uint64_t)now_ms + HOST_PAUSE_MAX_MS,
	    .parked_until_ms = (uint64_t)now_ms - 1 };

	assert_false(host_row_cut_pauses(&row, now_ms));
	assert_int_equal(row.penalty_until_ms, now_ms + HOST_PAUSE_MAX_MS);
	assert_int_equal(row.parked_until_ms, now_ms - 1);
	assert_int_equal(host_state_at(&row, now_ms), HOST_PAUSING);

	/* The clock was set back by a day. */
	assert_true(host_row_cut_pauses(&row, now_ms - day_ms));
	assert_int_equal(row.penalty_until_ms, now_ms - day_ms + HOST_PAUSE_MAX_MS);
	assert_int_equal(row.parked_until_ms, now_ms - day_ms + HOST_PAUSE_MAX_MS);
}

static void
cursor__of_a_relay_has_its_url_as_the_key(void **state BF_UNUSED)
{
	struct buf key = BUF_INIT;

	cursor_row_relay_key(&key, STR("https://relay.example//"));
	assert_true(str_eq(buf_str(&key), STR("relay https://relay.example")));
	buf_clear(&key);
}

static void
desync__comes_back_as_it_was(void **state BF_UNUSED)
{
	struct desync_row row = {
		.did = STR("did:web:a.example"), .since_ms = 7,
		.reason = STR("an event is missing"),
	}, back;
	struct buf value = BUF_INIT;

	desync_row_encode(&value, &row);
	assert_int_equal(desync_row_decode(as_bytes(row.did), buf_bytes(&value), &back),
	    0);
	assert_true(str_eq(back.did, row.did));
	assert_int_equal(back.since_ms, 7);
	assert_true(str_eq(back.reason, row.reason));
	assert_int_equal(desync_row_decode(BYTES_NONE, buf_bytes(&value), &back), -1);
	buf_clear(&value);
}

static void
resume__comes_back_as_it_was(void **state BF_UNUSED)
{
	struct resume_row row = {
		.service = STR("relay https://relay.example"),
		.operation = STR("3migo7fijwi2k"), .checkpoint = as_bytes(STR("1 2 3")),
	}, back;
	struct buf value = BUF_INIT;

	resume_row_encode(&value, &row);
	assert_int_equal(resume_row_decode(as_bytes(row.service), buf_bytes(&value),
	    &back), 0);
	assert_true(str_eq(back.service, row.service));
	assert_true(str_eq(back.operation, row.operation));
	assert_true(bytes_eq(back.checkpoint, row.checkpoint));
	assert_int_equal(resume_row_decode(BYTES_NONE, buf_bytes(&value), &back), -1);
	buf_clear(&value);
}

static void
identity__comes_back_as_it_was(void **state BF_UNUSED)
{
	static const uint8_t hash[IDENTITY_HASH_BYTES] = { 1, 2, 3 };
	struct identity_row row = {
		.did = STR("did:web:a.example"), .fetched_ms = 1,
		.pds_url = STR("https://pds.example"), .signing_key = STR("zQ3sh"),
		.handle = STR("a.example"), .status = IDENTITY_TOMBSTONED,
		.doc_hash = { hash, sizeof(hash) },
	}, back;
	struct buf value = BUF_INIT;

	identity_row_encode(&value, &row);
	assert_int_equal(identity_row_decode(as_bytes(row.did), buf_bytes(&value), &back),
	    0);
	assert_true(str_eq(back.did, row.did));
	assert_int_equal(back.fetched_ms, 1);
	assert_true(str_eq(back.pds_url, row.pds_url));
	assert_true(str_eq(back.signing_key, row.signing_key));
	assert_true(str_eq(back.handle, row.handle));
	assert_string_equal(identity_status_name(back.status), "tombstoned");
	assert_true(bytes_eq(back.doc_hash, row.doc_hash));
	buf_clear(&value);
}

static void
cursor__comes_back_as_it_was(void **state BF_UNUSED)
{
	struct cursor_row row = { .service = STR("relay https://relay.example"),
	    .seq = 1ull << 60, .time_ms = 2, .saved_ms = 3 }, back;
	struct buf value = BUF_INIT;

	cursor_row_encode(&value, &row);
	assert_int_equal(cursor_row_decode(as_bytes(row.service), buf_bytes(&value),
	    &back), 0);
	assert_true(str_eq(back.service, row.service));
	assert_true(back.seq == 1ull << 60);
	assert_int_equal(back.time_ms, 2);
	assert_int_equal(back.saved_ms, 3);
	buf_clear(&value);
}

#define EPRINT_URI	"at://did:plc:x/pub.chive.eprint.submission/3k"

static void
citation__comes_back_as_it_was(void **state BF_UNUSED)
{
	struct citation_row row = {
		.raw = STR("raw"), .title = STR("title"), .authors = STR("A; B"),
		.venue = STR("venue"), .volume = STR("1"), .issue = STR("2"),
		.pages = STR("3-4"), .doi = STR("10.1000/1"), .arxiv = STR("1706.03762"),
		.year = 2017, .source = 2, .matched_uri = STR("at://x"), .method = 1,
	}, back;
	struct buf key = BUF_INIT, prefix = BUF_INIT, value = BUF_INIT;

	citation_row_key(&key, STR(EPRINT_URI), 258);
	citation_row_prefix(&prefix, STR(EPRINT_URI));
	assert_true(str_starts_with(buf_str(&key), buf_str(&prefix)));
	citation_row_encode(&value, &row);
	assert_int_equal(citation_row_decode(buf_bytes(&key), buf_bytes(&value), &back), 0);
	assert_true(str_eq(back.eprint_uri, STR(EPRINT_URI)));
	assert_int_equal(back.place, 258);
	assert_true(str_eq(back.raw, row.raw));
	assert_true(str_eq(back.title, row.title));
	assert_true(str_eq(back.authors, row.authors));
	assert_true(str_eq(back.venue, row.venue));
	assert_true(str_eq(back.volume, row.volume));
	assert_true(str_eq(back.issue, row.issue));
	assert_true(str_eq(back.pages, row.pages));
	assert_true(str_eq(back.doi, row.doi));
	assert_true(str_eq(back.arxiv, row.arxiv));
	assert_int_equal(back.year, 2017);
	assert_int_equal(back.source, 2);
	assert_true(str_eq(back.matched_uri, row.matched_uri));
	assert_int_equal(back.method, CITATION_BY_DOI);
	assert_string_equal(citation_method_name(back.method), "doi");
	assert_int_equal(citation_confidence_percent(back.method), 100);
	assert_string_equal(citation_source_name(back.source), "grobid");
	assert_int_equal(citation_row_decode(as_bytes(STR("a\0" "123")), BYTES_NONE, &back),
	    -1);
	assert_int_equal(citation_row_decode(as_bytes(STR("a\0b\0" "1234")), BYTES_NONE,
	    &back), -1);
	buf_clear(&key);
	buf_clear(&prefix);
	buf_clear(&value);
}

static void
extraction__comes_back_as_it_was(void **state BF_UNUSED)
{
	static const uint8_t cid[36] = { 1, 0x55, 0x12, 0x20 };
	struct extraction_row row = {
		.document = { cid, sizeof(cid) }, .tools = STR("grobid+crossref"),
		.version = STR("0.8"), .at_ms = 3, .citations = 4, .matched = 5,
	}, back;
	struct buf value = BUF_INIT;

	extraction_row_encode(&value, &row);
	assert_int_equal(extraction_row_decode(as_bytes(STR(EPRINT_URI)),
	    buf_bytes(&value), &back), 0);
	assert_true(str_eq(back.eprint_uri, STR(EPRINT_URI)));
	assert_true(bytes_eq(back.document, row.document));
	assert_true(str_eq(back.tools, row.tools));
	assert_true(str_eq(back.version, row.version));
	assert_int_equal(back.at_ms, 3);
	assert_int_equal(back.citations, 4);
	assert_int_equal(back.matched, 5);
	assert_int_equal(extraction_row_decode(as_bytes(STR(EPRINT_URI)), BYTES_NONE, &back),
	    -1);
	buf_clear(&value);
}

static void
node__comes_back_as_it_was(void **state BF_UNUSED)
{
	static const uint8_t cid[] = { 1, 0x71 };
	struct node_row row = {
		.uri = STR("at://did:web:a.example/c.d.e/1"), .id = STR("i1"),
		.kind = STR("type"), .subkind = STR("field"),
		.subkind_uri = STR("at://did:web:a.example/c.d.e/2"), .slug = STR("s"),
		.label = STR("Physics"), .description = STR("all of it"),
		.status = STR("deprecated"),
		.deprecated_by = STR("at://did:web:a.example/c.d.e/3"),
		.created_at = STR("2026-01-01T00:00:00Z"),
		.updated_at = STR("2026-01-02T00:00:00Z"), .cid = { cid, sizeof(cid) },
	}, back;
	struct buf value = BUF_INIT;

	node_row_encode(&value, &row);
	assert_int_equal(node_row_decode(as_bytes(row.uri), buf_bytes(&value), &back), 0);
	assert_true(str_eq(back.uri, row.uri));
	assert_true(str_eq(back.id, row.id));
	assert_true(str_eq(back.kind, row.kind));
	assert_true(str_eq(back.subkind, row.subkind));
	assert_true(str_eq(back.subkind_uri, row.subkind_uri));
	assert_true(str_eq(back.slug, row.slug));
	assert_true(str_eq(back.label, row.label));
	assert_true(str_eq(back.description, row.description));
	assert_true(str_eq(back.status, row.status));
	assert_true(str_eq(back.deprecated_by, row.deprecated_by));
	assert_true(str_eq(back.created_at, row.created_at));
	assert_true(str_eq(back.updated_at, row.updated_at));
	assert_true(bytes_eq(back.cid, row.cid));
	buf_clear(&value);
}

static void
edge__comes_back_as_it_was(void **state BF_UNUSED)
{
	static const uint8_t cid[] = { 1, 0x71 };
	struct edge_row row = {
		.uri = STR("at://did:web:a.example/c.d.f/1"), .id = STR("i1"),
		.source_uri = STR("at://did:web:a.example/c.d.e/1"),
		.target_uri = STR("at://did:web:a.example/c.d.e/2"),
		.relation_slug = STR("broader"),
		.relation_uri = STR("at://did:web:a.example/c.d.e/3"),
		.has_weight = true, .weight = 750, .status = STR("established"),
		.created_at = STR("2026-01-01T00:00:00Z"),
		.updated_at = STR("2026-01-02T00:00:00Z"), .cid = { cid, sizeof(cid) },
		.absent = EDGE_LACKS_TARGET,
	}, back;
	struct buf value = BUF_INIT;

	edge_row_encode(&value, &row);
	assert_int_equal(edge_row_decode(as_bytes(row.uri), buf_bytes(&value), &back), 0);
	assert_true(str_eq(back.uri, row.uri));
	assert_true(str_eq(back.id, row.id));
	assert_true(str_eq(back.source_uri, row.source_uri));
	assert_true(str_eq(back.target_uri, row.target_uri));
	assert_true(str_eq(back.relation_slug, row.relation_slug));
	assert_true(str_eq(back.relation_uri, row.relation_uri));
	assert_true(back.has_weight);
	assert_int_equal(back.weight, 750);
	assert_true(str_eq(back.status, row.status));
	assert_true(str_eq(back.created_at, row.created_at));
	assert_true(str_eq(back.updated_at, row.updated_at));
	assert_true(bytes_eq(back.cid, row.cid));
	assert_string_equal(edge_absent_name(back.absent), "target");
	buf_clear(&value);
}

static void
row__with_nothing_set_takes_no_bytes(void **state BF_UNUSED)
{
	struct buf value = BUF_INIT;
	struct host_row back;

	host_row_encode(&value, &(struct host_row){ .origin = STR("https://a.example") });
	assert_int_equal(buf_len(&value), 0);
	assert_int_equal(host_row_decode(as_bytes(STR("https://a.example")), BYTES_NONE,
	    &back), 0);
	assert_string_equal(host_source_name(back.source), "unknown");
	buf_clear(&value);
}

static void
row__of_a_newer_version_is_read_without_what_is_not_known(void **state BF_UNUSED)
{
	static const uint8_t value[] = { 1, 0, 1, 9, 200, 0, 2, 'n', 'o' };
	struct cursor_row row;

	assert_int_equal(cursor_row_decode(as_bytes(STR("relay r")),
	    (struct bytes){ value, sizeof(value) }, &row), 0);
	assert_int_equal(row.seq, 9);
}

static void
row__that_is_none_is_refused(void **state BF_UNUSED)
{
	static const uint8_t cut[] = { 1, 0, 4, 9 }, wide[] = { 1, 0, 9, 1, 2, 3, 4, 5, 6,
	    7, 8, 9 }, short_hash[] = { 6, 0, 2, 1, 2 };
	struct bytes key = as_bytes(STR("did:web:a.example"));
	struct identity_row identity;
	struct cursor_row cursor;
	struct host_row host;
	struct node_row node;
	struct edge_row edge;

	/* Of a node without an id and an edge without ends nobody could make sense. */
	assert_int_equal(node_row_decode(key, BYTES_NONE, &node), -1);
	assert_int_equal(edge_row_decode(key, BYTES_NONE, &edge), -1);
	assert_int_equal(host_row_decode(key, (struct bytes){ cut, sizeof(cut) }, &host), -1);
	assert_int_equal(cursor_row_decode(key, (struct bytes){ wide, sizeof(wide) },
	    &cursor), -1);
	assert_int_equal(identity_row_decode(key, (struct bytes){ short_hash,
	    sizeof(short_hash) }, &identity), -1);
	assert_int_equal(host_row_decode(BYTES_NONE, BYTES_NONE, &host), -1);
}

static void
tables__are_written_by_the_types_that_know_them(void **state BF_UNUSED)
{
	static const struct {
		struct str type;
		const char *tables;	/* their numbers, as bytes */
	} rows[] = {
		{ STR("did-sync"), "\1\2" }, { STR("full-reindex"), "" },
		{ STR("pds-scan"), "\1\2" }, { STR("freshness-scan"), "\1\2" },
		{ STR("full-sync"), "\1\2\3" }, { STR("catch-up"), "\1\2\3\x9\xa" },
		{ STR("citation-extraction"), "\1\2\7\x8" },
		{ STR("governance-sync"), "\1\2\4\5\6" }, { STR("sync"), "" }, { STR(""), "" },
	};
	uint8_t numbers[LIMIT_ROW_TABLES];
	size_t count;

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		count = row_table_writable(rows[i].type, true, numbers);
		assert_int_equal(count, strlen(rows[i].tables));
		assert_memory_equal(numbers, rows[i].tables, count);
	}
}

static void
tables__of_an_operators_own_types_are_none_of_ours(void **state BF_UNUSED)
{
	uint8_t numbers[LIMIT_ROW_TABLES];
	size_t count = row_table_writable(STR("governance-sync"), false, numbers);

	assert_int_equal(count, LIMIT_ROW_TABLES - ROW_OWN_FIRST + 1);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(numbers[i], ROW_OWN_FIRST + i);
#define X(NAME, number, name, writers) assert_true(number < ROW_OWN_FIRST);
	ROW_TABLES(X)
#undef X
}

static const struct CMUnitTest rows_tests[] = {
	cmocka_unit_test(tables__are_written_by_the_types_that_know_them),
	cmocka_unit_test(tables__of_an_operators_own_types_are_none_of_ours),
	cmocka_unit_test(host__comes_back_as_it_was),
	cmocka_unit_test(host__passes_over_what_it_has_no_name_for),
	cmocka_unit_test(host__has_no_longer_pause_than_may_be_written),
	cmocka_unit_test(cursor__of_a_relay_has_its_url_as_the_key),
	cmocka_unit_test(desync__comes_back_as_it_was),
	cmocka_unit_test(resume__comes_back_as_it_was),
	cmocka_unit_test(identity__comes_back_as_it_was),
	cmocka_unit_test(cursor__comes_back_as_it_was),
	cmocka_unit_test(citation__comes_back_as_it_was),
	cmocka_unit_test(extraction__comes_back_as_it_was),
	cmocka_unit_test(node__comes_back_as_it_was),
	cmocka_unit_test(edge__comes_back_as_it_was),
	cmocka_unit_test(row__with_nothing_set_takes_no_bytes),
	cmocka_unit_test(row__of_a_newer_version_is_read_without_what_is_not_known),
	cmocka_unit_test(row__that_is_none_is_refused),
};

UNIT_MAIN(rows_tests)

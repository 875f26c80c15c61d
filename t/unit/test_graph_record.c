/*
 * test_graph_record.c - src/workers/graph_record and graph_set: each rule of the
 * lexicons of nodes and edges, and the set of what is there.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "atproto/dagcbor_json.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "workers/graph_record.h"
#include "workers/graph_set.h"

#define NODE	"pub.chive.graph.node"
#define EDGE	"pub.chive.graph.edge"
#define URI	"at://did:web:a.example/pub.chive.graph.node/1"

struct member {
	const char *name, *json;
};

static const struct member node_members[] = {
	{ "$type", "\"" NODE "\"" },
	{ "id", "\"0b1e\"" },
	{ "kind", "\"object\"" },
	{ "label", "\"Physics\"" },
	{ "status", "\"established\"" },
	{ "createdAt", "\"2026-01-02T03:04:05Z\"" },
	{ NULL, NULL },
};

static const struct member edge_members[] = {
	{ "$type", "\"" EDGE "\"" },
	{ "id", "\"0b1e\"" },
	{ "sourceUri", "\"" URI "\"" },
	{ "targetUri", "\"" URI "2\"" },
	{ "relationSlug", "\"broader\"" },
	{ "status", "\"established\"" },
	{ "createdAt", "\"2026-01-02T03:04:05Z\"" },
	{ NULL, NULL },
};

/* --- records --- */

/* A sound record with one member replaced, added or, if json is NULL, left out. */
static struct buf
record_with(const struct member *members, const char *name, const char *json)
{
	struct buf text = BUF_INIT, record = BUF_INIT;
	struct fault fault = FAULT_INIT;
	bool needs_comma = false;

	buf_add_byte(&text, '{');
	for (; members->name != NULL; members++) {
		if (strcmp(members->name, name) == 0)
			continue;
		buf_printf(&text, "%s\"%s\":%s", needs_comma ? "," : "", members->name,
		    members->json);
		needs_comma = true;
	}
	if (json != NULL && name[0] != '\0')
		buf_printf(&text, ",\"%s\":%s", name, json);
	buf_add_byte(&text, '}');
	assert_int_equal(dagcbor_from_json(buf_str(&text), &record, &fault), 0);
	buf_clear(&text);
	return record;
}

/* What is said of it; "" if it is sound. */
static const char *
verdict(const struct member *members, const char *name, const char *json)
{
	static struct graph_fault fault;
	struct buf record = record_with(members, name, json);
	struct node_row node;
	struct edge_row edge;
	int rc = members == node_members ?
	    graph_record_node(buf_bytes(&record), STR(NODE), &node, &fault) :
	    graph_record_edge(buf_bytes(&record), STR(EDGE), &edge, &fault);

	if (rc == 0)
		fault.text[0] = '\0';
	buf_clear(&record);
	return fault.text;
}

struct rule_case {
	const char *name, *json, *why;
};

static void
check_cases(const struct member *members, const struct rule_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *why = verdict(members, cases[i].name, cases[i].json);

		if (strcmp(why, cases[i].why) != 0)
			fail_msg("%s %s: said \"%s\", not \"%s\"", cases[i].name,
			    cases[i].json != NULL ? cases[i].json : "(absent)", why,
			    cases[i].why);
	}
}

static void
node__needs_its_required_fields_of_their_types(void **state BF_UNUSED)
{
	static const struct rule_case cases[] = {
		{ "", NULL, "" },
		{ "$type", NULL, "$type: is not the collection's name" },
		{ "$type", "\"" EDGE "\"", "$type: is not the collection's name" },
		{ "id", NULL, "id: is missing" },
		{ "id", "null", "id: is not a string" },
		{ "id", "\"\"", "id: is empty" },
		{ "kind", NULL, "kind: is missing" },
		{ "kind", "[]", "kind: is not a string" },
		{ "label", NULL, "label: is missing" },
		{ "label", "{}", "label: is not a string" },
		{ "status", NULL, "status: is missing" },
		{ "status", "true", "status: is not a string" },
		{ "createdAt", NULL, "createdAt: is missing" },
		{ "createdAt", "\"yesterday\"", "createdAt: is no datetime" },
	};

	check_cases(node_members, cases, BF_ARRAY_LEN(cases));
}

static void
node__may_have_the_other_fields_if_they_are_sound(void **state BF_UNUSED)
{
	static const struct rule_case cases[] = {
		{ "slug", "7", "slug: is not a string" },
		{ "subkindUri", "\"at://x\"", "subkindUri: is no AT-URI" },
		{ "subkindUri", "\"at://did:web:a.example\"", "" },
		{ "deprecatedBy", "\"" URI "\"", "" },
		{ "deprecatedBy", "\"https://a.example\"", "deprecatedBy: is no AT-URI" },
		{ "proposalUri", "null", "" },
		{ "proposalUri", "\"\"", "proposalUri: is no AT-URI" },
		{ "createdBy", "\"did:web:a.example\"", "" },
		{ "createdBy", "\"alice.test\"", "createdBy: is no DID" },
		{ "updatedAt", "\"2026-13-01T00:00:00Z\"", "updatedAt: is no datetime" },
		{ "schemaRevision", "1", "" },
		{ "schemaRevision", "0",
		    "schemaRevision: 0 is not in 1 to 9223372036854775807" },
		{ "schemaRevision", "\"1\"", "schemaRevision: is not an integer" },
		{ "alternateLabels", "[\"a\",\"b\"]", "" },
		{ "alternateLabels", "\"a\"", "alternateLabels: is not an array" },
		{ "alternateLabels", "[\"a\",2]", "alternateLabels[1]: is not a string" },
		{ "externalIds", "[{\"system\":\"wikidata\",\"identifier\":\"Q1\","
		    "\"uri\":\"https://w.example/Q1\",\"matchType\":\"exact\"}]", "" },
		{ "externalIds", "[{\"system\":\"wikidata\",\"identifier\":\"Q1\"},"
		    "{\"system\":\"ror\"}]", "externalIds[1].identifier: is missing" },
		{ "externalIds", "[{\"identifier\":\"Q1\"}]",
		    "externalIds[0].system: is missing" },
		{ "externalIds", "[{\"system\":\"x\",\"identifier\":\"Q1\",\"uri\":\"no\"}]",
		    "externalIds[0].uri: is no URI" },
		{ "externalIds", "[{\"system\":\"x\",\"identifier\":\"Q1\","
		    "\"matchType\":1}]", "externalIds[0].matchType: is not a string" },
		{ "externalIds", "[7]", "externalIds[0]: is not an object" },
		{ "metadata", "[]", "metadata: is not an object" },
		{ "metadata", "{\"country\":\"DEU\"}",
		    "metadata.country: has 3 bytes, more than 2" },
		{ "metadata", "{\"website\":\"a b:c\"}", "metadata.website: is no URI" },
		{ "metadata", "{\"mimeTypes\":[\"a/b\",1]}",
		    "metadata.mimeTypes[1]: is not a string" },
		{ "metadata", "{\"displayOrder\":\"1\"}",
		    "metadata.displayOrder: is not an integer" },
		{ "metadata", "{\"displayOrder\":-1,\"symmetric\":true}", "" },
		{ "metadata", "{\"symmetric\":1}", "metadata.symmetric: is not a boolean" },
		{ "metadata", "{\"transitive\":1}",
		    "metadata.transitive: is not a boolean" },
		{ "metadata", "{\"reflexive\":1}", "metadata.reflexive: is not a boolean" },
		{ "metadata", "{\"functional\":1}",
		    "metadata.functional: is not a boolean" },
		{ "metadata", "{\"organizationStatus\":[]}",
		    "metadata.organizationStatus: is not a string" },
	};

	check_cases(node_members, cases, BF_ARRAY_LEN(cases));
}

static void
node__may_have_fields_and_values_that_nobody_knows(void **state BF_UNUSED)
{
	static const struct rule_case cases[] = {
		{ "fromTheFuture", "{\"a\":[1,2,{\"b\":null}]}", "" },
		{ "kind", "\"relation\"", "" },
		{ "status", "\"disputed\"", "" },
		{ "metadata", "{\"weight\":7}", "" },
	};

	check_cases(node_members, cases, BF_ARRAY_LEN(cases));
}

static void
edge__has_its_own_rules(void **state BF_UNUSED)
{
	static const struct rule_case cases[] = {
		{ "", NULL, "" },
		{ "id", NULL, "id: is missing" },
		{ "sourceUri", NULL, "sourceUri: is missing" },
		{ "sourceUri", "\"at://did:web:a.example\"",
		    "sourceUri: is no AT-URI of a record" },
		{ "targetUri", NULL, "targetUri: is missing" },
		{ "targetUri", "\"at://did:web:a.example/c.d.e\"",
		    "targetUri: is no AT-URI of a record" },
		{ "targetUri", "7", "targetUri: is not a string" },
		{ "relationSlug", NULL, "relationSlug: is missing" },
		{ "relationUri", "\"broader\"", "relationUri: is no AT-URI" },
		{ "weight", "0", "" },
		{ "weight", "1000", "" },
		{ "weight", "1001", "weight: 1001 is not in 0 to 1000" },
		{ "weight", "-1", "weight: -1 is not in 0 to 1000" },
		{ "weight", "\"5\"", "weight: is not an integer" },
		{ "status", NULL, "status: is missing" },
		{ "createdAt", NULL, "createdAt: is missing" },
		{ "createdBy", "\"x\"", "createdBy: is no DID" },
		{ "updatedAt", "1", "updatedAt: is not a string" },
		{ "proposalUri", "\"x\"", "proposalUri: is no AT-URI" },
		{ "schemaRevision", "-1",
		    "schemaRevision: -1 is not in 1 to 9223372036854775807" },
		{ "metadata", "{\"confidence\":1000,\"source\":\"x\"}", "" },
		{ "metadata", "{\"confidence\":1001}",
		    "metadata.confidence: 1001 is not in 0 to 1000" },
		{ "metadata", "{\"startDate\":\"x\"}", "metadata.startDate: is no datetime" },
		{ "metadata", "{\"endDate\":\"x\"}", "metadata.endDate: is no datetime" },
		{ "metadata", "{\"source\":7}", "metadata.source: is not a string" },
	};

	check_cases(edge_members, cases, BF_ARRAY_LEN(cases));
}

/* A text of so many bytes, quoted; valid until the next call. */
static const char *
text_of(size_t bytes)
{
	static char text[4096];

	assert_true(bytes + 3 <= sizeof(text));
	text[0] = '"';
	memset(text + 1, 'x', bytes);
	memcpy(text + 1 + bytes, "\"", 2);
	return text;
}

static void
records__have_texts_up_to_their_lengths(void **state BF_UNUSED)
{
	static const struct {
		const struct member *members;
		const char *name;
		size_t most;
	} cases[] = {
		{ node_members, "id", LIMIT_GRAPH_ID_BYTES },
		{ node_members, "kind", LIMIT_GRAPH_WORD_BYTES },
		{ node_members, "status", LIMIT_GRAPH_WORD_BYTES },
		{ node_members, "slug", 100 },
		{ node_members, "subkind", 50 },
		{ node_members, "label", 500 },
		{ node_members, "description", 2000 },
		{ edge_members, "id", LIMIT_GRAPH_ID_BYTES },
		{ edge_members, "relationSlug", 50 },
		{ edge_members, "status", LIMIT_GRAPH_WORD_BYTES },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		char why[GRAPH_FAULT_SIZE];

		assert_string_equal(verdict(cases[i].members, cases[i].name,
		    text_of(cases[i].most)), "");
		(void)snprintf(why, sizeof(why), "%s: has %zu bytes, more than %zu",
		    cases[i].name, cases[i].most + 1, cases[i].most);
		assert_string_equal(verdict(cases[i].members, cases[i].name,
		    text_of(cases[i].most + 1)), why);
	}
}

/* An array of so many items, or of one text of so many bytes, at a place. */
static const char *
verdict_of_items(const char *name, const char *before, const char *item, size_t count,
    const char *after)
{
	struct buf json = BUF_INIT;
	const char *why;

	buf_printf(&json, "%s[", before);
	for (size_t i = 0; i < count; i++)
		buf_printf(&json, "%s%s", i > 0 ? "," : "", item);
	buf_printf(&json, "]%s", after);
	buf_add_byte(&json, '\0');
	why = verdict(node_members, name, (const char *)buf_data(&json));
	buf_clear(&json);
	return why;
}

static void
records__have_arrays_up_to_their_lengths(void **state BF_UNUSED)
{
	const char *id = "{\"system\":\"x\",\"identifier\":\"y\"}";

	assert_string_equal(verdict_of_items("alternateLabels", "", "\"a\"", 50, ""), "");
	assert_string_equal(verdict_of_items("alternateLabels", "", "\"a\"", 51, ""),
	    "alternateLabels: has 51 items, more than 50");
	assert_string_equal(verdict_of_items("alternateLabels", "", text_of(501), 1, ""),
	    "alternateLabels[0]: has 501 bytes, more than 500");
	assert_string_equal(verdict_of_items("externalIds", "", id, 20, ""), "");
	assert_string_equal(verdict_of_items("externalIds", "", id, 21, ""),
	    "externalIds: has 21 items, more than 20");
	assert_string_equal(verdict_of_items("metadata", "{\"mimeTypes\":", "\"a/b\"", 10,
	    "}"), "");
	assert_string_equal(verdict_of_items("metadata", "{\"mimeTypes\":", "\"a/b\"", 11,
	    "}"), "metadata.mimeTypes: has 11 items, more than 10");
}

static void
records__that_are_none_are_refused(void **state BF_UNUSED)
{
	static const uint8_t list[] = { 0x80 }, cut[] = { 0xa1, 0x64, 't' };
	struct graph_fault fault;
	struct node_row row;

	assert_int_equal(graph_record_node((struct bytes){ list, sizeof(list) }, STR(NODE),
	    &row, &fault), -1);
	assert_string_equal(fault.text, "the record is no object");
	assert_int_equal(graph_record_node((struct bytes){ cut, sizeof(cut) }, STR(NODE),
	    &row, &fault), -1);
	assert_string_equal(fault.text, "the record is no DAG-CBOR");
	assert_int_equal(graph_record_node(BYTES_NONE, STR(NODE), &row, &fault), -1);
}

static void
records__become_rows(void **state BF_UNUSED)
{
	struct buf record = record_with(node_members, "slug", "\"physics\"");
	struct graph_fault fault;
	struct node_row node;
	struct edge_row edge;

	assert_int_equal(graph_record_node(buf_bytes(&record), STR(NODE), &node, &fault), 0);
	assert_true(str_eq(node.id, STR("0b1e")));
	assert_true(str_eq(node.kind, STR("object")));
	assert_true(str_eq(node.label, STR("Physics")));
	assert_true(str_eq(node.slug, STR("physics")));
	assert_true(str_eq(node.status, STR("established")));
	assert_true(str_eq(node.created_at, STR("2026-01-02T03:04:05Z")));
	assert_int_equal(node.description.len, 0);
	buf_clear(&record);

	record = record_with(edge_members, "weight", "0");
	assert_int_equal(graph_record_edge(buf_bytes(&record), STR(EDGE), &edge, &fault), 0);
	assert_true(str_eq(edge.source_uri, STR(URI)));
	assert_true(str_eq(edge.target_uri, STR(URI "2")));
	assert_true(str_eq(edge.relation_slug, STR("broader")));
	assert_true(edge.has_weight && edge.weight == 0);
	buf_clear(&record);

	record = record_with(edge_members, "weight", NULL);
	assert_int_equal(graph_record_edge(buf_bytes(&record), STR(EDGE), &edge, &fault), 0);
	assert_false(edge.has_weight);
	buf_clear(&record);
}

/* --- the set --- */

static uint64_t
digest_of(struct graph_set *set, enum graph_member kind, unsigned number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "number %u", number);
	return graph_set_digest(set, kind, str_from(text));
}

static void
set__has_what_was_added_and_nothing_else(void **state BF_UNUSED)
{
	struct graph_set set;

	graph_set_init(&set);
	for (unsigned i = 0; i < 20000; i++)
		assert_true(graph_set_add(&set, digest_of(&set, GRAPH_NODE_URI, i)));
	for (unsigned i = 0; i < 20000; i++) {
		assert_true(graph_set_has(&set, digest_of(&set, GRAPH_NODE_URI, i)));
		assert_false(graph_set_add(&set, digest_of(&set, GRAPH_NODE_URI, i)));
		assert_false(graph_set_has(&set, digest_of(&set, GRAPH_NODE_ID, i)));
	}
	assert_false(graph_set_has(&set, digest_of(&set, GRAPH_NODE_URI, 20000)));
	assert_int_equal(set.count, 20000);
	graph_set_clear(&set);
	graph_set_clear(&set);
}

static void
set__has_a_key_of_its_own(void **state BF_UNUSED)
{
	struct graph_set a, b;

	graph_set_init(&a);
	graph_set_init(&b);
	assert_true(digest_of(&a, GRAPH_NODE_URI, 1) == digest_of(&a, GRAPH_NODE_URI, 1));
	assert_true(digest_of(&a, GRAPH_NODE_URI, 1) != digest_of(&b, GRAPH_NODE_URI, 1));
	graph_set_clear(&a);
	graph_set_clear(&b);
}

static const struct CMUnitTest graph_record_tests[] = {
	cmocka_unit_test(node__needs_its_required_fields_of_their_types),
	cmocka_unit_test(node__may_have_the_other_fields_if_they_are_sound),
	cmocka_unit_test(node__may_have_fields_and_values_that_nobody_knows),
	cmocka_unit_test(edge__has_its_own_rules),
	cmocka_unit_test(records__have_texts_up_to_their_lengths),
	cmocka_unit_test(records__have_arrays_up_to_their_lengths),
	cmocka_unit_test(records__that_are_none_are_refused),
	cmocka_unit_test(records__become_rows),
	cmocka_unit_test(set__has_what_was_added_and_nothing_else),
	cmocka_unit_test(set__has_a_key_of_its_own),
};

UNIT_MAIN(graph_record_tests)

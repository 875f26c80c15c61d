#include "workers/graph_record.h"

#include <stdio.h>

#include "atproto/dagcbor.h"
#include "common/limits.h"
#include "workers/graph_rule.h"

#define TEXT(max)		.type = GRAPH_TEXT, .max_bytes = (max)
#define FORMAT(which)		.type = GRAPH_TEXT, .format = GRAPH_##which
#define NUMBER(from, to)	.type = GRAPH_INTEGER, .least = (from), .most = (to)
#define NODE(member)		.is_kept = true, .offset = offsetof(struct node_row, member)
#define EDGE(member)		.is_kept = true, .offset = offsetof(struct edge_row, member)
#define REQUIRED		.is_required = true

static const struct graph_rule external_id[] = {
	{ "system", TEXT(LIMIT_GRAPH_WORD_BYTES), REQUIRED },
	{ "identifier", TEXT(200), REQUIRED },
	{ "uri", FORMAT(URI) },
	{ "matchType", TEXT(LIMIT_GRAPH_WORD_BYTES) },
	{ 0 },
};

static const struct graph_rule node_metadata[] = {
	{ "country", TEXT(2) },
	{ "city", TEXT(200) },
	{ "website", FORMAT(URI) },
	{ "organizationStatus", TEXT(LIMIT_GRAPH_WORD_BYTES) },
	{ "mimeTypes", .type = GRAPH_TEXTS, .max_items = 10,
	    .max_bytes = LIMIT_GRAPH_WORD_BYTES },
	{ "spdxId", TEXT(100) },
	{ "displayOrder", NUMBER(INT64_MIN, INT64_MAX) },
	{ "inverseSlug", TEXT(50) },
	{ "symmetric", .type = GRAPH_BOOLEAN },
	{ "transitive", .type = GRAPH_BOOLEAN },
	{ "reflexive", .type = GRAPH_BOOLEAN },
	{ "functional", .type = GRAPH_BOOLEAN },
	{ 0 },
};

static const struct graph_rule node_rules[] = {
	{ "id", FORMAT(NOT_EMPTY), .max_bytes = LIMIT_GRAPH_ID_BYTES, REQUIRED, NODE(id) },
	{ "slug", TEXT(100), NODE(slug) },
	{ "kind", TEXT(LIMIT_GRAPH_WORD_BYTES), REQUIRED, NODE(kind) },
	{ "subkind", TEXT(50), NODE(subkind) },
	{ "subkindUri", FORMAT(AT_URI), NODE(subkind_uri) },
	{ "label", TEXT(500), REQUIRED, NODE(label) },
	{ "alternateLabels", .type = GRAPH_TEXTS, .max_items = 50, .max_bytes = 500 },
	{ "description", TEXT(2000), NODE(description) },
	{ "externalIds", .type = GRAPH_OBJECTS, .max_items = 20, .members = external_id },
	{ "metadata", .type = GRAPH_OBJECT, .members = node_metadata },
	{ "status", TEXT(LIMIT_GRAPH_WORD_BYTES), REQUIRED, NODE(status) },
	{ "deprecatedBy", FORMAT(AT_URI), NODE(deprecated_by) },
	{ "proposalUri", FORMAT(AT_URI) },
	{ "createdAt", FORMAT(DATETIME), REQUIRED, NODE(created_at) },
	{ "createdBy", FORMAT(DID) },
	{ "updatedAt", FORMAT(DATETIME), NODE(updated_at) },
	{ "schemaRevision", NUMBER(1, INT64_MAX) },
	{ 0 },
};

static const struct graph_rule edge_metadata[] = {
	{ "confidence", NUMBER(0, 1000) },
	{ "startDate", FORMAT(DATETIME) },
	{ "endDate", FORMAT(DATETIME) },
	{ "source", TEXT(200) },
	{ 0 },
};

static const struct graph_rule edge_rules[] = {
	{ "id", FORMAT(NOT_EMPTY), .max_bytes = LIMIT_GRAPH_ID_BYTES, REQUIRED, EDGE(id) },
	{ "sourceUri", FORMAT(RECORD_URI), REQUIRED, EDGE(source_uri) },
	{ "targetUri", FORMAT(RECORD_URI), REQUIRED, EDGE(target_uri) },
	{ "relationUri", FORMAT(AT_URI), EDGE(relation_uri) },
	{ "relationSlug", TEXT(50), REQUIRED, EDGE(relation_slug) },
	{ "weight", NUMBER(0, 1000) },
	{ "metadata", .type = GRAPH_OBJECT, .members = edge_metadata },
	{ "status", TEXT(LIMIT_GRAPH_WORD_BYTES), REQUIRED, EDGE(status) },
	{ "proposalUri", FORMAT(AT_URI) },
	{ "createdAt", FORMAT(DATETIME), REQUIRED, EDGE(created_at) },
	{ "createdBy", FORMAT(DID) },
	{ "updatedAt", FORMAT(DATETIME), EDGE(updated_at) },
	{ "schemaRevision", NUMBER(1, INT64_MAX) },
	{ 0 },
};

static int
refuse(struct graph_fault *fault, const char *text)
{
	(void)snprintf(fault->text, sizeof(fault->text), "%s", text);
	return -1;
}

/* A record says of what collection it is (spec: Lexicon, "record"). */
static int
check(struct bytes record, struct str collection, const struct graph_rule *rules,
    void *row, struct graph_fault *fault)
{
	struct dagcbor map = dagcbor_read(record), at = map;
	struct dagcbor_item type;
	struct fault why = FAULT_INIT;

	if (dagcbor_check(record, &why) == -1)
		return refuse(fault, "the record is no DAG-CBOR");
	if (dagcbor_next(&at).type != DAGCBOR_MAP)
		return refuse(fault, "the record is no object");
	if (!dagcbor_find_item(map, STR("$type"), DAGCBOR_TEXT, &type) ||
	    !str_eq(type.text, collection))
		return refuse(fault, "$type: is not the collection's name");
	return graph_rule_check(rules, map, row, fault);
}

int
graph_record_node(struct bytes record, struct str collection, struct node_row *row_out,
    struct graph_fault *fault)
{
	struct node_row row = { 0 };

	if (check(record, collection, node_rules, &row, fault) == -1)
		return -1;
	*row_out = row;
	return 0;
}

int
graph_record_edge(struct bytes record, struct str collection, struct edge_row *row_out,
    struct graph_fault *fault)
{
	struct edge_row row = { 0 };
	struct dagcbor_item weight;

	if (check(record, collection, edge_rules, &row, fault) == -1)
		return -1;
	if (dagcbor_find_item(dagcbor_read(record), STR("weight"), DAGCBOR_INT, &weight)) {
		row.has_weight = true;
		row.weight = (uint64_t)weight.integer;
	}
	*row_out = row;
	return 0;
}

/*
 * search_unit.h - documents for the tests of the search index.
 */
#ifndef BF_T_SEARCH_UNIT_H
#define BF_T_SEARCH_UNIT_H

#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "atproto/cid.h"
#include "atproto/dagcbor_json.h"
#include "common/limits.h"
#include "search/document.h"
#include "search/mapping.h"

#define EPRINTS	"pub.chive.eprint.submission"
#define MAPPING	EPRINTS " title=title abstract=abstractPlainText,abstract.text " \
		"keywords=keywords authors=authors.name " \
		"app.bsky.feed.post abstract=text"
#define DID	"did:plc:alice"

static const uint8_t RECORD_CID[CID_BYTES] = { 1, 0x71, 0x12, 0x20, 7 };

static inline struct mapping *
mapping_of(const char *text)
{
	struct mapping *mapping;
	struct err err;

	if (mapping_parse(str_from(text), &mapping, &err) == -1)
		fail_msg("%s", err.text);
	return mapping;
}

/* A record from JSON, as a document; to be cleared. */
static inline struct search_document
document_of(const char *path, const char *json)
{
	struct mapping *mapping = mapping_of(MAPPING);
	struct search_document document = SEARCH_DOCUMENT_INIT;
	struct str collection = { path, strcspn(path, "/") };
	struct buf record = BUF_INIT;
	struct fault fault;

	assert_int_equal(dagcbor_from_json(str_from(json), &record, &fault), 0);
	assert_int_equal(search_document_fill(&document,
	    mapping_find(mapping, collection), STR(DID), str_from(path),
	    (struct bytes){ RECORD_CID, sizeof(RECORD_CID) }, buf_bytes(&record),
	    &fault), 0);
	buf_clear(&record);
	mapping_free(&mapping);
	return document;
}

#endif

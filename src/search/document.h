/*
 * document.h - a record as the search index sees it.
 *
 * Process: the full-reindex worker.  Pure.
 */
#ifndef BF_SEARCH_DOCUMENT_H
#define BF_SEARCH_DOCUMENT_H

#include "atproto/fault.h"
#include "common/attr.h"
#include "common/buf.h"
#include "search/mapping.h"

struct search_document {
	/* owned; used again for the next document */
	struct buf uri;				/* at://did/collection/rkey */
	struct buf cid;				/* as text */
	struct buf text[SEARCH_FIELDS_COUNT];	/* pieces with line ends between */
	/* points into the document's uri */
	struct str collection;
};

#define SEARCH_DOCUMENT_INIT	((struct search_document){ .collection = STR_NONE })

void search_document_clear(struct search_document *document);

/*
 * Fill in a document.  path is `collection/rkey`, cid binary.  A path of the
 * mapping that finds nothing, or no text, is no failure: people write what they
 * like.  A field is cut at LIMIT_SEARCH_FIELD_BYTES, between two characters.
 * Fails with FAULT_CBOR_... if the record is not what the index has checked once.
 */
int search_document_fill(struct search_document *document,
    const struct mapping_row *row, struct str did, struct str path, struct bytes cid,
    struct bytes record, struct fault *fault) BF_MUSTCHECK;

#endif

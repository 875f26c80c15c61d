/*
 * eprint.h - what of an eprint's record matters for citations.
 *
 * Where it stands in the record is the operator's to say (the setting
 * `eprint_fields`), since other applications name their fields otherwise.
 */
#ifndef BF_CITATION_EPRINT_H
#define BF_CITATION_EPRINT_H

#include <stdbool.h>

#include "atproto/cid.h"
#include "citation/doi.h"
#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"

/* X(NAME, name in the setting) */
#define EPRINT_FIELDS(X)						\
	X(TITLE,	"title")	/* text */			\
	X(DOI,		"doi")		/* text: a DOI or its address */ \
	X(DOCUMENT,	"document")	/* a blob */			\
	X(HOLDER,	"holder")	/* text: the DID whose repository has the blob */

enum eprint_field {
#define X(name, text) EPRINT_##name,
	EPRINT_FIELDS(X)
#undef X
	EPRINT_FIELD_COUNT
};

struct eprint_map {
	struct str paths[EPRINT_FIELD_COUNT];	/* "publishedVersion.doi"; empty: none */
};

/* Read "title=title doi=publishedVersion.doi ..." into slices of it.  ERR_INVALID names
 * what is no such item. */
int eprint_map_parse(struct str setting, struct eprint_map *map_out, struct err *err)
    BF_MUSTCHECK;

struct eprint {
	struct str title;		/* of the record; empty: none */
	struct str holder;		/* likewise; empty: the repository of the record */
	char doi[DOI_SIZE];		/* normal form; "": none */
	bool has_document;
	struct cid document;		/* the blob's CID */
	uint64_t document_bytes;	/* its size, as the record says; 0: it does not */
};

/* Read a record: DAG-CBOR that passed dagcbor_check().  Whatever is not there or of
 * another kind is left empty.  Slices point into the record. */
void eprint_read(struct bytes record, const struct eprint_map *map,
    struct eprint *eprint_out);

#endif

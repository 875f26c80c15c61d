/*
 * citation_row.h - a work that an eprint cites.
 *
 * The key is the eprint's AT-URI, a NUL and the place in its list (32 bits, big-endian),
 * so that the citations of an eprint stand together and in order.  They are replaced all
 * at once, together with its extraction_row.
 */
#ifndef BF_ROWS_CITATION_ROW_H
#define BF_ROWS_CITATION_ROW_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"

/* F(NUMBER, KIND, member); texts may be empty, 0 is "not known". */
#define CITATION_ROW_FIELDS(F)						\
	F(1, TEXT, raw)			/* the reference as it was found */ \
	F(2, TEXT, title)						\
	F(3, TEXT, authors)						\
	F(4, TEXT, venue)						\
	F(5, TEXT, volume)						\
	F(6, TEXT, issue)						\
	F(7, TEXT, pages)						\
	F(8, TEXT, doi)			/* lower case */		\
	F(9, TEXT, arxiv)						\
	F(10, U64, year)						\
	F(11, U64, source)		/* enum citation_source */	\
	F(12, TEXT, matched_uri)	/* the eprint that it is; empty: none known */ \
	F(13, U64, method)		/* enum citation_method */

/* Who told of it. */
enum citation_source {
	CITATION_FROM_PDF = 1,		/* read from the text of the document */
	CITATION_FROM_GROBID = 2,
	CITATION_FROM_SEMANTIC_SCHOLAR = 3,
};

/* How the eprint that it is was found. */
enum citation_method {
	CITATION_UNMATCHED,
	CITATION_BY_DOI,		/* confidence 1.0 */
	CITATION_BY_TITLE,		/* 0.8 */
};

#define CITATION_ROW_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct citation_row {
	/* the key */
	struct str eprint_uri;
	uint32_t place;			/* from 0 */

	CITATION_ROW_FIELDS(CITATION_ROW_MEMBER)
};

/* "pdf", "grobid", "semantic-scholar"; "unknown" for anything else. */
const char *citation_source_name(uint64_t source);

/* "doi", "title"; "" for anything else. */
const char *citation_method_name(uint64_t method);
unsigned citation_confidence_percent(uint64_t method);

/* Append the key; what all keys of an eprint begin with; the value. */
void citation_row_key(struct buf *to, struct str eprint_uri, uint32_t place);
void citation_row_prefix(struct buf *to, struct str eprint_uri);
void citation_row_encode(struct buf *to, const struct citation_row *row);

/* -1: not a citation. */
int citation_row_decode(struct bytes key, struct bytes value,
    struct citation_row *row_out) BF_MUSTCHECK;

#endif

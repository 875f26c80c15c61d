/*
 * extraction_row.h - what an eprint's citations were taken from.
 *
 * The key is the eprint's AT-URI.  Written with its citations in one commit, also when
 * there are none: so an eprint without such a row was never done, and one whose
 * document and tools are those of its row need not be done again.
 */
#ifndef BF_ROWS_EXTRACTION_ROW_H
#define BF_ROWS_EXTRACTION_ROW_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"

/* F(NUMBER, KIND, member) */
#define EXTRACTION_ROW_FIELDS(F)					\
	F(1, BYTES, document)		/* the CID of the blob */	\
	F(2, TEXT, tools)		/* "pdftotext+crossref" */	\
	F(3, TEXT, version)		/* of the first: "pdftotext version 22.12.0" */ \
	F(4, U64, at_ms)		/* wall clock */		\
	F(5, U64, citations)						\
	F(6, U64, matched)		/* of them to an eprint of the index */

#define EXTRACTION_ROW_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct extraction_row {
	struct str eprint_uri;		/* the key */
	EXTRACTION_ROW_FIELDS(EXTRACTION_ROW_MEMBER)
};

/* Append the value. */
void extraction_row_encode(struct buf *to, const struct extraction_row *row);

/* -1: not an extraction. */
int extraction_row_decode(struct bytes key, struct bytes value,
    struct extraction_row *row_out) BF_MUSTCHECK;

#endif

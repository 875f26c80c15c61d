/*
 * identity_row.h - what a DID document said when it was last read.
 *
 * The key is the DID.  A memory, not an authority: whoever verifies with the key
 * reads the document again when a signature does not fit.
 */
#ifndef BF_ROWS_IDENTITY_ROW_H
#define BF_ROWS_IDENTITY_ROW_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"

/* F(NUMBER, KIND, member) */
#define IDENTITY_ROW_FIELDS(F)						\
	F(1, U64, fetched_ms)		/* wall clock */		\
	F(2, TEXT, pds_url)		/* empty: it names none */	\
	F(3, TEXT, signing_key)		/* multikey: "zQ3sh..."; empty: none */ \
	F(4, TEXT, handle)		/* as it claims; not verified */ \
	F(5, U64, status)		/* enum identity_status */	\
	F(6, BYTES, doc_hash)		/* SHA-256 of the document's bytes */

enum identity_status {
	IDENTITY_OK = 1,
	IDENTITY_TOMBSTONED = 2,	/* the directory says that it is deleted */
	IDENTITY_GONE = 3,		/* there is no document */
};

#define IDENTITY_HASH_BYTES	32

#define IDENTITY_ROW_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct identity_row {
	struct str did;			/* the key */
	IDENTITY_ROW_FIELDS(IDENTITY_ROW_MEMBER)
};

/* "ok", "tombstoned", "gone"; "unknown" for anything else. */
const char *identity_status_name(uint64_t status);

/* Append the value. */
void identity_row_encode(struct buf *to, const struct identity_row *row);

/* -1: not an identity. */
int identity_row_decode(struct bytes key, struct bytes value,
    struct identity_row *row_out) BF_MUSTCHECK;

#endif

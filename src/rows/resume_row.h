/*
 * resume_row.h - from where an operation goes on, for one whose steps leave no other
 * trace in the index.
 *
 * The key is what it works on, as in cursor_row.h.  Written in the transaction of the
 * work itself, so that it never says more or less than what was done; the checkpoint
 * that the supervisor keeps may be older by a moment.
 */
#ifndef BF_ROWS_RESUME_ROW_H
#define BF_ROWS_RESUME_ROW_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"

/* F(NUMBER, KIND, member) */
#define RESUME_ROW_FIELDS(F)						\
	F(1, TEXT, operation)		/* TID: good for this one alone */ \
	F(2, BYTES, checkpoint)		/* opaque */

#define RESUME_ROW_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct resume_row {
	struct str service;		/* the key */
	RESUME_ROW_FIELDS(RESUME_ROW_MEMBER)
};

/* Append the value. */
void resume_row_encode(struct buf *to, const struct resume_row *row);

/* -1: not such a row. */
int resume_row_decode(struct bytes key, struct bytes value,
    struct resume_row *row_out) BF_MUSTCHECK;

#endif

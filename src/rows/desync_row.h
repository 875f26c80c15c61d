/*
 * desync_row.h - a repository that is known to differ from what is indexed of it.
 *
 * The key is the DID.  Written when an event of a firehose tells of a change that it
 * does not prove; goes when the repository was synced.  Whoever reads a firehose may
 * then go on: what is left to do is on disk.
 */
#ifndef BF_ROWS_DESYNC_ROW_H
#define BF_ROWS_DESYNC_ROW_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"

/* F(NUMBER, KIND, member) */
#define DESYNC_ROW_FIELDS(F)						\
	F(1, U64, since_ms)		/* wall clock; or of the last try */ \
	F(2, TEXT, reason)		/* for people */		\
	F(3, TEXT, failed_by)		/* the last operation that synced it in vain */

#define DESYNC_ROW_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct desync_row {
	struct str did;			/* the key */
	DESYNC_ROW_FIELDS(DESYNC_ROW_MEMBER)
};

/* Append the value. */
void desync_row_encode(struct buf *to, const struct desync_row *row);

/* -1: not such a row. */
int desync_row_decode(struct bytes key, struct bytes value,
    struct desync_row *row_out) BF_MUSTCHECK;

#endif

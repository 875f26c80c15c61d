/*
 * cursor_row.h - how far the stream of a service has been read.
 *
 * The key is the service, with its kind in front: "relay https://relay.example".
 */
#ifndef BF_ROWS_CURSOR_ROW_H
#define BF_ROWS_CURSOR_ROW_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"

/* F(NUMBER, KIND, member); times are wall clock. */
#define CURSOR_ROW_FIELDS(F)						\
	F(1, U64, seq)			/* of the last event that was taken in */ \
	F(2, U64, time_ms)		/* that event's own time */	\
	F(3, U64, saved_ms)

#define CURSOR_ROW_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct cursor_row {
	struct str service;		/* the key */
	CURSOR_ROW_FIELDS(CURSOR_ROW_MEMBER)
};

/* Append the key of a relay's firehose: "relay " and its URL as it is configured,
 * without slashes at the end. */
void cursor_row_relay_key(struct buf *to, struct str relay_url);

/* Append the value. */
void cursor_row_encode(struct buf *to, const struct cursor_row *row);

/* -1: not a cursor. */
int cursor_row_decode(struct bytes key, struct bytes value,
    struct cursor_row *row_out) BF_MUSTCHECK;

#endif

/*
 * field.h - a struct described by a table of its fields.
 *
 * A record that has to cross a process or reach the disk is listed once, as an
 * X-macro of rows F(KIND, member).  The struct, and the table that the codecs
 * walk, both come from that list, so the two sides cannot drift apart.
 *
 *	#define POINT_FIELDS(F)  F(U64, x)  F(TEXT, label)
 *	struct point { POINT_FIELDS(FIELD_MEMBER) };
 *	#define ROW(kind, member) FIELD_ROW_OF(struct point, kind, member)
 *	static const struct field point_fields[] = { POINT_FIELDS(ROW) };
 */
#ifndef BF_COMMON_FIELD_H
#define BF_COMMON_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

enum field_kind {
	FIELD_U64,	/* uint64_t */
	FIELD_BOOL,	/* bool */
	FIELD_TEXT,	/* struct str, borrowed */
	FIELD_BYTES,	/* struct bytes, borrowed */
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;		/* of the member in its struct */
};

#define FIELD_TYPE_U64		uint64_t
#define FIELD_TYPE_BOOL		bool
#define FIELD_TYPE_TEXT		struct str
#define FIELD_TYPE_BYTES	struct bytes

#define FIELD_MEMBER(kind, member)	FIELD_TYPE_##kind member;

#define FIELD_ROW_OF(type, kind, member) \
	{ #member, FIELD_##kind, offsetof(type, member) },

/* The member behind a row. */
#define FIELD_AT(ctype, record, field) \
	((ctype *)(void *)((char *)(record) + (field)->offset))
#define FIELD_AT_CONST(ctype, record, field) \
	((const ctype *)(const void *)((const char *)(record) + (field)->offset))

#endif

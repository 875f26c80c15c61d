/*
 * row_table.h - the tables of rows in the index, and what a row is.
 *
 * Beside repositories, the index keeps rows: small facts that operations find
 * out and others need again.  A row is a key and a value, both bytes.  To the
 * store and the indexer a table is a number and its rows are opaque; what they
 * mean is told here, one file per table, for who writes them (workers) and who
 * reads them (workers, API, backfillctl).  Pure: no I/O.
 *
 * A value has the set fields of a struct, as common/fields_codec.h writes them.
 * A row may gain fields at the end, under the next free number; no number is
 * ever used again, and none changes its meaning (docs/store.md).
 *
 * Struct <name>_row has the key and the fields.  Its text points into what it was
 * decoded from.  A decoder takes any bytes: -1 if they are not such a row.
 */
#ifndef BF_ROWS_ROW_TABLE_H
#define BF_ROWS_ROW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"
#include "common/str.h"

/* Who meets servers and DIDs. */
#define ROW_BY_FETCHERS	"catch-up citation-extraction did-sync freshness-scan full-sync " \
	"governance-sync pds-scan"

/* X(NAME, number on disk and on the wire, name, the types of operation that write it) */
#define ROW_TABLES(X)							\
	X(HOST,		1, "host", ROW_BY_FETCHERS)	/* host_row.h */ \
	X(IDENTITY,	2, "identity", ROW_BY_FETCHERS)	/* identity_row.h */ \
	X(CURSOR,	3, "cursor", "catch-up full-sync") /* cursor_row.h */ \
	X(NODE,		4, "node", "governance-sync")	/* node_row.h */ \
	X(EDGE,		5, "edge", "governance-sync")	/* edge_row.h */ \
	X(PENDING_EDGE,	6, "pending_edge", "governance-sync") /* edge_row.h */ \
	X(CITATION,	7, "citation", "citation-extraction") /* citation_row.h */ \
	X(EXTRACTION,	8, "extraction", "citation-extraction") /* extraction_row.h */ \
	X(DESYNC,	9, "desync", "catch-up")	/* desync_row.h */ \
	X(RESUME,	10, "resume", "catch-up")	/* resume_row.h */

enum row_table {
#define X(NAME, number, name, writers) ROW_##NAME = number,
	ROW_TABLES(X)
#undef X
};

/* From here to LIMIT_ROW_TABLES no table is ever ours: they are for the types of an
 * operator's own, which share them. */
#define ROW_OWN_FIRST	128

/*
 * The numbers of the tables that operations of a type, in its kebab spelling, may
 * write: the supervisor tells them to the indexer, which refuses all others.  Reading
 * is free.  is_ours: one of op/op_type.h, not an operator's own.  Returns how many.
 */
size_t row_table_writable(struct str type, bool is_ours,
    uint8_t numbers_out[LIMIT_ROW_TABLES]);

#endif

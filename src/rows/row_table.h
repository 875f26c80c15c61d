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

/* X(NAME, number on disk and on the wire, name) */
#define ROW_TABLES(X)							\
	X(HOST,		1, "host")		/* host_row.h */	\
	X(IDENTITY,	2, "identity")		/* identity_row.h */	\
	X(CURSOR,	3, "cursor")		/* cursor_row.h */	\
	X(NODE,		4, "node")		/* node_row.h */	\
	X(EDGE,		5, "edge")		/* edge_row.h */	\
	X(PENDING_EDGE,	6, "pending_edge")	/* edge_row.h */	\
	X(CITATION,	7, "citation")		/* citation_row.h */	\
	X(EXTRACTION,	8, "extraction")	/* extraction_row.h */	\
	X(DESYNC,	9, "desync")		/* desync_row.h */	\
	X(RESUME,	10, "resume")		/* resume_row.h */

enum row_table {
#define X(NAME, number, name) ROW_##NAME = number,
	ROW_TABLES(X)
#undef X
};

#endif

/*
 * edge_row.h - an edge of the governance graph, in one of two tables.
 *
 * ROW_EDGE has the edges whose ends are both rows of ROW_NODE; ROW_PENDING_EDGE the
 * others, which wait for a node that is not there.  The key is the AT-URI of the
 * edge's record.  Written by governance-sync alone, all nodes and edges in one
 * transaction.
 */
#ifndef BF_ROWS_EDGE_ROW_H
#define BF_ROWS_EDGE_ROW_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"

/* F(NUMBER, KIND, member); all but `absent` as in the record (pub.chive.graph.edge),
 * empty if it has no such field. */
#define EDGE_ROW_FIELDS(F)						\
	F(1, TEXT, id)							\
	F(2, TEXT, source_uri)		/* AT-URIs of nodes */		\
	F(3, TEXT, target_uri)						\
	F(4, TEXT, relation_slug)	/* "broader" */			\
	F(5, TEXT, relation_uri)					\
	F(6, BOOL, has_weight)						\
	F(7, U64, weight)		/* thousandths: 0 to 1000 */	\
	F(8, TEXT, status)		/* "established", "deprecated", ... */ \
	F(9, TEXT, created_at)						\
	F(10, TEXT, updated_at)						\
	F(11, BYTES, cid)		/* of the record, binary */	\
	F(12, U64, absent)		/* of a pending edge: EDGE_LACKS_... */

/* Bits: which end is no node of the graph. */
#define EDGE_LACKS_SOURCE	1
#define EDGE_LACKS_TARGET	2

#define EDGE_ROW_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct edge_row {
	struct str uri;			/* the key */
	EDGE_ROW_FIELDS(EDGE_ROW_MEMBER)
};

/* "source", "target", "both"; "none" of an edge that is not pending. */
const char *edge_absent_name(uint64_t absent);

/* Append the value. */
void edge_row_encode(struct buf *to, const struct edge_row *row);

/* -1: not an edge. */
int edge_row_decode(struct bytes key, struct bytes value, struct edge_row *row_out)
    BF_MUSTCHECK;

#endif

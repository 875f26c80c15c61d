/*
 * node_row.h - a node of the governance graph.
 *
 * The key is the AT-URI of its record, by which edges name it.  Written by
 * governance-sync alone, all nodes and edges in one transaction.  The row has what
 * is needed to show and to walk the graph; other labels, external identifiers and
 * metadata are in the record, which is in the index under the same URI.
 */
#ifndef BF_ROWS_NODE_ROW_H
#define BF_ROWS_NODE_ROW_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"

/* F(NUMBER, KIND, member); all as in the record (pub.chive.graph.node), empty if it
 * has no such field. */
#define NODE_ROW_FIELDS(F)						\
	F(1, TEXT, id)							\
	F(2, TEXT, kind)		/* "type", "object" */		\
	F(3, TEXT, subkind)						\
	F(4, TEXT, subkind_uri)						\
	F(5, TEXT, slug)						\
	F(6, TEXT, label)						\
	F(7, TEXT, description)						\
	F(8, TEXT, status)		/* "established", "deprecated", ... */ \
	F(9, TEXT, deprecated_by)	/* AT-URI of its successor */	\
	F(10, TEXT, created_at)						\
	F(11, TEXT, updated_at)						\
	F(12, BYTES, cid)		/* of the record, binary */

#define NODE_ROW_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct node_row {
	struct str uri;			/* the key */
	NODE_ROW_FIELDS(NODE_ROW_MEMBER)
};

/* Append the value. */
void node_row_encode(struct buf *to, const struct node_row *row);

/* -1: not a node. */
int node_row_decode(struct bytes key, struct bytes value, struct node_row *row_out)
    BF_MUSTCHECK;

#endif

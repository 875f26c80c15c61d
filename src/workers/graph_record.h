/*
 * graph_record.h - records of the governance graph: checked against their lexicons,
 * and read into rows.
 *
 * The rules are those of pub.chive.graph.node and pub.chive.graph.edge (revision 1),
 * one table row per field in graph_record.c: what is required, types, lengths in
 * bytes, ranges, formats.  As lexicons want it, unknown fields are fine and known
 * values are no closed list.  Beyond the lexicon an id may not be empty and an end
 * of an edge has to name a record, since nothing else can ever be a node; and null
 * stands for a field that is not there, as these lexicons' own texts have it.
 *
 * Pure.  Process: workers.
 */
#ifndef BF_WORKERS_GRAPH_RECORD_H
#define BF_WORKERS_GRAPH_RECORD_H

#include "common/attr.h"
#include "common/str.h"
#include "rows/edge_row.h"
#include "rows/node_row.h"

#define GRAPH_FAULT_SIZE	192

/* Why a record is refused: "weight: 1200 is not in 0 to 1000".  Text of the record
 * is never repeated in it. */
struct graph_fault {
	char text[GRAPH_FAULT_SIZE];
};

/*
 * Read a record of this collection, any bytes.  The row's text points into it; uri
 * and cid are left empty.  -1: it is refused.
 */
int graph_record_node(struct bytes record, struct str collection,
    struct node_row *row_out, struct graph_fault *fault) BF_MUSTCHECK;
int graph_record_edge(struct bytes record, struct str collection,
    struct edge_row *row_out, struct graph_fault *fault) BF_MUSTCHECK;

#endif

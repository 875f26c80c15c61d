/*
 * graph_view.h - the governance graph as `backfillctl graph` has it in memory.
 *
 * Rows come table by table in the order of their keys, AT-URIs.  Pure.
 */
#ifndef BF_CTL_GRAPH_VIEW_H
#define BF_CTL_GRAPH_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"
#include "rows/edge_row.h"
#include "rows/node_row.h"
#include "rows/row_table.h"

struct graph_view {
	/* owned; in ascending order of uri.  `kept` holds what their text points to. */
	struct node_row *nodes;
	struct edge_row *edges;		/* with both ends */
	struct edge_row *pending;	/* without */
	size_t nodes_count, edges_count, pending_count;
	size_t nodes_room, edges_room, pending_room;
	uint8_t **kept;
	size_t kept_count, kept_room;

	uint64_t damaged;		/* rows that are none; left out */
};

void graph_view_init(struct graph_view *view);
void graph_view_clear(struct graph_view *view);

/* The next row of ROW_NODE, ROW_EDGE or ROW_PENDING_EDGE; it is copied. */
void graph_view_add(struct graph_view *view, enum row_table table, struct bytes key,
    struct bytes value);

/* By its URI; NULL: it is no node of the graph. */
const struct node_row *graph_view_node(const struct graph_view *view, struct str uri);

/* By its URI or its id. */
const struct node_row *graph_view_find(const struct graph_view *view, struct str name);

/* Keep only the edges that this node is an end of; all nodes stay, for their labels. */
void graph_view_focus(struct graph_view *view, struct str uri);

/* Order edges by source, relation and target, by label where there is one. */
void graph_view_sort_edges(struct graph_view *view);

/* The label of the node, or its URI if there is none. */
struct str graph_view_label(const struct graph_view *view, struct str uri);

#endif

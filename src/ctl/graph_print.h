/*
 * graph_print.h - the governance graph for people, for scripts and for Graphviz.
 */
#ifndef BF_CTL_GRAPH_PRINT_H
#define BF_CTL_GRAPH_PRINT_H

#include <stdbool.h>

#include "common/buf.h"
#include "ctl/graph_view.h"
#include "ctl/term.h"

struct graph_print {
	/* borrowed */
	const struct graph_view *view;
	const struct term *term;
	const struct node_row *node;	/* only this one and its edges; NULL: all */
	bool pending_only;
};

/* Append tables of nodes, edges and pending edges, and how many there are. */
void graph_print_tables(const struct graph_print *print, struct buf *to);

/* Append a line each: {"node": ...}, {"edge": ...}, {"pendingEdge": ...}, and
 * {"counts": ...} at the end. */
void graph_print_json(const struct graph_print *print, struct buf *to);

/* Append a digraph; what is pending is dotted, what is deprecated dashed. */
void graph_print_dot(const struct graph_print *print, struct buf *to);

#endif

/*
 * graph_build.h - the governance graph, made anew from the indexed records.
 *
 *	counting     how many records there are, for the total
 *	nodes        each record is checked and becomes a row of ROW_NODE
 *	edges        likewise: ROW_EDGE if both ends are nodes, else ROW_PENDING_EDGE
 *	committing   all of it in one counted batch
 *
 * Rows that are no longer in the records are deleted, those that are as they were
 * count as nothing.  So a reader sees the graph before or after, and the graph of an
 * unchanged repository changes nothing.
 *
 * Records come in pages and in order of path, which is the order of the rows' keys.
 * Behind each page the rows between its first and its last key are read, and those
 * without a record deleted: a page is all that is held, beside one graph_set.h.
 *
 * Records and rows are read while others may write.  The graph is made of one
 * revision: the repository is looked at before and behind, and if it has changed, all
 * is thrown away and begun again, a few times.
 *
 * A node is what the governance account has in the node collection; a record of any
 * other repository is none, so an edge to it is pending.  Process: workers.
 */
#ifndef BF_WORKERS_GRAPH_BUILD_H
#define BF_WORKERS_GRAPH_BUILD_H

#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

struct graph_build;
struct records_link;

struct graph_counts {
	uint64_t processed;	/* records; those refused too */
	uint64_t total;		/* at most so many; exact when it is done */
	uint64_t refused;	/* each told by on_refused */
	uint64_t nodes, edges, pending;		/* rows */
	/* Fine, but worth a word. */
	uint64_t loops;		/* edges of a node to itself; some relations are reflexive */
	uint64_t lost_heirs;	/* deprecatedBy names no node */
};

#define GRAPH_CLASS_SIZE	48

struct graph_outcome {
	struct graph_counts counts;
	/*
	 * Empty: it is on disk.  Else the graph is as it was:
	 * "invalid"	there are records, and all of them are refused
	 * "too-large"	more than max_nodes or max_edges
	 * "busy"	the repository changed each time
	 * or the indexer's own
	 */
	char error_class[GRAPH_CLASS_SIZE];
	char error_text[ERR_TEXT_SIZE];
};

struct graph_events {
	/* stage: "counting", "nodes", "edges" or "committing" */
	void (*on_progress)(const char *stage, const struct graph_counts *counts,
	    void *arg);
	/* A record that is not in the graph, in the order of path, nodes first.  A build
	 * that begins again tells them again, from the first: `number` starts with 1. */
	void (*on_refused)(uint64_t number, struct str uri, const char *why, void *arg);
	/* The end; not from inside graph_build_start(). */
	void (*on_done)(const struct graph_outcome *outcome, void *arg);
};

struct graph_order {
	/* borrowed for the life of the build */
	struct str did, node_collection, edge_collection;
	uint64_t max_nodes, max_edges;	/* records; LIMIT_GRAPH_NODES and _EDGES */
};

/* Begin.  link and events are borrowed. */
struct graph_build *graph_build_start(struct records_link *link,
    const struct graph_order *order, const struct graph_events *events, void *arg);

/* Also stops it, whatever it is doing; a commit that was sent may be on disk.  Not
 * from inside an event.  NULL is fine. */
void graph_build_free(struct graph_build **build);

#endif

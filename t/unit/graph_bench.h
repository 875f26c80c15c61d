/*
 * graph_bench.h - everything around one struct graph_build, on one loop: a fake indexer
 * with the governance account's records, and what the build told.
 */
#ifndef BF_T_GRAPH_BENCH_H
#define BF_T_GRAPH_BENCH_H

#include "t/unit/unit.h"

#include "rows/edge_row.h"
#include "rows/node_row.h"
#include "rows/row_table.h"
#include "t/unit/fake_indexer.h"
#include "workers/graph_build.h"
#include "workers/records_link.h"

#define DID		"did:web:gov.example"
#define NODE		"pub.chive.graph.node"
#define EDGE		"pub.chive.graph.edge"
#define COMMON		"\"status\":\"established\",\"createdAt\":\"2026-01-02T03:04:05Z\""

struct graph_bench {
	struct ev_loop *loop;
	struct fake_indexer indexer;
	struct records_link *link;
	struct ev_timer deadline;
	struct graph_order order;
	struct fake_repo *repo;
	struct graph_build *build;

	/* what was told */
	struct graph_outcome outcome;
	unsigned dones, gone;
	uint64_t last_number;
	char refused[512];		/* "PATH why; " of the last build */
	char stages[256];
	/* knobs */
	unsigned changes_left;		/* at so many ends of the edges the repo changes */
};

/* Of cmocka. */
int graph_bench_set_up(void **state);
int graph_bench_tear_down(void **state);

/* Into the index.  `more` is JSON behind a node's other members. */
void graph_bench_put_json(struct graph_bench *bench, const char *collection,
    const char *rkey, const char *json);
void graph_bench_put_node(struct graph_bench *bench, const char *rkey, const char *id,
    const char *more);
void graph_bench_put_edge(struct graph_bench *bench, const char *rkey,
    const char *source, const char *target);
void graph_bench_drop(struct graph_bench *bench, const char *path);

/* What the bench listens with, for a build of the test's own. */
extern const struct graph_events graph_bench_events;

/* Make the graph; the class of what went wrong, or "". */
const char *graph_bench_build(struct graph_bench *bench);

/* The row of a record's path, or NULL. */
const struct fake_row *graph_bench_row(struct graph_bench *bench, enum row_table table,
    const char *path);
/* There are so many, and the build has counted as many. */
void graph_bench_expect_rows(struct graph_bench *bench, size_t nodes, size_t edges,
    size_t pending);
/* Since the last time. */
void graph_bench_expect_changes(struct graph_bench *bench, uint64_t created,
    uint64_t updated, uint64_t deleted);

#endif

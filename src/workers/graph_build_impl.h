/*
 * graph_build_impl.h - the inside of graph_build.h: graph_build.c goes from step to
 * step, graph_page.c takes the records and the rows of one page.
 */
#ifndef BF_WORKERS_GRAPH_BUILD_IMPL_H
#define BF_WORKERS_GRAPH_BUILD_IMPL_H

#include <stdbool.h>

#include "common/attr.h"
#include "common/buf.h"
#include "common/limits.h"
#include "rows/row_table.h"
#include "workers/graph_build.h"
#include "workers/graph_set.h"
#include "workers/rows_link.h"

#define GRAPH_PAGE	100	/* records; some 0.2 MB of them, at most 100 MB */

enum graph_step {
	GRAPH_NODES,
	GRAPH_EDGES,
};

/* What a page has put: the keys of rows, in order. */
struct graph_key {
	size_t at, len;		/* in `keys` */
	enum row_table table;
};

struct graph_build {
	/* borrowed, outlive us */
	struct records_link *link;
	struct graph_order order;
	const struct graph_events *events;
	void *arg;
	/* owned; NULL when not under way */
	struct link_question *question;
	struct rows_batch *batch;

	enum graph_step step;
	struct graph_set set;
	uint64_t *heirs;		/* owned: digests that deprecatedBy names */
	size_t heirs_count, heirs_room;
	uint64_t total;			/* as the index counts */
	struct graph_counts counts;
	uint64_t nodes_seen, edges_seen;	/* records */
	bool is_too_large;

	/* the repository as it was before */
	char rev[LIMIT_REV_BYTES + 1];
	uint64_t records;
	unsigned attempts;

	/* the page */
	struct buf after;		/* owned: path of its last record; or of the one before */
	struct buf keys;		/* owned: keys one behind the other */
	struct graph_key page[GRAPH_PAGE];
	size_t page_keys, page_records;
	struct buf last_uri;		/* owned: of its last record */

	/* the rows of the page */
	struct buf swept;		/* owned: rows are read behind this key */
	struct buf page_start;		/* owned: where that begins for each table */
	unsigned tables_swept;		/* of the step's */
	size_t rows_came, key_at;
	bool is_swept;			/* the table, as far as the page goes */

	struct buf uri, value;		/* owned: of one record */
	void (*resume)(struct graph_build *build);	/* when there is room */
	struct graph_outcome outcome;
};

/* --- graph_build.c --- */

/* The end without a graph. */
void graph_fail(struct graph_build *build, const char *class, const char *fmt, ...)
    BF_PRINTF(3, 4);

/* The same, by the indexer's word. */
void graph_fail_refused(struct graph_build *build, struct str class, struct str text);

/* Run `next` now or, if the channel is full, when it is not. */
void graph_when_room(struct graph_build *build, void (*next)(struct graph_build *));

/* The step's last page is done. */
void graph_step_done(struct graph_build *build);

/* --- graph_page.c --- */

/* From the first record of build->step on, page by page. */
void graph_pages_begin(struct graph_build *build);

#endif

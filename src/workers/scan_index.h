/*
 * scan_index.h - a scan's source: the repositories that the index knows.
 */
#ifndef BF_WORKERS_SCAN_INDEX_H
#define BF_WORKERS_SCAN_INDEX_H

#include "workers/rows_link.h"
#include "workers/scan.h"

enum scan_index_verdict {
	SCAN_INDEX_TAKE,
	SCAN_INDEX_PASS,	/* not this one */
	SCAN_INDEX_END,		/* nor any behind it */
};

struct scan_index {
	enum repos_order order;
	/* May mark what it takes: it is asked once for each in every attempt. */
	enum scan_index_verdict (*judge)(struct scan *scan, const struct msg_repo *repo);
	struct scan_order sync;		/* how what is taken is synced */
};

/* index is borrowed; name is that of the source. */
void scan_index_add(struct scan *scan, const struct scan_index *index, const char *name);

/* Count what such a source would take, beside the work, and scan_set_total() it.
 * The number of handled ones before it is added. */
struct index_count;
struct index_count *index_count_start(struct scan *scan, const struct scan_index *index);
void index_count_cancel(struct index_count **count);	/* NULL is fine */

#endif

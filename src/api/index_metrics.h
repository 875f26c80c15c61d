/*
 * index_metrics.h - what records/ tells for /metrics: how much is indexed, and how the
 * servers stand that it comes from.
 *
 * The table of hosts is read through for each scrape; LIMIT_FETCH_HOSTS bounds it.
 */
#ifndef BF_API_INDEX_METRICS_H
#define BF_API_INDEX_METRICS_H

#include <stdbool.h>

#include "common/buf.h"

struct records;

/* Nothing is written, and false returned, if it cannot be read now. */
bool index_metrics_write(struct records *records, struct buf *to);

#endif

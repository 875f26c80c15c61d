/*
 * scan_retry.h - a scan's source: the failed items of an earlier operation.
 */
#ifndef BF_WORKERS_SCAN_RETRY_H
#define BF_WORKERS_SCAN_RETRY_H

#include "workers/scan.h"

#define SCAN_RETRY_NAME	"retry"

/* The source of the repositories among the items; false if there are none. */
bool scan_retry_add(struct scan *scan, const struct scan_order *order);

/*
 * For the next() of a kind, first of all: true if this is a retry.  Then the
 * source is made, once, and there are no others.
 */
bool scan_retry_next(struct scan *scan, const struct scan_order *order);

#endif

/*
 * store_figures.h - how large a store is and who reads it, for metrics.
 */
#ifndef BF_STORE_STORE_FIGURES_H
#define BF_STORE_STORE_FIGURES_H

#include <stdint.h>

#include "common/attr.h"

struct ops;
struct records;

struct store_figures {
	uint64_t map_bytes;		/* address space: the most that it can grow to */
	uint64_t used_bytes;		/* of the file; pages that are free again included */
	uint64_t readers;		/* slots that were in use together, at most */
	uint64_t readers_most;
};

/* -1 if LMDB does not tell. */
int ops_figures(struct ops *ops, struct store_figures *figures_out) BF_MUSTCHECK;
int records_figures(struct records *records, struct store_figures *figures_out)
    BF_MUSTCHECK;

#endif

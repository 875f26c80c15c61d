/*
 * null_items.h - items that null-op could not do, and those that it is to do again.
 */
#ifndef BF_T_WORKERS_NULL_ITEMS_H
#define BF_T_WORKERS_NULL_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

struct worker;

void null_items(struct worker *worker);		/* more than are kept */
void null_items_dids(struct worker *worker);

/* If the operation is a retry, log its items and count them. */
bool null_retry(struct worker *worker, uint64_t *count_out);

/* Says two items to have failed, and a checkpoint between them; in an attempt that has
 * one, that they work: true. */
bool null_item_works(struct worker *worker);

/* Log the names of all variables. */
void null_environment(struct worker *worker);

/* Log how many temporary files there are to write to. */
void null_spill_files(struct worker *worker);

/* It may start processes, as a type in another language can. */
struct confine;
struct settings;
void null_confine(struct confine *confine, const struct settings *settings);

#endif

/*
 * item_sets.h - which items of an operation are kept in which row, in memory, so that
 * adding one need not read all of them.
 *
 * Only hashes: a hit says where to look, and the row itself whether it is so; a row
 * that a transaction took back again is then simply not found.  Of the operations that
 * were asked for last so many are remembered; the others are read once more when their
 * turn comes.  Pure.
 */
#ifndef BF_STORE_ITEM_SETS_H
#define BF_STORE_ITEM_SETS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"
#include "common/tid.h"

#define ITEM_SETS	64	/* operations; 8 KiB each with all the items that are kept */

struct item_set {
	char id[TID_SIZE];	/* the operation; "" */
	uint64_t *hashes;	/* by row; 0: none; owned */
	uint32_t room;
	uint64_t asked;		/* when; larger is later */
};

struct item_sets {
	struct item_set sets[ITEM_SETS];
	uint64_t asked;
};

void item_sets_clear(struct item_sets *sets);	/* all 0 is an empty one */

/* The set of the operation; is_new_out: it is empty, and has to be filled from the
 * store. */
struct item_set *item_sets_get(struct item_sets *sets, struct str id, bool *is_new_out);

/* It is not to be relied on: filling it failed. */
void item_set_forget(struct item_set *set);

/* The row, below LIMIT_OP_ITEMS, has this item now. */
void item_set_put(struct item_set *set, uint32_t row, struct str item);

/* The first row from this one on that may have the item; false: none has. */
bool item_set_find(const struct item_set *set, struct str item, uint32_t from,
    uint32_t *row_out);

#endif

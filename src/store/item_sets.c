#include "store/item_sets.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

#define ROOM_FIRST	16

/* FNV-1a, 64 bits, never 0. */
static uint64_t
hash_of(struct str item)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < item.len; i++)
		hash = (hash ^ (uint8_t)item.ptr[i]) * UINT64_C(0x100000001b3);
	return hash != 0 ? hash : 1;
}

void
item_sets_clear(struct item_sets *sets)
{
	for (size_t i = 0; i < ITEM_SETS; i++)
		free(sets->sets[i].hashes);
	*sets = (struct item_sets){ 0 };
}

struct item_set *
item_sets_get(struct item_sets *sets, struct str id, bool *is_new_out)
{
	struct item_set *oldest = &sets->sets[0];

	*is_new_out = false;
	for (size_t i = 0; i < ITEM_SETS; i++) {
		struct item_set *set = &sets->sets[i];

		if (set->id[0] != '\0' && str_eq(id, str_from(set->id))) {
			set->asked = ++sets->asked;
			return set;
		}
		if (set->asked < oldest->asked)
			oldest = set;
	}
	item_set_forget(oldest);
	(void)str_copy(oldest->id, sizeof(oldest->id), id);
	oldest->asked = ++sets->asked;
	*is_new_out = true;
	return oldest;
}

void
item_set_forget(struct item_set *set)
{
	free(set->hashes);
	*set = (struct item_set){ 0 };
}

void
item_set_put(struct item_set *set, uint32_t row, struct str item)
{
	uint32_t room = set->room > 0 ? set->room : ROOM_FIRST;

	if (row >= LIMIT_OP_ITEMS)
		return;
	while (room <= row)
		room *= 2;
	if (room > set->room) {
		set->hashes = xrealloc(set->hashes, room * sizeof(*set->hashes));
		memset(set->hashes + set->room, 0,
		    (room - set->room) * sizeof(*set->hashes));
		set->room = room;
	}
	set->hashes[row] = hash_of(item);
}

bool
item_set_find(const struct item_set *set, struct str item, uint32_t from,
    uint32_t *row_out)
{
	uint64_t hash = hash_of(item);

	for (uint32_t row = from; row < set->room; row++) {
		if (set->hashes[row] == hash) {
			*row_out = row;
			return true;
		}
	}
	return false;
}

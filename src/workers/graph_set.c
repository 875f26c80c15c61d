#include "workers/graph_set.h"

#include <stdlib.h>
#include <string.h>

#include "atproto/sha256.h"
#include "common/mem.h"

#define FIRST_SLOTS	1024

void
graph_set_init(struct graph_set *set)
{
	*set = (struct graph_set){ .size = FIRST_SLOTS };
	set->slots = xcalloc(set->size, sizeof(*set->slots));
	set->sha = sha256_new();
	arc4random_buf(set->salt, sizeof(set->salt));
}

void
graph_set_clear(struct graph_set *set)
{
	free(set->slots);
	if (set->sha != NULL)
		sha256_free(&set->sha);
	*set = (struct graph_set){ 0 };
}

uint64_t
graph_set_digest(struct graph_set *set, enum graph_member kind, struct str text)
{
	uint8_t bytes[SHA256_BYTES], kind_byte = (uint8_t)kind;
	uint64_t digest;

	sha256_begin(set->sha);
	sha256_add(set->sha, (struct bytes){ set->salt, sizeof(set->salt) });
	sha256_add(set->sha, (struct bytes){ &kind_byte, 1 });
	sha256_add(set->sha, (struct bytes){ (const uint8_t *)text.ptr, text.len });
	sha256_end(set->sha, bytes);
	memcpy(&digest, bytes, sizeof(digest));
	return digest != 0 ? digest : 1;
}

/* Where it is, or the free slot where it would be. */
static uint64_t *
find_slot(const struct graph_set *set, uint64_t digest)
{
	size_t at = digest & (set->size - 1);

	while (set->slots[at] != 0 && set->slots[at] != digest)
		at = (at + 1) & (set->size - 1);
	return &set->slots[at];
}

bool
graph_set_has(const struct graph_set *set, uint64_t digest)
{
	return *find_slot(set, digest) == digest;
}

static void
grow(struct graph_set *set)
{
	uint64_t *old = set->slots;
	size_t old_size = set->size;

	set->size *= 2;
	set->slots = xcalloc(set->size, sizeof(*set->slots));
	for (size_t i = 0; i < old_size; i++)
		if (old[i] != 0)
			*find_slot(set, old[i]) = old[i];
	free(old);
}

bool
graph_set_add(struct graph_set *set, uint64_t digest)
{
	uint64_t *slot = find_slot(set, digest);

	if (*slot == digest)
		return false;
	*slot = digest;
	if (++set->count > set->size / 4 * 3)
		grow(set);
	return true;
}

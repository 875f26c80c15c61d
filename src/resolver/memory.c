#include "resolver/memory.h"

#include <search.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/limits.h"
#include "common/mem.h"

#define REFRESH_PAUSE_MS	60000

struct known {
	struct str did;			/* owned */
	struct answer answer;		/* owned */
	int64_t until_ms;
	bool was_refreshed;
	int64_t refreshed_ms;		/* if it was */
	TAILQ_ENTRY(known) by_use;
};

struct memory {
	/* A balanced tree: who chooses DIDs cannot make it slow, as with hashes. */
	void *by_did;			/* of struct known, owned */
	TAILQ_HEAD(known_list, known) by_use;	/* the least recently used first */
	size_t count;
};

static int
compare(const void *a, const void *b)
{
	return str_cmp(((const struct known *)a)->did, ((const struct known *)b)->did);
}

struct memory *
memory_new(void)
{
	struct memory *memory = xcalloc(1, sizeof(*memory));

	TAILQ_INIT(&memory->by_use);
	return memory;
}

static void
forget(struct memory *memory, struct known *known)
{
	(void)tdelete(known, &memory->by_did, compare);
	TAILQ_REMOVE(&memory->by_use, known, by_use);
	memory->count--;
	answer_clear(&known->answer);
	free((void *)(uintptr_t)known->did.ptr);
	free(known);
}

void
memory_free(struct memory **memory)
{
	struct known *known;

	if (*memory == NULL)
		return;
	while ((known = TAILQ_FIRST(&(*memory)->by_use)) != NULL)
		forget(*memory, known);
	free(*memory);
	*memory = NULL;
}

static struct known *
find(struct memory *memory, struct str did)
{
	struct known key = { .did = did };
	struct known *const *found = tfind(&key, &memory->by_did, compare);

	return found != NULL ? *found : NULL;
}

const struct answer *
memory_find(struct memory *memory, struct str did, int64_t now_ms)
{
	struct known *known = find(memory, did);

	if (known == NULL || known->until_ms <= now_ms)
		return NULL;
	TAILQ_REMOVE(&memory->by_use, known, by_use);
	TAILQ_INSERT_TAIL(&memory->by_use, known, by_use);
	return &known->answer;
}

static struct known *
add(struct memory *memory, struct str did)
{
	struct known *known = xcalloc(1, sizeof(*known));

	if (memory->count == LIMIT_IDENTITIES)
		forget(memory, TAILQ_FIRST(&memory->by_use));
	known->did = (struct str){ xstrndup(did.ptr, did.len), did.len };
	TAILQ_INSERT_TAIL(&memory->by_use, known, by_use);
	memory->count++;
	if (tsearch(known, &memory->by_did, compare) == NULL)
		abort();	/* out of memory, as in mem.h */
	return known;
}

void
memory_put(struct memory *memory, struct str did, struct answer *answer,
    int64_t now_ms)
{
	struct known *known = find(memory, did);

	if (known == NULL)
		known = add(memory, did);
	answer_clear(&known->answer);
	known->answer = *answer;
	*answer = (struct answer){ 0 };
	known->until_ms = now_ms + answer_lifetime_ms(&known->answer);
}

bool
memory_may_refresh(struct memory *memory, struct str did, int64_t now_ms)
{
	struct known *known = find(memory, did);

	if (known == NULL)
		return true;
	if (known->was_refreshed && now_ms - known->refreshed_ms < REFRESH_PAUSE_MS)
		return false;
	known->was_refreshed = true;
	known->refreshed_ms = now_ms;
	return true;
}

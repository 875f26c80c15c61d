#include "api/replay.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "atproto/sha256.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

#define SLOTS	512	/* a second each; more than a token's life */

struct used {
	uint8_t id[SHA256_BYTES];	/* of issuer and nonce */
	SLIST_ENTRY(used) entry;
};

SLIST_HEAD(used_list, used);

struct replay {
	struct sha256 *sha;		/* owned */
	void *by_id;			/* tree of struct used, owned */
	struct used_list by_exp[SLOTS];	/* slot: expiry modulo SLOTS */
	int64_t swept_secs;		/* those that expired before are gone */
	size_t count;
};

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct used *)a)->id, ((const struct used *)b)->id,
	    SHA256_BYTES);
}

struct replay *
replay_new(void)
{
	struct replay *replay = xcalloc(1, sizeof(*replay));

	static_assert(SLOTS > LIMIT_JWT_LIFE_SECS + 1, "a slot holds one second");
	replay->sha = sha256_new();
	return replay;
}

static void
sweep_slot(struct replay *replay, struct used_list *slot)
{
	struct used *used;

	while ((used = SLIST_FIRST(slot)) != NULL) {
		SLIST_REMOVE_HEAD(slot, entry);
		(void)tdelete(used, &replay->by_id, compare);
		replay->count--;
		free(used);
	}
}

void
replay_free(struct replay **replay)
{
	if (*replay == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		sweep_slot(*replay, &(*replay)->by_exp[i]);
	sha256_free(&(*replay)->sha);
	free(*replay);
	*replay = NULL;
}

/* A clock that is set back finds nothing to sweep for a while, which is safe. */
static void
sweep(struct replay *replay, int64_t now_secs)
{
	if (now_secs - replay->swept_secs > SLOTS)
		replay->swept_secs = now_secs - SLOTS;
	for (; replay->swept_secs < now_secs; replay->swept_secs++)
		sweep_slot(replay, &replay->by_exp[replay->swept_secs % SLOTS]);
}

static void
name(struct replay *replay, struct str iss, struct str jti, uint8_t id_out[SHA256_BYTES])
{
	struct buf text = BUF_INIT;

	/* No DID has a blank in it, so no two pairs give the same text. */
	buf_printf(&text, "%.*s %.*s", STR_FMT(iss), STR_FMT(jti));
	sha256_digest(replay->sha, buf_bytes(&text), id_out);
	buf_clear(&text);
}

enum replay_result
replay_use(struct replay *replay, struct str iss, struct str jti, int64_t exp_secs,
    int64_t now_secs)
{
	struct used *used, key;

	sweep(replay, now_secs);
	name(replay, iss, jti, key.id);
	if (tfind(&key, &replay->by_id, compare) != NULL)
		return REPLAY_SEEN;
	if (replay->count == LIMIT_TOKENS_USED)
		return REPLAY_FULL;
	used = xcalloc(1, sizeof(*used));
	*used = key;
	if (tsearch(used, &replay->by_id, compare) == NULL)
		abort();	/* out of memory, as in mem.h */
	SLIST_INSERT_HEAD(&replay->by_exp[exp_secs % SLOTS], used, entry);
	replay->count++;
	return REPLAY_NEW;
}

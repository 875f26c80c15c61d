/*
 * memory.h - the answers that are still believed.
 *
 * At most LIMIT_IDENTITIES; the one that was asked for longest ago goes.  Pure:
 * the time is passed in, in ms of a clock that never goes back.
 */
#ifndef BF_RESOLVER_MEMORY_H
#define BF_RESOLVER_MEMORY_H

#include <stdbool.h>

#include "resolver/answer.h"

struct memory;

struct memory *memory_new(void);
void memory_free(struct memory **memory);

/* NULL if nothing is known, or no longer.  Borrowed until the next put. */
const struct answer *memory_find(struct memory *memory, struct str did,
    int64_t now_ms);

/* Takes over what answer points to. */
void memory_put(struct memory *memory, struct str did, struct answer *answer,
    int64_t now_ms);

/*
 * May a known DID be resolved again before its time, since a signature was not
 * its key's?  At most once a minute, or anybody could have us ask the directory
 * as often as they like.  Counts as done when it says yes.
 */
bool memory_may_refresh(struct memory *memory, struct str did, int64_t now_ms);

#endif

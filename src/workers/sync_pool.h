/*
 * sync_pool.h - many repositories at once, without one host in the way of others.
 *
 * An order is one DID.  It waits in the line of its host, runs in a slot as a
 * struct sync_repo, and ends in one call of on_outcome().  There are as many slots
 * as spill files, so that the memory of all is bounded.
 *
 *	fairness     hosts take turns; of the slots one host gets at most half
 *	waiting      a host that asks for a pause or does not answer gets no slot
 *	             until that is over; whatever is ordered from it waits in line
 *	probing      behind a failure one order at a time finds out how the host does
 *	giving up    a host of which nothing has come for host_patience_ms (of one
 *	             that only says 429: rate_limit_patience_ms) is given up: all that
 *	             is ordered from it ends at once, as rate-limited or unreachable
 *
 * The directory is treated as such a host too; while it pauses, nothing starts.
 * Process: workers that have a list to work through.
 */
#ifndef BF_WORKERS_SYNC_POOL_H
#define BF_WORKERS_SYNC_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attr.h"
#include "common/str.h"
#include "workers/sync_repo.h"

struct sync_env;
struct sync_pool;

struct sync_pool_order {
	struct str did;			/* copied */
	struct str pds;			/* origin where it was last; may be empty; copied */
	/* as in struct sync_order */
	bool is_forced, wants_fresh_document, accepts_older;
	void *item;			/* the caller's; comes back with the outcome */
};

struct sync_pool_events {
	/* The order has ended, for good; the outcome is borrowed. */
	void (*on_outcome)(struct sync_pool *pool, void *item,
	    const struct sync_outcome *outcome, void *arg);
	/* A record is refused and not in the index. */
	void (*on_bad_record)(struct sync_pool *pool, struct str did, struct str path,
	    const struct fault *fault, void *arg);
	/* Something worth a line in the operation's history. */
	void (*on_note)(struct sync_pool *pool, struct str did, const char *text,
	    void *arg);
};

/*
 * env and events are borrowed, the spill files too; without one (count 0) there is
 * one slot, bounded to the memory.  Prepare env with sync_env_share().
 * Callbacks come from the loop, never from inside a call, and may add orders.
 */
struct sync_pool *sync_pool_new(const struct sync_env *env, const int *spill_fds,
    unsigned count, const struct sync_pool_events *events, void *arg);

/* Cancels all without a word. */
void sync_pool_free(struct sync_pool **pool);

/* Up to LIMIT_POOL_ORDERS; beyond, wait for an outcome. */
bool sync_pool_has_room(const struct sync_pool *pool);
void sync_pool_add(struct sync_pool *pool, const struct sync_pool_order *order);

/* Start no order any more; tell when none runs.  What has not ended is still to be
 * freed with the pool.  Never calls back from inside. */
typedef void sync_pool_rest_cb(void *arg);
void sync_pool_rest(struct sync_pool *pool, sync_pool_rest_cb *on_rest, void *arg);

/* Orders that have not ended. */
size_t sync_pool_count(const struct sync_pool *pool);

/* The repository that is at work now, for a progress line; or NULL. */
const struct sync_progress *sync_pool_progress(const struct sync_pool *pool);

#endif

/*
 * pool_host.h - what a pool of syncs makes of how a host behaves.
 *
 * polite.h spaces the requests to a host; this says which orders are worth a slot.
 * Pure: the time is passed in, in ms of a clock that never goes back.
 * Process: workers; called by sync_pool.c.
 */
#ifndef BF_WORKERS_POOL_HOST_H
#define BF_WORKERS_POOL_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "workers/sync_repo.h"

struct settings;

/* All zero: a host of which nothing bad is known. */
struct pool_host {
	unsigned failures;		/* in a row, since the last answer */
	int64_t bad_since_ms;		/* the first of them */
	int64_t pause_until_ms;
	bool is_given_up;		/* nobody is to be sent there any more */
	char class[SYNC_CLASS_SIZE];	/* of the last failure, and why */
	char text[ERR_TEXT_SIZE];
};

/* Learn from how a sync ended that had asked this host last. */
void pool_host_learn(struct pool_host *host, const struct sync_outcome *outcome,
    const struct settings *settings, int64_t now_ms);

static inline bool
pool_host_is_in_trouble(const struct pool_host *host)
{
	return host->failures > 0;
}

/* 0: somebody may be sent there now. */
static inline int64_t
pool_host_wait_ms(const struct pool_host *host, int64_t now_ms)
{
	return now_ms < host->pause_until_ms ? host->pause_until_ms - now_ms : 0;
}

#endif

#include "api/throttle.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/limits.h"
#include "common/mem.h"

#define MINUTE_MS	60000

struct site {
	struct address address;
	/* When all its failures are forgiven: each puts it off by a share of a
	 * minute. */
	int64_t clear_ms;
	TAILQ_ENTRY(site) by_use;
};

struct throttle {
	void *by_address;		/* tree of struct site, owned */
	TAILQ_HEAD(, site) by_use;	/* failed longest ago first */
	size_t count;
};

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct site *)a)->address.bytes,
	    ((const struct site *)b)->address.bytes, sizeof(struct address));
}

struct throttle *
throttle_new(void)
{
	struct throttle *throttle = xcalloc(1, sizeof(*throttle));

	TAILQ_INIT(&throttle->by_use);
	return throttle;
}

static void
forget(struct throttle *throttle, struct site *site)
{
	(void)tdelete(site, &throttle->by_address, compare);
	TAILQ_REMOVE(&throttle->by_use, site, by_use);
	throttle->count--;
	free(site);
}

void
throttle_free(struct throttle **throttle)
{
	struct site *site;

	if (*throttle == NULL)
		return;
	while ((site = TAILQ_FIRST(&(*throttle)->by_use)) != NULL)
		forget(*throttle, site);
	free(*throttle);
	*throttle = NULL;
}

static struct site *
find(struct throttle *throttle, const struct address *address)
{
	struct site key = { .address = address_site(address) };
	struct site *const *found = tfind(&key, &throttle->by_address, compare);

	return found != NULL ? *found : NULL;
}

static struct site *
add(struct throttle *throttle, const struct address *address)
{
	struct site *site = xcalloc(1, sizeof(*site));

	if (throttle->count == LIMIT_THROTTLED_SITES)
		forget(throttle, TAILQ_FIRST(&throttle->by_use));
	site->address = address_site(address);
	TAILQ_INSERT_TAIL(&throttle->by_use, site, by_use);
	throttle->count++;
	if (tsearch(site, &throttle->by_address, compare) == NULL)
		abort();	/* out of memory, as in mem.h */
	return site;
}

unsigned
throttle_wait_secs(struct throttle *throttle, const struct address *address,
    unsigned per_minute, int64_t now_ms)
{
	const struct site *site = find(throttle, address);
	int64_t share_ms = MINUTE_MS / per_minute;
	int64_t over_ms;

	if (site == NULL)
		return 0;
	over_ms = site->clear_ms - now_ms - (int64_t)(per_minute - 1) * share_ms;
	return over_ms > 0 ? (unsigned)((over_ms + 999) / 1000) : 0;
}

void
throttle_count(struct throttle *throttle, const struct address *address,
    unsigned per_minute, int64_t now_ms)
{
	struct site *site = find(throttle, address);

	if (site == NULL)
		site = add(throttle, address);
	TAILQ_REMOVE(&throttle->by_use, site, by_use);
	TAILQ_INSERT_TAIL(&throttle->by_use, site, by_use);
	if (site->clear_ms < now_ms)
		site->clear_ms = now_ms;
	site->clear_ms += MINUTE_MS / per_minute;
}

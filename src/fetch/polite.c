#include "fetch/polite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/str.h"
#include "fetch/url.h"

#define BUCKETS		256		/* of the hash table of hosts */

#define RATE_DEFAULT	5.0		/* requests/s: small servers are the rule */
#define RATE_MIN	0.05		/* never learn less: one in 20 s */
#define BURST_DEFAULT	10.0
#define PER_HOST_DEFAULT 4		/* "up to a handful" */
#define BULK_DEFAULT	1
#define CLIMB		0.02		/* of the full rate, per good answer */

#define BACKOFF_MS	1000
#define BACKOFF_MAX_MS	(5 * 60 * 1000)
#define PARK_FAILURES	5		/* in a row, then the host is parked */
#define PARK_MS		(60 * 1000)	/* doubles with each failed probe */
#define PARK_MAX_MS	LIMIT_FETCH_RETRY_AFTER_MAX_MS	/* no pause is longer */

/* Hosts that publish what they bear. */
static const struct known {
	struct str suffix;
	double requests_per_s, burst;
	unsigned bulk;
} known[] = {
	/* 3000 requests in 5 min over all routes, getRepo apart (its operator). */
	{ { ".host.bsky.network:443", 22 }, 10, 50, 4 },
};

struct polite_host {
	TAILQ_ENTRY(polite_host) link;		/* in a bucket */
	struct polite *polite;			/* borrowed */
	char origin[URL_ORIGIN_SIZE];
	unsigned holders;

	double rate_full;	/* requests/s when all goes well */
	double rate;		/* learned; RATE_MIN..rate_full */
	double burst;
	double tokens;		/* at filled_ms */
	int64_t filled_ms;

	unsigned active, active_max;
	unsigned bulk, bulk_max;

	unsigned failures;	/* in a row: nothing came, or a 5xx */
	unsigned refusals;	/* in a row: 429 without a word how long */
	enum fetch_class failed_as;	/* the last request; FETCH_OK: it went well */
	int64_t pause_until_ms;
};

TAILQ_HEAD(host_list, polite_host);

struct polite {
	struct polite_options options;
	struct host_list buckets[BUCKETS];
	unsigned count;
};

struct polite *
polite_new(const struct polite_options *options)
{
	struct polite *polite = xcalloc(1, sizeof(*polite));
	struct polite_options *o = &polite->options;

	*o = *options;
	if (o->requests_per_s <= 0)
		o->requests_per_s = RATE_DEFAULT;
	if (o->burst < 1)
		o->burst = BURST_DEFAULT;
	if (o->per_host_max == 0)
		o->per_host_max = PER_HOST_DEFAULT;
	if (o->bulk_per_host_max == 0)
		o->bulk_per_host_max = BULK_DEFAULT;
	if (o->backoff_ms <= 0)
		o->backoff_ms = BACKOFF_MS;
	for (size_t i = 0; i < BUCKETS; i++)
		TAILQ_INIT(&polite->buckets[i]);
	return polite;
}

static struct host_list *
bucket_of(struct polite *polite, const char *origin)
{
	uint32_t hash = 2166136261u;	/* FNV-1a */

	for (const char *p = origin; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	return &polite->buckets[hash % BUCKETS];
}

static void
host_free(struct polite_host *host)
{
	assert(host->holders == 0);
	TAILQ_REMOVE(bucket_of(host->polite, host->origin), host, link);
	host->polite->count--;
	free(host);
}

void
polite_free(struct polite **polite)
{
	struct polite_host *host;

	if (*polite == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while ((host = TAILQ_FIRST(&(*polite)->buckets[i])) != NULL)
			host_free(host);
	}
	free(*polite);
	*polite = NULL;
}

static void
forget_bucket(struct host_list *bucket, bool forget_all, int64_t now_ms)
{
	struct polite_memory memory;
	struct polite_host *host, *next;

	for (host = TAILQ_FIRST(bucket); host != NULL; host = next) {
		next = TAILQ_NEXT(host, link);
		if (host->holders == 0 &&
		    (forget_all || !polite_host_remember(host, now_ms, &memory)))
			host_free(host);
	}
}

/* Make room for one more: first forget those of which nothing was learned. */
static void
forget_some(struct polite *polite, int64_t now_ms)
{
	for (size_t i = 0; i < BUCKETS; i++)
		forget_bucket(&polite->buckets[i], false, now_ms);
	for (size_t i = 0; i < BUCKETS && polite->count >= LIMIT_FETCH_HOSTS; i++)
		forget_bucket(&polite->buckets[i], true, now_ms);
}

static struct polite_host *
host_new(struct polite *polite, const char *origin, int64_t now_ms)
{
	const struct polite_options *o = &polite->options;
	struct polite_host *host = xcalloc(1, sizeof(*host));
	struct str name = str_from(origin);

	host->polite = polite;
	(void)str_copy(host->origin, sizeof(host->origin), name);
	host->rate_full = o->requests_per_s;
	host->burst = o->burst;
	host->active_max = o->per_host_max;
	host->bulk_max = o->bulk_per_host_max;
	for (size_t i = 0; i < BF_ARRAY_LEN(known); i++) {
		struct str end = known[i].suffix;

		if (name.len > end.len &&
		    memcmp(name.ptr + name.len - end.len, end.ptr, end.len) == 0) {
			host->rate_full = known[i].requests_per_s;
			host->burst = known[i].burst;
			host->bulk_max = known[i].bulk;
		}
	}
	if (host->active_max < host->bulk_max)
		host->active_max = host->bulk_max;
	host->rate = host->rate_full;
	host->tokens = host->burst;
	host->filled_ms = now_ms;
	return host;
}

struct polite_host *
polite_host_get(struct polite *polite, const char *origin, int64_t now_ms)
{
	struct host_list *bucket = bucket_of(polite, origin);
	struct polite_host *host;

	TAILQ_FOREACH(host, bucket, link) {
		if (strcmp(host->origin, origin) == 0)
			break;
	}
	if (host == NULL) {
		if (polite->count >= LIMIT_FETCH_HOSTS)
			forget_some(polite, now_ms);
		host = host_new(polite, origin, now_ms);
		TAILQ_INSERT_HEAD(bucket, host, link);
		polite->count++;
	}
	host->holders++;
	return host;
}

void
polite_host_put(struct polite_host *host)
{
	assert(host->holders > 0);
	host->holders--;
}

static void
fill_bucket(struct polite_host *host, int64_t now_ms)
{
	host->tokens += host->rate * (double)(now_ms - host->filled_ms) / 1000;
	if (host->tokens > host->burst)
		host->tokens = host->burst;
	host->filled_ms = now_ms;
}

enum fetch_class
polite_host_fails_as(const struct polite_host *host)
{
	if (host->failures == 0 || host->failed_as == FETCH_RATE_LIMITED)
		return FETCH_OK;
	/* What was recalled may have no word for it. */
	return host->failed_as != FETCH_OK ? host->failed_as : FETCH_UNREACHABLE;
}

int64_t
polite_host_wait_ms(struct polite_host *host, bool is_bulk, int64_t now_ms)
{
	if (now_ms < host->pause_until_ms)
		return host->pause_until_ms - now_ms;
	if (host->active >= host->active_max || (is_bulk && host->bulk >= host->bulk_max))
		return POLITE_WHEN_ONE_ENDS;
	/* After a failure one request at a time finds out how the host does. */
	if (host->failures > 0 && host->active > 0)
		return POLITE_WHEN_ONE_ENDS;
	fill_bucket(host, now_ms);
	if (host->tokens < 1)
		return 1 + (int64_t)((1 - host->tokens) * 1000 / host->rate);
	return 0;
}

void
polite_host_begin(struct polite_host *host, bool is_bulk, int64_t now_ms)
{
	fill_bucket(host, now_ms);
	host->tokens -= 1;
	host->active++;
	host->bulk += is_bulk;
}

int64_t
polite_backoff_ms(int64_t base_ms, unsigned failures, int64_t max_ms, double chance)
{
	int64_t ms = base_ms;

	for (unsigned i = 0; i < failures && ms < max_ms; i++)
		ms *= 2;
	return (int64_t)((double)(ms < max_ms ? ms : max_ms) * chance);
}

static void
pause_for(struct polite_host *host, int64_t ms, int64_t now_ms)
{
	if (now_ms + ms > host->pause_until_ms)
		host->pause_until_ms = now_ms + ms;
}

static void
learn_from_refusal(struct polite_host *host, const struct polite_report *report,
    double chance, int64_t now_ms)
{
	if (report->retry_after_ms >= 0) {
		pause_for(host, report->retry_after_ms, now_ms);
		return;
	}
	/* Answers to requests sent before the pause say nothing new. */
	if (now_ms < host->pause_until_ms)
		return;
	host->rate = host->rate / 2 > RATE_MIN ? host->rate / 2 : RATE_MIN;
	host->tokens = 0;
	host->filled_ms = now_ms;
	/* Half of it is certain: here the server did say "later". */
	pause_for(host, host->polite->options.backoff_ms + polite_backoff_ms(
	    host->polite->options.backoff_ms, host->refusals, BACKOFF_MAX_MS, chance),
	    now_ms);
	host->refusals++;
}

static void
learn_from_failure(struct polite_host *host, const struct polite_report *report,
    double chance, int64_t now_ms)
{
	int64_t base = host->polite->options.backoff_ms;

	/* Several requests that die with one outage are one failure. */
	if (now_ms >= host->pause_until_ms)
		host->failures++;
	if (host->failures >= PARK_FAILURES) {
		int64_t park = polite_backoff_ms(PARK_MS, host->failures - PARK_FAILURES,
		    PARK_MAX_MS, 1.0);

		pause_for(host, park / 2 + (int64_t)((double)park / 2 * chance), now_ms);
	} else {
		pause_for(host, polite_backoff_ms(base, host->failures - 1,
		    BACKOFF_MAX_MS, chance), now_ms);
	}
	if (report->retry_after_ms >= 0)
		pause_for(host, report->retry_after_ms, now_ms);
}

static void
learn_from_answer(struct polite_host *host, const struct polite_report *report,
    int64_t now_ms)
{
	host->failures = 0;
	host->refusals = 0;
	host->failed_as = FETCH_OK;
	host->rate += host->rate_full * CLIMB;
	if (host->rate > host->rate_full)
		host->rate = host->rate_full;
	/* Those under way will take their part of what is left. */
	if (report->has_budget && report->budget_left <= host->active)
		pause_for(host, report->budget_reset_ms, now_ms);
}

void
polite_host_end(struct polite_host *host, bool is_bulk,
    const struct polite_report *report, double chance, int64_t now_ms)
{
	assert(host->active > 0 && host->bulk >= is_bulk);
	host->active--;
	host->bulk -= is_bulk;
	if (report == NULL)
		return;
	host->failed_as = report->class;
	switch (report->class) {
	case FETCH_RATE_LIMITED:
		learn_from_refusal(host, report, chance, now_ms);
		break;
	case FETCH_UNREACHABLE:
	case FETCH_TRUNCATED:
	case FETCH_TIMEOUT:
	case FETCH_SERVER_ERROR:
	case FETCH_TLS:
		learn_from_failure(host, report, chance, now_ms);
		break;
	case FETCH_BLOCKED:
		break;
	case FETCH_OK:
	case FETCH_NOT_FOUND:
	case FETCH_GONE:
	case FETCH_DEACTIVATED:
	case FETCH_SUSPENDED:
	case FETCH_TAKENDOWN:
	case FETCH_REFUSED:
	case FETCH_INVALID:
	case FETCH_TOO_LARGE:
	case FETCH_CLASS_COUNT:
		learn_from_answer(host, report, now_ms);
		break;
	}
}

bool
polite_host_remember(const struct polite_host *host, int64_t now_ms,
    struct polite_memory *memory_out)
{
	int64_t pause_ms = host->pause_until_ms - now_ms;
	struct polite_memory memory = {
		.requests_per_s = host->rate < host->rate_full ? host->rate : 0,
		.pause_ms = pause_ms > 0 ? pause_ms : 0,
		.failures = host->failures,
		.failed_as = host->failed_as,
	};

	if (memory.requests_per_s <= 0 && memory.pause_ms == 0 && memory.failures == 0)
		return false;
	*memory_out = memory;
	return true;
}

void
polite_host_recall(struct polite_host *host, const struct polite_memory *memory,
    int64_t now_ms)
{
	double rate = memory->requests_per_s;

	if (rate > 0)
		host->rate = rate < RATE_MIN ? RATE_MIN :
		    rate > host->rate_full ? host->rate_full : rate;
	host->failed_as = memory->failed_as;
	host->failures = memory->failures < PARK_FAILURES ? memory->failures :
	    PARK_FAILURES;
	pause_for(host, memory->pause_ms < PARK_MAX_MS ? memory->pause_ms : PARK_MAX_MS,
	    now_ms);
}

void
polite_each(struct polite *polite, polite_each_cb *cb, void *arg)
{
	struct polite_host *host;

	for (size_t i = 0; i < BUCKETS; i++) {
		TAILQ_FOREACH(host, &polite->buckets[i], link)
			cb(host->origin, host, arg);
	}
}

/*
 * polite.h - when may the next request to a host begin?
 *
 * Per host: a token bucket, a bound on requests at the same time, what the
 * server told us about its limits, and a growing pause after failures.  Servers
 * that say nothing with a 429 teach us a lower rate, which climbs back slowly
 * while all goes well.  A host that fails again and again is parked: nobody is
 * sent there for a while, then one request probes it.
 *
 * Pure: the time is passed in, in ms of a clock that never goes back, and so is
 * chance, as a number in [0, 1).  Called by http.c only.
 *
 * Sources: RFC 9110 (Retry-After), RFC 6585 (429), AT Protocol's RateLimit-*
 * headers, the etiquette that the guides to backfilling ask for.
 */
#ifndef BF_FETCH_POLITE_H
#define BF_FETCH_POLITE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "fetch/fetch_error.h"

struct polite;
struct polite_host;

/* 0 takes the default. */
struct polite_options {
	double requests_per_s;		/* default 5 */
	double burst;			/* default 10 */
	unsigned per_host_max;		/* requests at the same time; default 4 */
	unsigned bulk_per_host_max;	/* of them large downloads; default 1 */
	int64_t backoff_ms;		/* after the first failure; default 1000 */
};

/* What an answer, or its absence, says about its host. */
struct polite_report {
	enum fetch_class class;
	int64_t retry_after_ms;		/* asked for by the server; -1: not */
	bool has_budget;		/* the next two were sent */
	uint64_t budget_left;		/* RateLimit-Remaining */
	int64_t budget_reset_ms;	/* until RateLimit-Reset */
};

struct polite *polite_new(const struct polite_options *options);
void polite_free(struct polite **polite);	/* no host may be held any more */

/*
 * The host of an origin (url.h), made if it is new.  Held until it is put back;
 * hosts that nobody holds are forgotten, the best behaved first, when there are
 * more than LIMIT_FETCH_HOSTS.
 */
struct polite_host *polite_host_get(struct polite *polite, const char *origin,
    int64_t now_ms);
void polite_host_put(struct polite_host *host);

#define POLITE_WHEN_ONE_ENDS	(-1)

/* 0: a request may begin now; otherwise the ms to wait before asking again, or
 * POLITE_WHEN_ONE_ENDS. */
int64_t polite_host_wait_ms(struct polite_host *host, bool is_bulk, int64_t now_ms);

/* Every begin is followed by one end; report is NULL if nothing was learned. */
void polite_host_begin(struct polite_host *host, bool is_bulk, int64_t now_ms);
void polite_host_end(struct polite_host *host, bool is_bulk,
    const struct polite_report *report, double chance, int64_t now_ms);

/* What it failed as, if its last answer was a failure: a wait is then not for a limit
 * of its.  FETCH_OK if it was none. */
enum fetch_class polite_host_fails_as(const struct polite_host *host);

/* What is worth keeping for the next operation. */
struct polite_memory {
	double requests_per_s;		/* learned; 0: nothing */
	int64_t pause_ms;		/* from now on */
	unsigned failures;		/* in a row */
	enum fetch_class failed_as;	/* the last request; FETCH_OK: it went well */
};

/* False if there is nothing to keep. */
bool polite_host_remember(const struct polite_host *host, int64_t now_ms,
    struct polite_memory *memory_out);
void polite_host_recall(struct polite_host *host, const struct polite_memory *memory,
    int64_t now_ms);

typedef void polite_each_cb(const char *origin, struct polite_host *host, void *arg);
void polite_each(struct polite *polite, polite_each_cb *cb, void *arg);

/* Full jitter: anything between 0 and base * 2^failures, the latter at most max. */
int64_t polite_backoff_ms(int64_t base_ms, unsigned failures, int64_t max_ms,
    double chance);

#endif

#include "workers/sync_pool.h"

#include <assert.h>
#include <ev.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "atproto/did.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "workers/pool_host.h"
#include "workers/sync_env.h"

#define ORDER_TRIES	3	/* of one order that ends by a passing failure */

struct order {
	TAILQ_ENTRY(order) link;	/* in its host's line; none while it runs */
	char *did;			/* owned */
	bool is_forced, wants_fresh_document, accepts_older;
	unsigned tries;			/* that failed, other than by a 429 */
	void *item;			/* the caller's */
};

TAILQ_HEAD(order_line, order);

/* A host that somebody waits for, or of which something is remembered. */
struct line {
	TAILQ_ENTRY(line) link;		/* in pool->lines, in the order of turns */
	struct pool_host host;
	char *origin;			/* owned */
	struct order_line orders;	/* owned */
	unsigned running;
};

TAILQ_HEAD(line_list, line);

struct slot {
	struct sync_pool *pool;		/* borrowed */
	int spill_fd;
	/* NULL when it is free; all owned but the line */
	struct sync_repo *sync;
	struct order *order;
	struct line *line;
};

struct sync_pool {
	/* borrowed */
	const struct sync_env *env;
	const struct sync_pool_events *events;
	void *arg;
	/* owned */
	struct slot *slots;
	unsigned slot_count, running;
	struct line_list lines;
	struct pool_host directory;

	size_t count;			/* orders */
	const struct sync_progress *progress;	/* of the last that told any */
	sync_pool_rest_cb *on_rest;	/* NULL: no rest is wanted */
	void *rest_arg;
	struct ev_timer turn;		/* orders may start */
};

static void
turn_in(struct sync_pool *pool, int64_t ms)
{
	ev_timer_stop(pool->env->loop, &pool->turn);
	ev_timer_set(&pool->turn, (double)ms / 1000., 0.);
	ev_timer_start(pool->env->loop, &pool->turn);
}

/* --- lines --- */

static struct line *
find_line(struct sync_pool *pool, struct str origin)
{
	struct line *line;

	TAILQ_FOREACH(line, &pool->lines, link)
		if (str_eq(str_from(line->origin), origin))
			return line;
	line = xcalloc(1, sizeof(*line));
	line->origin = xstrndup(origin.len > 0 ? origin.ptr : "", origin.len);
	TAILQ_INIT(&line->orders);
	TAILQ_INSERT_TAIL(&pool->lines, line, link);
	return line;
}

static void
free_line(struct sync_pool *pool, struct line *line)
{
	TAILQ_REMOVE(&pool->lines, line, link);
	free(line->origin);
	free(line);
}

/* Only what is remembered of a host in trouble is worth keeping. */
static void
drop_line_if_idle(struct sync_pool *pool, struct line *line)
{
	if (line->running == 0 && TAILQ_EMPTY(&line->orders) &&
	    !pool_host_is_in_trouble(&line->host))
		free_line(pool, line);
}

static void
free_order(struct sync_pool *pool, struct order *order)
{
	pool->count--;
	free(order->did);
	free(order);
}

/* --- how an order ends --- */

static void
tell_outcome(struct sync_pool *pool, struct order *order,
    const struct sync_outcome *outcome)
{
	void *item = order->item;

	free_order(pool, order);
	pool->events->on_outcome(pool, item, outcome, pool->arg);
}

/* Its host is given up, so that nobody asks for this one any more. */
static void
end_unasked(struct sync_pool *pool, struct order *order, const struct pool_host *host)
{
	struct sync_outcome outcome = { .result = SYNC_FAILED, .retry_after_ms = -1 };

	(void)snprintf(outcome.error_class, sizeof(outcome.error_class), "%s",
	    host->class);
	(void)snprintf(outcome.error_text, sizeof(outcome.error_text),
	    "not asked: its server is given up for this operation: %.300s", host->text);
	tell_outcome(pool, order, &outcome);
}

/* False if the order is over with this outcome. */
static bool
may_try_again(struct order *order, const struct sync_outcome *outcome)
{
	enum fetch_class class;

	if (fetch_class_parse(str_from(outcome->error_class), &class) == -1 ||
	    !fetch_class_is_transient(class))
		return false;
	return class == FETCH_RATE_LIMITED || ++order->tries < ORDER_TRIES;
}

/* Whom a failure is about. */
static struct pool_host *
host_of(struct sync_pool *pool, struct line *line, const struct order *order,
    const struct sync_outcome *outcome)
{
	if (!outcome->is_about_document)
		return &line->host;
	/* A did:web has its document on a server of its own. */
	return did_is_plc(str_from(order->did)) ? &pool->directory : NULL;
}

static void
note(struct sync_pool *pool, const struct order *order, const char *text)
{
	pool->events->on_note(pool, str_from(order->did), text, pool->arg);
}

/* An order was answered, well or not: what that says of its host, and whether it
 * has to wait for another try. */
static void
settle(struct sync_pool *pool, struct line *line, struct order *order,
    const struct sync_outcome *outcome)
{
	struct pool_host *host = host_of(pool, line, order, outcome);
	bool was_in_trouble = pool_host_is_in_trouble(host != NULL ? host : &line->host);
	bool again = false;

	if (outcome->result == SYNC_FAILED)
		again = may_try_again(order, outcome);
	if (!outcome->is_about_document)
		pool->directory = (struct pool_host){ 0 };
	if (host != NULL) {
		pool_host_learn(host, outcome, pool->env->settings, clock_mono_ms());
		if (host->is_given_up || (!was_in_trouble && pool_host_is_in_trouble(host)))
			note(pool, order, host->text);
		again = again && !host->is_given_up;
	}
	if (!again) {
		tell_outcome(pool, order, outcome);
		return;
	}
	TAILQ_INSERT_TAIL(&line->orders, order, link);
}

/* --- the syncs --- */

static void
on_progress(struct sync_repo *sync BF_UNUSED, const struct sync_progress *progress,
    void *arg)
{
	struct slot *slot = arg;

	slot->pool->progress = progress;
	if (slot->pool->on_rest != NULL)
		turn_in(slot->pool, 0);
}

static void
on_bad_record(struct sync_repo *sync, struct str path, const struct fault *fault,
    void *arg)
{
	struct slot *slot = arg;

	slot->pool->events->on_bad_record(slot->pool, sync_repo_did(sync), path, fault,
	    slot->pool->arg);
}

static void
on_note(struct sync_repo *sync, const char *text, void *arg)
{
	struct slot *slot = arg;

	slot->pool->events->on_note(slot->pool, sync_repo_did(sync), text,
	    slot->pool->arg);
}

static void
on_done(struct sync_repo *sync BF_UNUSED, const struct sync_outcome *outcome, void *arg)
{
	struct slot *slot = arg;
	struct sync_pool *pool = slot->pool;
	struct line *line = slot->line;
	struct order *order = slot->order;

	slot->sync = NULL;
	slot->order = NULL;
	slot->line = NULL;
	pool->progress = NULL;
	pool->running--;
	line->running--;
	/* Where it really is may be another server than the one it waited for. */
	if (outcome->pds != NULL && !str_eq(str_from(outcome->pds),
	    str_from(line->origin))) {
		drop_line_if_idle(pool, line);
		line = find_line(pool, str_from(outcome->pds));
	}
	settle(pool, line, order, outcome);
	drop_line_if_idle(pool, line);
	turn_in(pool, 0);
}

static const struct sync_repo_events sync_events = {
	.on_progress = on_progress, .on_bad_record = on_bad_record,
	.on_note = on_note, .on_done = on_done,
};

static struct slot *
free_slot(struct sync_pool *pool)
{
	for (unsigned i = 0; i < pool->slot_count; i++)
		if (pool->slots[i].sync == NULL)
			return &pool->slots[i];
	return NULL;
}

static void
start(struct sync_pool *pool, struct line *line)
{
	struct slot *slot = free_slot(pool);
	struct order *order = TAILQ_FIRST(&line->orders);

	TAILQ_REMOVE(&line->orders, order, link);
	slot->order = order;
	slot->line = line;
	line->running++;
	pool->running++;
	slot->sync = sync_repo_start(pool->env, &(struct sync_order){
	    .did = str_from(order->did), .spill_fd = slot->spill_fd,
	    .is_forced = order->is_forced, .accepts_older = order->accepts_older,
	    .wants_fresh_document = order->wants_fresh_document }, &sync_events, slot);
}

/* --- turns --- */

/* Half of the slots, and one alone to find out how a host does. */
static unsigned
most_of(const struct sync_pool *pool, const struct line *line)
{
	if (pool_host_is_in_trouble(&line->host))
		return 1;
	return (pool->slot_count + 1) / 2;
}

/* All that waits for a host that was given up.  An outcome may add to the line. */
static void
end_line(struct sync_pool *pool, struct line *line, const struct pool_host *host)
{
	struct order *order;

	while ((order = TAILQ_FIRST(&line->orders)) != NULL) {
		TAILQ_REMOVE(&line->orders, order, link);
		end_unasked(pool, order, host);
	}
}

/* Each line gets one turn, behind which it is the last one.  True if one started. */
static bool
start_one(struct sync_pool *pool, int64_t now_ms, int64_t *next_ms)
{
	struct line *line;

	TAILQ_FOREACH(line, &pool->lines, link) {
		int64_t wait_ms = pool_host_wait_ms(&line->host, now_ms);

		if (TAILQ_EMPTY(&line->orders) || line->running >= most_of(pool, line))
			continue;
		if (wait_ms > 0) {
			*next_ms = wait_ms < *next_ms ? wait_ms : *next_ms;
			continue;
		}
		start(pool, line);
		TAILQ_REMOVE(&pool->lines, line, link);
		TAILQ_INSERT_TAIL(&pool->lines, line, link);
		return true;
	}
	return false;
}

static void
end_hopeless(struct sync_pool *pool)
{
	struct line *line, *next;

	for (line = TAILQ_FIRST(&pool->lines); line != NULL; line = next) {
		next = TAILQ_NEXT(line, link);
		if (pool->directory.is_given_up)
			end_line(pool, line, &pool->directory);
		else if (line->host.is_given_up)
			end_line(pool, line, &line->host);
	}
}

/* What waits for room on the disk is not waited for: it is done again. */
static void
stop_waiting(struct sync_pool *pool)
{
	for (unsigned i = 0; i < pool->slot_count; i++) {
		struct slot *slot = &pool->slots[i];

		if (slot->sync == NULL || !sync_repo_is_waiting(slot->sync))
			continue;
		sync_repo_cancel(&slot->sync);
		TAILQ_INSERT_TAIL(&slot->line->orders, slot->order, link);
		slot->line->running--;
		slot->order = NULL;
		slot->line = NULL;
		pool->running--;
	}
}

static void
on_turn(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct sync_pool *pool = timer->data;
	int64_t now_ms = clock_mono_ms(), next_ms = INT64_MAX;
	int64_t wait_ms = pool_host_wait_ms(&pool->directory, now_ms);
	unsigned most = pool_host_is_in_trouble(&pool->directory) ? 1 : pool->slot_count;

	if (pool->on_rest != NULL) {
		stop_waiting(pool);
		if (pool->running == 0)
			pool->on_rest(pool->rest_arg);
		return;
	}
	end_hopeless(pool);
	if (wait_ms > 0)
		next_ms = wait_ms;
	else
		while (pool->running < most && start_one(pool, now_ms, &next_ms))
			continue;
	/* An outcome that was told may have asked for another turn already. */
	if (next_ms != INT64_MAX && !ev_is_active(&pool->turn))
		turn_in(pool, next_ms);
}

/* --- life --- */

struct sync_pool *
sync_pool_new(const struct sync_env *env, const int *spill_fds, unsigned count,
    const struct sync_pool_events *events, void *arg)
{
	struct sync_pool *pool = xcalloc(1, sizeof(*pool));

	pool->env = env;
	pool->events = events;
	pool->arg = arg;
	pool->slot_count = count > 0 ? count : 1;
	pool->slots = xcalloc(pool->slot_count, sizeof(*pool->slots));
	for (unsigned i = 0; i < pool->slot_count; i++) {
		pool->slots[i].pool = pool;
		pool->slots[i].spill_fd = i < count ? spill_fds[i] : -1;
	}
	TAILQ_INIT(&pool->lines);
	ev_timer_init(&pool->turn, on_turn, 0., 0.);
	pool->turn.data = pool;
	return pool;
}

void
sync_pool_free(struct sync_pool **pool_at)
{
	struct sync_pool *pool = *pool_at;
	struct line *line;
	struct order *order;

	if (pool == NULL)
		return;
	*pool_at = NULL;
	ev_timer_stop(pool->env->loop, &pool->turn);
	for (unsigned i = 0; i < pool->slot_count; i++) {
		sync_repo_cancel(&pool->slots[i].sync);
		if (pool->slots[i].order != NULL)
			free_order(pool, pool->slots[i].order);
	}
	while ((line = TAILQ_FIRST(&pool->lines)) != NULL) {
		while ((order = TAILQ_FIRST(&line->orders)) != NULL) {
			TAILQ_REMOVE(&line->orders, order, link);
			free_order(pool, order);
		}
		free_line(pool, line);
	}
	free(pool->slots);
	free(pool);
}

bool
sync_pool_has_room(const struct sync_pool *pool)
{
	return pool->count < LIMIT_POOL_ORDERS;
}

void
sync_pool_add(struct sync_pool *pool, const struct sync_pool_order *given)
{
	struct line *line = find_line(pool, given->pds);
	struct order *order = xcalloc(1, sizeof(*order));

	assert(sync_pool_has_room(pool));
	order->did = xstrndup(given->did.ptr, given->did.len);
	order->is_forced = given->is_forced;
	order->wants_fresh_document = given->wants_fresh_document;
	order->accepts_older = given->accepts_older;
	order->item = given->item;
	TAILQ_INSERT_TAIL(&line->orders, order, link);
	pool->count++;
	if (pool->running < pool->slot_count)
		turn_in(pool, 0);
}

void
sync_pool_rest(struct sync_pool *pool, sync_pool_rest_cb *on_rest, void *arg)
{
	pool->on_rest = on_rest;
	pool->rest_arg = arg;
	turn_in(pool, 0);
}

size_t
sync_pool_count(const struct sync_pool *pool)
{
	return pool->count;
}

const struct sync_progress *
sync_pool_progress(const struct sync_pool *pool)
{
	return pool->progress;
}

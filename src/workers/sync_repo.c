#include "workers/sync_repo.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "fetch/polite.h"
#include "workers/sync_repo_impl.h"

static const struct {
	const char *stage;
	void (*begin)(struct sync_repo *sync);
} steps[] = {
#define X(name, stage, begin) [SYNC_##name] = { stage, begin },
	SYNC_STEPS(X)
#undef X
};

void
sync_tell_progress(struct sync_repo *sync)
{
	sync->events->on_progress(sync, &sync->progress, sync->arg);
}

void
sync_note(struct sync_repo *sync, const char *fmt, ...)
{
	char text[ERR_TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sync->events->on_note(sync, text, sync->arg);
}

/* --- from step to step --- */

void
sync_enter(struct sync_repo *sync, enum sync_step step)
{
	assert(sync->step != SYNC_OVER);
	sync->step = step;
	if (step != SYNC_OVER) {
		sync->progress.stage = steps[step].stage;
		sync_tell_progress(sync);
	}
	steps[step].begin(sync);
}

static void
on_again(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct sync_repo *sync = timer->data;

	/* One that waits for room does so without its claim. */
	sync_enter(sync, sync->step == SYNC_WAITING ? SYNC_CLAIMING : sync->step);
}

void
sync_enter_again(struct sync_repo *sync, int64_t in_ms)
{
	ev_timer_stop(sync->env->loop, &sync->again);
	ev_timer_set(&sync->again, (double)in_ms / 1000., 0.);
	ev_timer_start(sync->env->loop, &sync->again);
}

int64_t
sync_backoff_ms(int64_t base_ms, unsigned failures, int64_t max_ms)
{
	return polite_backoff_ms(base_ms, failures, max_ms,
	    (double)arc4random() / 4294967296.);
}

static void
on_slice(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct sync_repo *sync = timer->data;

	if (sync->step == SYNC_CHECKING)
		sync_check_tree_slice(sync);
	else if (sync->step == SYNC_COUNTING)
		sync_check_count_slice(sync);
	else if (sync->step == SYNC_DIFFING)
		sync_index_diff_slice(sync);
}

/* A timer that is due at once runs in the next turn, behind the I/O of the other
 * repositories. */
void
sync_slice_soon(struct sync_repo *sync)
{
	ev_timer_set(&sync->slice, 0., 0.);
	ev_timer_start(sync->env->loop, &sync->slice);
}

/* --- the end --- */

void
sync_release(struct sync_repo *sync)
{
	struct ev_loop *loop = sync->env->loop;

	ev_timer_stop(loop, &sync->slice);
	ev_timer_stop(loop, &sync->again);
	identity_ask_cancel(&sync->identity);
	latest_commit_cancel(&sync->latest);
	get_repo_cancel(&sync->get);
	records_abort(&sync->lane);
	sync_fetch_clear(sync);
}

static void
free_sync(struct sync_repo *sync)
{
	free(sync->pds);
	free(sync->did);
	free(sync);
}

static void
on_over(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct sync_repo *sync = timer->data;

	sync->events->on_done(sync, &sync->outcome, sync->arg);
	free_sync(sync);
}

/* Whoever comes here is inside a callback of something that is released now, so
 * the owner hears of it from a turn of its own. */
void
sync_finish(struct sync_repo *sync, enum sync_result result)
{
	sync->outcome.result = result;
	sync->outcome.progress = sync->progress;
	sync->outcome.pds = sync->pds;
	sync->outcome.is_about_document = sync->step == SYNC_RESOLVING ||
	    sync->step == SYNC_CONFIRMING || sync->step == SYNC_REFRESHING;
	sync_enter(sync, SYNC_OVER);
	ev_timer_start(sync->env->loop, &sync->over);
}

void
sync_fail(struct sync_repo *sync, const char *class, const char *fmt, ...)
{
	struct sync_outcome *outcome = &sync->outcome;
	va_list ap;

	(void)snprintf(outcome->error_class, sizeof(outcome->error_class), "%s", class);
	va_start(ap, fmt);
	(void)vsnprintf(outcome->error_text, sizeof(outcome->error_text), fmt, ap);
	va_end(ap);
	sync_finish(sync, SYNC_FAILED);
}

void
sync_fail_fault(struct sync_repo *sync, const struct fault *fault)
{
	char text[FAULT_TEXT_SIZE];

	fault_format(fault, text);
	if (fault->code == FAULT_CAR_NO_ROOM)
		sync_index_lacks_room(sync, str_from(text));
	else
		sync_fail(sync, fault_kind(fault->code), "%s", text);
}

/* --- life --- */

struct sync_repo *
sync_repo_start(const struct sync_env *env, const struct sync_order *order,
    const struct sync_repo_events *events, void *arg)
{
	struct sync_repo *sync = xcalloc(1, sizeof(*sync));

	sync->env = env;
	sync->events = events;
	sync->arg = arg;
	sync->spill_fd = order->spill_fd;
	sync->is_forced = order->is_forced;
	sync->wants_fresh_document = order->wants_fresh_document;
	sync->accepts_older = order->accepts_older;
	sync->did = xstrndup(order->did.ptr, order->did.len);
	sync->outcome.retry_after_ms = -1;
	sync->fault = FAULT_INIT;
	sync->progress.stage = steps[SYNC_RESOLVING].stage;
	ev_timer_init(&sync->slice, on_slice, 0., 0.);
	ev_timer_init(&sync->again, on_again, 0., 0.);
	ev_timer_init(&sync->over, on_over, 0., 0.);
	sync->slice.data = sync->again.data = sync->over.data = sync;
	sync->step = SYNC_RESOLVING;
	sync_enter_again(sync, 0);
	return sync;
}

void
sync_repo_cancel(struct sync_repo **sync_at)
{
	struct sync_repo *sync = *sync_at;

	if (sync == NULL)
		return;
	*sync_at = NULL;
	sync_release(sync);
	ev_timer_stop(sync->env->loop, &sync->over);
	free_sync(sync);
}

struct str
sync_repo_did(const struct sync_repo *sync)
{
	return str_from(sync->did);
}

bool
sync_repo_is_waiting(const struct sync_repo *sync)
{
	return sync->step == SYNC_WAITING;
}

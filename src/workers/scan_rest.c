/*
 * The part of a scan that comes to rest for a pause: no entry is begun any more, those
 * that are being synced come to their end, or to that of LIMIT_SCAN_REST_MS.  What was
 * learned is written, then where the scan is.  All that is not over by then is dropped,
 * and begun again by the next attempt.
 */
#include "common/limits.h"
#include "workers/scan_impl.h"

static void
on_written(const char *why, void *arg)
{
	struct scan *scan = arg;

	if (why != NULL)
		worker_log(scan->worker, LOG_LEVEL_WARN, "notes were not written: %s", why);
	scan->has_news = true;
	scan_send_checkpoint(scan);
	worker_paused(scan->worker);
}

/* Once: what is told of the pool's rest may be told again. */
static void
write_it_down(struct scan *scan)
{
	if (scan->has_rest)
		return;
	scan->has_rest = true;
	ev_timer_stop(scan->env.loop, &scan->rest);
	sync_env_write(&scan->env, on_written, scan);
}

static void
on_pool_rests(void *arg)
{
	write_it_down(arg);
}

static void
on_patience_ends(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer,
    int revents BF_UNUSED)
{
	write_it_down(timer->data);
}

void
scan_rest_init(struct scan *scan)
{
	ev_timer_init(&scan->rest, on_patience_ends, LIMIT_SCAN_REST_MS / 1000., 0.);
	scan->rest.data = scan;
}

void
scan_pause(void *arg)
{
	struct scan *scan = arg;

	if (scan->is_ending)
		return;		/* it is as good as done */
	if (!scan->is_ready) {
		worker_paused(scan->worker);
		return;
	}
	scan->is_resting = true;
	ev_timer_start(scan->env.loop, &scan->rest);
	sync_pool_rest(scan->pool, on_pool_rests, scan);
}

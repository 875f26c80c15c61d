/*
 * http_clock.c - the deadlines of one attempt.
 *
 * One timer per request that is under way; it stands still while the request
 * is paused, since that is our own doing and not the server's.
 */
#include "fetch/http_impl.h"

#include "common/clock.h"

/* How long this attempt has been under way. */
static int64_t
elapsed(const struct http_request *req)
{
	int64_t running = 0;

	if (req->is_running)
		running = clock_mono_ms() - req->running_since_ms;
	return req->used_ms + running;
}

/* Start the timer for the deadline that comes first. */
static void
arm(struct http_request *req)
{
	const struct http_limits *limits = &req->limits;
	int64_t now = elapsed(req);
	int64_t due = limits->total_ms;
	int64_t other = req->has_head ?
	    req->period_began_ms + limits->slow_ms :
	    req->hop_began_ms + limits->head_ms;

	if (other < due)
		due = other;
	ev_timer_stop(req->http->loop, &req->clock);
	ev_timer_set(&req->clock, due > now ? (ev_tstamp)(due - now) / 1000 : 0, 0);
	ev_timer_start(req->http->loop, &req->clock);
}

static void
on_clock(struct ev_loop *loop BF_UNUSED, ev_timer *watcher, int events BF_UNUSED)
{
	struct http_request *req = watcher->data;
	const struct http_limits *limits = &req->limits;
	int64_t now = elapsed(req);

	if (now >= limits->total_ms) {
		http_end(req, FETCH_TIMEOUT, "not finished after %lld s",
		    (long long)limits->total_ms / 1000);
		return;
	}
	if (!req->has_head) {
		if (now >= req->hop_began_ms + limits->head_ms) {
			http_end(req, FETCH_TIMEOUT, "no answer after %lld ms",
			    (long long)limits->head_ms);
			return;
		}
	} else if (now >= req->period_began_ms + limits->slow_ms) {
		if (req->period_bytes < limits->slow_bytes) {
			http_end(req, FETCH_TIMEOUT,
			    "only %llu bytes in the last %lld ms",
			    (unsigned long long)req->period_bytes,
			    (long long)limits->slow_ms);
			return;
		}
		req->period_began_ms = now;
		req->period_bytes = 0;
	}
	arm(req);
}

void
http_clock_init(struct http_request *req)
{
	ev_timer_init(&req->clock, on_clock, 0, 0);
	req->clock.data = req;
}

void
http_clock_restart(struct http_request *req)
{
	http_clock_stop(req);
	req->used_ms = 0;
}

void
http_clock_hop(struct http_request *req)
{
	req->hop_began_ms = elapsed(req);
	if (!req->is_paused)
		http_clock_resume(req);
}

void
http_clock_head(struct http_request *req)
{
	req->period_began_ms = elapsed(req);
	req->period_bytes = 0;
	if (req->is_running)
		arm(req);
}

void
http_clock_stop(struct http_request *req)
{
	req->used_ms = elapsed(req);
	req->is_running = false;
	ev_timer_stop(req->http->loop, &req->clock);
}

void
http_clock_resume(struct http_request *req)
{
	if (req->is_running)
		return;
	req->running_since_ms = clock_mono_ms();
	req->is_running = true;
	arm(req);
}

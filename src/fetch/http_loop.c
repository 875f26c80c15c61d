/*
 * http_loop.c - libcurl's multi handle on a libev loop.
 */
#include "fetch/http_impl.h"

#include <stdlib.h>

#include "common/mem.h"

static void
finish_transfers(struct http *http)
{
	struct http_request *req;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &req);
		if (req->state == REQUEST_ACTIVE)
			http_transfer_finished(req, msg->data.result);
	}
}

static void
on_socket(struct ev_loop *loop BF_UNUSED, ev_io *watcher, int events)
{
	struct http *http = watcher->data;
	int mask = 0, running;

	if (events & EV_READ)
		mask |= CURL_CSELECT_IN;
	if (events & EV_WRITE)
		mask |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(http->multi, watcher->fd, mask, &running);
	finish_transfers(http);
}

static void
on_curl_timer(struct ev_loop *loop BF_UNUSED, ev_timer *watcher, int events BF_UNUSED)
{
	struct http *http = watcher->data;
	int running;

	(void)curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_transfers(http);
}

static int
watch_socket(CURL *easy BF_UNUSED, curl_socket_t fd, int what, void *arg,
    void *socket_arg)
{
	struct http *http = arg;
	ev_io *watcher = socket_arg;
	int events = 0;

	if (watcher != NULL)
		ev_io_stop(http->loop, watcher);
	if (what == CURL_POLL_REMOVE) {
		free(watcher);
		return 0;
	}
	if (watcher == NULL) {
		watcher = xcalloc(1, sizeof(*watcher));
		watcher->data = http;
		(void)curl_multi_assign(http->multi, fd, watcher);
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EV_READ;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EV_WRITE;
	ev_io_init(watcher, on_socket, fd, events);
	ev_io_start(http->loop, watcher);
	return 0;
}

static int
watch_timer(CURLM *multi BF_UNUSED, long timeout_ms, void *arg)
{
	struct http *http = arg;

	ev_timer_stop(http->loop, &http->curl_timer);
	if (timeout_ms >= 0) {
		ev_timer_set(&http->curl_timer, (ev_tstamp)timeout_ms / 1000, 0);
		ev_timer_start(http->loop, &http->curl_timer);
	}
	return 0;
}

static void
on_prepare(struct ev_loop *loop BF_UNUSED, ev_prepare *watcher, int events BF_UNUSED)
{
	http_turn(watcher->data);
}

static void
on_wake(struct ev_loop *loop BF_UNUSED, ev_timer *watcher, int events BF_UNUSED)
{
	struct http *http = watcher->data;

	http->start_is_due = true;
}

void
http_wake_in(struct http *http, int64_t ms)
{
	ev_timer_stop(http->loop, &http->wake);
	ev_timer_set(&http->wake, (ev_tstamp)ms / 1000, 0);
	ev_timer_start(http->loop, &http->wake);
}

void
http_loop_init(struct http *http)
{
	CURLM *multi = http->multi;

	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, watch_timer);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
	ev_timer_init(&http->curl_timer, on_curl_timer, 0, 0);
	http->curl_timer.data = http;
	ev_timer_init(&http->wake, on_wake, 0, 0);
	http->wake.data = http;

	/* Last of its kind, so that it sees what others begin; and without requests it
	 * is no reason for the loop to go on. */
	ev_prepare_init(&http->turn, on_prepare);
	ev_set_priority(&http->turn, EV_MINPRI);
	http->turn.data = http;
	ev_prepare_start(http->loop, &http->turn);
	ev_unref(http->loop);
}

void
http_loop_clear(struct http *http)
{
	ev_ref(http->loop);
	ev_prepare_stop(http->loop, &http->turn);
	ev_timer_stop(http->loop, &http->wake);
	ev_timer_stop(http->loop, &http->curl_timer);
}

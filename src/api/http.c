#include "api/http.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "api/answer.h"
#include "api/audit.h"
#include "api/api.h"
#include "api/h_session.h"
#include "api/head_read.h"
#include "api/metrics.h"
#include "api/request.h"
#include "common/clock.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"

struct http_conn {
	struct http *http;		/* borrowed, outlives us */
	struct MHD_Connection *mhd;	/* borrowed: it ends with on_connection() */
	int fd;				/* borrowed from mhd */
	struct address address;
	bool is_timed;			/* in the list by_deadline */
	double deadline;		/* loop time */
	TAILQ_ENTRY(http_conn) by_deadline;

	/* The request being served: target is empty between two. */
	struct request request;
	bool has_begun;			/* its headers are there */
	bool is_whole;			/* all of it: it counts as busy */
	int64_t begun_us;		/* when they were */
	bool is_suspended;
};

struct http {
	struct api *api;		/* borrowed, outlives us */
	struct ev_loop *loop;		/* likewise */
	struct MHD_Daemon *daemon;	/* owned */
	double timeout_secs;
	unsigned busy;			/* connections with has_begun */
	bool has_gone;			/* a connection, in this turn */
	TAILQ_HEAD(conn_list, http_conn) timed;	/* the same time for all: sorted */
	http_drained_cb *on_drained;	/* NULL: not draining */
	void *drained_arg;

	/* watchers */
	struct ev_io epoll;
	struct ev_timer pending;	/* libmicrohttpd wants to run again */
	struct ev_timer overdue;	/* the first of `timed` */
	struct ev_timer drained;	/* reports it from outside any call */
};

/* --- deadlines --- */

static void
untime(struct http_conn *conn)
{
	if (conn->is_timed)
		TAILQ_REMOVE(&conn->http->timed, conn, by_deadline);
	conn->is_timed = false;
}

static void
start_time(struct http_conn *conn)
{
	struct http *http = conn->http;

	untime(conn);
	conn->deadline = clock_mono_secs() + http->timeout_secs;
	conn->is_timed = true;
	TAILQ_INSERT_TAIL(&http->timed, conn, by_deadline);
	if (!ev_is_active(&http->overdue)) {
		ev_timer_set(&http->overdue, http->timeout_secs, 0);
		ev_timer_start(http->loop, &http->overdue);
	}
}

/*
 * libmicrohttpd has no call to end a connection; it sees the end of file on its
 * next run and does the rest itself.
 */
static void
on_overdue(struct ev_loop *loop, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct http *http = watcher->data;
	double now = clock_mono_secs();
	struct http_conn *conn;

	while ((conn = TAILQ_FIRST(&http->timed)) != NULL && conn->deadline <= now) {
		untime(conn);
		(void)shutdown(conn->fd, SHUT_RDWR);
	}
	if (conn != NULL) {
		ev_timer_set(watcher, conn->deadline - now, 0);
		ev_timer_start(loop, watcher);
	}
}

/* --- answers --- */

/*
 * The reader has nothing now: the connection rests until it has.  In the call of
 * the response's own callback, libmicrohttpd wants it so.
 */
static ssize_t
on_stream(void *arg, uint64_t offset BF_UNUSED, char *to, size_t size)
{
	struct http_conn *conn = arg;
	ssize_t n = session_is_lost(&conn->request) ? -1 :
	    feed_read(&conn->request.reader, to, size);

	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n > 0) {
		start_time(conn);
		return n;
	}
	untime(conn);
	conn->is_suspended = true;
	MHD_suspend_connection(conn->mhd);
	return 0;
}

static enum MHD_Result
send_reply(struct http_conn *conn)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = answer_new(&conn->request, conn->http->on_drained != NULL, on_stream,
	    conn);
	if (response == NULL)
		return MHD_NO;
	audit_answer(&conn->request);
	metrics_request(conn->http->api->metrics, conn->request.route,
	    conn->request.reply.status,
	    (double)(clock_mono_us() - conn->begun_us) / 1e6);
	result = MHD_queue_response(conn->mhd, conn->request.reply.status, response);
	MHD_destroy_response(response);
	start_time(conn);
	return result;
}

static enum MHD_Result
go_on(struct http_conn *conn, enum request_next next)
{
	switch (next) {
	case REQUEST_READ:
		return MHD_YES;
	case REQUEST_WAIT:
		untime(conn);
		conn->is_suspended = true;
		MHD_suspend_connection(conn->mhd);
		return MHD_YES;
	case REQUEST_ANSWER:
		return send_reply(conn);
	}
	return MHD_NO;
}

struct address
http_conn_address(const struct http_conn *conn)
{
	return conn->address;
}

void
http_resume(struct http_conn *conn)
{
	assert(conn->is_suspended);
	conn->is_suspended = false;
	start_time(conn);
	MHD_resume_connection(conn->mhd);
	/* It takes note in its next run, and nothing else would cause one. */
	ev_feed_event(conn->http->loop, &conn->http->epoll, EV_READ);
}

/* --- requests, as libmicrohttpd hands them out --- */

static enum request_next
begin(struct http_conn *conn, const char *target, const char *method,
    const char *version)
{
	struct err err;

	conn->has_begun = true;
	conn->begun_us = clock_mono_us();
	if (head_read(conn->mhd, target, buf_len(&conn->request.target), version,
	    &conn->request.head, &err) == -1)
		return request_begin(&conn->request, str_from(method), &err);
	return request_begin(&conn->request, str_from(method), NULL);
}

/*
 * Called with the headers, with each part of the body, at the end, and once
 * more after a resume.  An answer in the first call closes the connection.
 */
static enum MHD_Result
on_access(void *arg BF_UNUSED, struct MHD_Connection *mhd BF_UNUSED,
    const char *target, const char *method, const char *version,
    const char *data, size_t *data_len, void **context)
{
	struct http_conn *conn = *context;
	struct bytes part = { (const uint8_t *)data, *data_len };

	if (!conn->has_begun)
		return go_on(conn, begin(conn, target, method, version));
	if (part.len > 0) {
		request_body(&conn->request, part);
		*data_len = 0;
		return MHD_YES;
	}
	/* Nothing is done for a request before it is whole, so a stop need not wait
	 * for the rest of one. */
	if (!conn->is_whole) {
		conn->is_whole = true;
		conn->http->busy++;
	}
	return go_on(conn, request_end(&conn->request));
}

static struct http_conn *
conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

/* The request line is there.  What this returns is the context of on_access(). */
static void *
on_request_line(void *arg BF_UNUSED, const char *target,
    struct MHD_Connection *mhd)
{
	struct http_conn *conn = conn_of(mhd);

	request_init(&conn->request, conn->http->api, conn, str_from(target));
	return conn;
}

static void
report_drained(struct http *http)
{
	if (http->on_drained != NULL && http->busy == 0)
		ev_timer_start(http->loop, &http->drained);
}

/* The answer is sent, or never will be. */
static void
end_request(struct http_conn *conn)
{
	request_reset(&conn->request);
	if (!conn->has_begun)
		return;
	conn->has_begun = false;
	if (conn->is_whole)
		conn->http->busy--;
	conn->is_whole = false;
	report_drained(conn->http);
}

static void
on_completed(void *arg BF_UNUSED, struct MHD_Connection *mhd BF_UNUSED,
    void **context, enum MHD_RequestTerminationCode why BF_UNUSED)
{
	struct http_conn *conn = *context;

	if (conn == NULL)
		return;
	*context = NULL;
	end_request(conn);
	start_time(conn);
}

static void
start_conn(struct http *http, struct MHD_Connection *mhd, void **context)
{
	struct http_conn *conn = xcalloc(1, sizeof(*conn));

	conn->http = http;
	conn->mhd = mhd;
	conn->fd = MHD_get_connection_info(mhd,
	    MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	conn->address = address_from(MHD_get_connection_info(mhd,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	*context = conn;
	start_time(conn);
}

static void
on_connection(void *arg, struct MHD_Connection *mhd, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	struct http_conn *conn = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		start_conn(arg, mhd, context);
		return;
	}
	conn->http->has_gone = true;
	end_request(conn);
	untime(conn);
	request_clear(&conn->request);
	free(conn);
	*context = NULL;
}

/* Paths and queries are decoded by params.c: leave them as they are. */
static size_t
on_unescape(void *arg BF_UNUSED, struct MHD_Connection *mhd BF_UNUSED, char *text)
{
	return strlen(text);
}

static void
on_log(void *arg BF_UNUSED, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_SIZE];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http: %s", text);
}

/* --- the loop --- */

static void
turn(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	http->has_gone = false;
	(void)MHD_run(http->daemon);
	ev_timer_stop(http->loop, &http->pending);
	/* At the limit libmicrohttpd listens no more; that there is room again, it sees
	 * when it runs the next time, for which there may be no other cause. */
	if (http->has_gone || MHD_get_timeout(http->daemon, &ms) == MHD_YES) {
		ev_timer_set(&http->pending, (double)ms / 1000, 0);
		ev_timer_start(http->loop, &http->pending);
	}
}

static void
on_epoll(struct ev_loop *loop BF_UNUSED, struct ev_io *watcher,
    int revents BF_UNUSED)
{
	turn(watcher->data);
}

static void
on_pending(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	turn(watcher->data);
}

static void
on_drained(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct http *http = watcher->data;

	http->on_drained(http->drained_arg);
}

static struct MHD_Daemon *
start_daemon(struct http *http, const struct http_options *options)
{
	return MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
	    MHD_USE_TURBO, 0, NULL, NULL, on_access, http,
	    MHD_OPTION_EXTERNAL_LOGGER, on_log, http,
	    MHD_OPTION_LISTEN_SOCKET, options->listen_fd,
#if MHD_VERSION < 0x00097701
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
#else
	    MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1,
#endif
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
	    MHD_OPTION_CONNECTION_LIMIT, options->connections_max,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT,
	    options->connections_per_address_max,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_REQUEST_BYTES,
	    MHD_OPTION_URI_LOG_CALLBACK, on_request_line, http,
	    MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, http,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
	    MHD_OPTION_END);
}

int
http_new(struct ev_loop *loop, struct api *api, const struct http_options *options,
    struct http **http_out, struct err *err)
{
	struct http *http = xcalloc(1, sizeof(*http));
	int epoll_fd;

	http->api = api;
	http->loop = loop;
	http->timeout_secs = (double)options->timeout_ms / 1000;
	TAILQ_INIT(&http->timed);
	ev_timer_init(&http->overdue, on_overdue, 0, 0);
	ev_timer_init(&http->pending, on_pending, 0, 0);
	ev_timer_init(&http->drained, on_drained, 0, 0);
	http->overdue.data = http->pending.data = http->drained.data = http;

	http->daemon = start_daemon(http, options);
	if (http->daemon == NULL) {
		free(http);
		return err_errno(err, "MHD_start_daemon()");
	}
	epoll_fd = MHD_get_daemon_info(http->daemon,
	    MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	ev_io_init(&http->epoll, on_epoll, epoll_fd, EV_READ);
	http->epoll.data = http;
	ev_io_start(loop, &http->epoll);
	*http_out = http;
	return 0;
}

unsigned
http_connections(const struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->
	    num_connections;
}

static void
stop_listening(struct http *http)
{
	int fd = MHD_quiesce_daemon(http->daemon);

	fd_close(&fd);
}

void
http_free(struct http **http)
{
	struct http *h = *http;

	if (h == NULL)
		return;
	stop_listening(h);
	(void)MHD_run(h->daemon);	/* takes note of what was resumed */
	MHD_stop_daemon(h->daemon);
	ev_io_stop(h->loop, &h->epoll);
	ev_timer_stop(h->loop, &h->pending);
	ev_timer_stop(h->loop, &h->overdue);
	ev_timer_stop(h->loop, &h->drained);
	free(h);
	*http = NULL;
}

void
http_drain(struct http *http, http_drained_cb *on_drained_cb, void *arg)
{
	stop_listening(http);
	http->on_drained = on_drained_cb;
	http->drained_arg = arg;
	report_drained(http);
}

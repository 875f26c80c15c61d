#include "fetch/http_impl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "common/certs.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"

#define ACTIVE_DEFAULT	32
/* Per transfer: two sockets race to connect, a pair wakes us up from the
 * resolver's thread, which has a socket of its own. */
#define FDS_PER_TRANSFER 5
#define FDS_FOR_OTHERS	20	/* the loop, channels, spill files, libcurl's own */

#define URL_IN_TEXT	140	/* bytes of it in a text that has a reason too */

const struct http_limits HTTP_LIMITS_SMALL = {
	.body_bytes = LIMIT_FETCH_JSON_BYTES,
	.connect_ms = 10 * 1000,
	.head_ms = 30 * 1000,
	.total_ms = 60 * 1000,
	.slow_ms = 20 * 1000,
	.slow_bytes = 1024,
	.redirects = 0,
	.attempts = 5,
	.wait_ms = 30 * 60 * 1000,
};

const struct http_limits HTTP_LIMITS_REPO = {
	.body_bytes = LIMIT_FETCH_REPO_BYTES,
	.connect_ms = 10 * 1000,
	.head_ms = 60 * 1000,
	.total_ms = 30 * 60 * 1000,
	.slow_ms = 30 * 1000,
	.slow_bytes = 30 * 1024,
	.redirects = LIMIT_FETCH_REDIRECTS,
	.attempts = 5,
	.wait_ms = 30 * 60 * 1000,
};

void
http_set_state(struct http_request *req, enum request_state state)
{
	struct http *http = req->http;

	assert(req->state != REQUEST_DEAD);
	TAILQ_REMOVE(&http->requests[req->state], req, link);
	req->state = state;
	TAILQ_INSERT_TAIL(&http->requests[state], req, link);
	if (state == REQUEST_WAITING)
		http->start_is_due = true;
	if (state == REQUEST_DEAD && --http->request_count == 0)
		ev_unref(http->loop);
	if (state != REQUEST_ACTIVE)
		http_clock_stop(req);
}

static bool
may_end(const struct http_request *req)
{
	return req->state == REQUEST_WAITING || req->state == REQUEST_ACTIVE;
}

void
http_end(struct http_request *req, enum fetch_class class, const char *fmt, ...)
{
	char why[FETCH_TEXT_SIZE];
	va_list ap;

	if (!may_end(req))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	fetch_error_set(&req->result.error, class, "%.*s: %s", URL_IN_TEXT, req->url,
	    why);
	req->refusals += class == FETCH_RATE_LIMITED;
	http_set_state(req, REQUEST_ENDED);
}

void
http_end_well(struct http_request *req)
{
	if (!may_end(req))
		return;
	fetch_error_set(&req->result.error, FETCH_OK, "%s", "");
	http_set_state(req, REQUEST_ENDED);
}

void
http_hand_over_head(struct http_request *req, const struct http_head *head)
{
	req->has_handed_over = true;
	if (req->get.on_head == NULL)
		return;
	req->http->in_callback = true;
	req->get.on_head(req, head, req->get.arg);
	req->http->in_callback = false;
}

void
http_hand_over_body(struct http_request *req, struct bytes chunk)
{
	req->http->in_callback = true;
	req->get.on_body(req, chunk, req->get.arg);
	req->http->in_callback = false;
}

/* The transfers that the limit on descriptors leaves room for; at least one. */
static unsigned
active_max(unsigned wanted)
{
	struct rlimit limit;
	rlim_t fit;

	if (wanted == 0)
		wanted = ACTIVE_DEFAULT;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return wanted;
	if (limit.rlim_cur < FDS_FOR_OTHERS + FDS_PER_TRANSFER)
		return 1;
	fit = (limit.rlim_cur - FDS_FOR_OTHERS) / FDS_PER_TRANSFER;
	return fit < wanted ? (unsigned)fit : wanted;
}

void
http_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();	/* no memory, or a TLS library that does not fit */
}

void
http_exit(void)
{
	curl_global_cleanup();
}

/* A copy; NULL if it is not set, or empty. */
static char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? xstrdup(value) : NULL;
}

struct http *
http_new(struct ev_loop *loop, const struct http_options *options)
{
	struct http *http = xcalloc(1, sizeof(*http));

	http->loop = loop;
	http->options = *options;
	http->ca_file = variable(CERTS_FILE_VARIABLE);
	http->ca_dir = variable(CERTS_DIR_VARIABLE);
	http->active_max = active_max(options->total_max);
	http->polite = polite_new(&options->polite);
	for (size_t i = 0; i < REQUEST_STATES; i++)
		TAILQ_INIT(&http->requests[i]);
	/* Never blocks or fails for so few bytes (getrandom(2)), and a failure
	 * would only make our pauses less random. */
	(void)!getrandom(http->chance, sizeof(http->chance), 0);
	http->multi = curl_multi_init();
	if (http->multi == NULL)
		abort();
	/* Idle connections give way to new ones, so that descriptors suffice. */
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS,
	    (long)http->active_max);
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
	    (long)http->active_max);
	http_loop_init(http);
	return http;
}

void
http_free(struct http **http)
{
	if (*http == NULL)
		return;
	assert(!(*http)->in_callback);
	for (int state = REQUEST_WAITING; state < REQUEST_DEAD; state++) {
		struct http_request *req;

		while ((req = TAILQ_FIRST(&(*http)->requests[state])) != NULL)
			http_set_state(req, REQUEST_DEAD);
	}
	http_sweep_dead(*http);
	(void)curl_multi_cleanup((*http)->multi);
	http_loop_clear(*http);
	polite_free(&(*http)->polite);
	free((*http)->ca_file);
	free((*http)->ca_dir);
	free(*http);
	*http = NULL;
}

static void
apply_options(struct http_limits *limits, const struct http_options *options,
    bool is_bulk)
{
	if (options->attempts > 0)
		limits->attempts = options->attempts;
	if (options->connect_ms > 0)
		limits->connect_ms = options->connect_ms;
	if (options->wait_ms > 0)
		limits->wait_ms = options->wait_ms;
	if (options->bulk_total_ms > 0 && is_bulk)
		limits->total_ms = options->bulk_total_ms;
}

/* Takes ownership of body. */
static struct http_request *
begin(struct http *http, const struct http_get *get, struct http_body *body)
{
	struct http_request *req = xcalloc(1, sizeof(*req));

	req->http = http;
	req->get = *get;
	req->limits = *get->limits;
	apply_options(&req->limits, &http->options, get->is_bulk);
	req->first_url = xstrdup(get->url);
	req->url = xstrdup(get->url);
	req->accept = get->accept != NULL ? xstrdup(get->accept) : NULL;
	if (get->authorization != NULL)
		req->authorization = xstrdup(get->authorization);
	req->body = body;
	if (body != NULL)
		req->limits.redirects = 0;
	req->is_trusted = get->is_trusted;
	req->result.retry_after_ms = -1;
	http_clock_init(req);
	/* Between two attempts it may be the turn alone that keeps the loop going. */
	if (http->request_count++ == 0)
		ev_ref(http->loop);
	TAILQ_INSERT_TAIL(&http->requests[REQUEST_WAITING], req, link);
	http->start_is_due = true;
	http_find_host(req);
	return req;
}

struct http_request *
http_get(struct http *http, const struct http_get *get)
{
	return begin(http, get, NULL);
}

struct http_request *
http_post(struct http *http, const struct http_get *get, const struct http_upload *upload)
{
	return begin(http, get, http_body_new(upload));
}

void
http_pause(struct http_request *req)
{
	req->is_paused = true;
	req->resume_is_due = false;
	http_clock_stop(req);
}

void
http_resume(struct http_request *req)
{
	if (req->is_paused && req->state == REQUEST_ACTIVE)
		req->resume_is_due = true;
	req->is_paused = false;
}

void
http_fail(struct http_request *req, enum fetch_class class, const char *fmt, ...)
{
	va_list ap;

	req->is_final = true;
	req->is_paused = false;
	if (!may_end(req))
		return;
	req->result.error.class = class;
	va_start(ap, fmt);
	(void)vsnprintf(req->result.error.text, FETCH_TEXT_SIZE, fmt, ap);
	va_end(ap);
	http_set_state(req, REQUEST_ENDED);
}

void
http_cancel(struct http_request **req)
{
	if (*req != NULL && (*req)->state != REQUEST_DEAD)
		http_set_state(*req, REQUEST_DEAD);
	*req = NULL;
}

unsigned
http_request_count(const struct http *http)
{
	return http->request_count;
}

uint64_t
http_received_bytes(const struct http *http)
{
	return http->received_bytes;
}

struct each_host {
	http_host_cb *cb;
	void *arg;
};

static void
on_each_host(const char *origin, struct polite_host *host, void *arg)
{
	const struct each_host *each = arg;
	struct polite_memory memory;

	if (polite_host_remember(host, clock_mono_ms(), &memory))
		each->cb(origin, &memory, each->arg);
}

void
http_each_host(struct http *http, http_host_cb *cb, void *arg)
{
	struct each_host each = { cb, arg };

	polite_each(http->polite, on_each_host, &each);
}

void
http_recall_host(struct http *http, const char *origin,
    const struct polite_memory *memory)
{
	struct polite_host *host;

	host = polite_host_get(http->polite, origin, clock_mono_ms());
	polite_host_recall(host, memory, clock_mono_ms());
	polite_host_put(host);
	http->start_is_due = true;
}

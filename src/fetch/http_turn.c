/*
 * http_turn.c - what is to be done with every request, once per turn of the loop.
 *
 * Runs before the loop sleeps, so never inside libcurl and never inside a call of
 * the API: only here are easy handles added, removed and freed.
 */
#include "fetch/http_impl.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"

void
http_find_host(struct http_request *req)
{
	struct http *http = req->http;
	bool allow_http = http->options.allow_plain_http || req->is_trusted;
	char origin[URL_ORIGIN_SIZE];
	struct fetch_error error;
	struct url url;

	if (req->host != NULL)
		polite_host_put(req->host);
	req->host = NULL;
	if (url_parse(str_from(req->url), allow_http, &url, &error) == -1) {
		http_end(req, error.class, "%s", error.text);
		return;
	}
	url_format_origin(&url, origin);
	req->host = polite_host_get(http->polite, origin, clock_mono_ms());
}

/* Take an easy handle out of the multi handle and tell its host how it went. */
static void
detach(struct http_request *req, bool has_report)
{
	struct http *http = req->http;
	struct polite_report report = {
		.class = req->result.error.class,
		.retry_after_ms = req->result.retry_after_ms,
		.has_budget = req->has_budget,
		.budget_left = req->budget_left,
		.budget_reset_ms = req->budget_reset_ms,
	};

	if (req->easy == NULL)
		return;
	curl_multi_remove_handle(http->multi, req->easy);
	http_transfer_close(req);
	http->active--;
	http->start_is_due = true;
	polite_host_end(req->host, req->get.is_bulk, has_report ? &report : NULL,
	    erand48(http->chance), clock_mono_ms());
}

static void
leave_origin(struct http_request *req)
{
	req->is_trusted = false;
	free(req->authorization);
	req->authorization = NULL;
}

static void
follow_redirect(struct http_request *req)
{
	struct url from, to;
	struct fetch_error error;
	char origins[2][URL_ORIGIN_SIZE];

	/* What the configuration says of one origin holds for no other. */
	if (url_parse(str_from(req->url), true, &from, &error) == -1 ||
	    url_parse(str_from(req->redirect), true, &to, &error) == -1) {
		leave_origin(req);
	} else {
		url_format_origin(&from, origins[0]);
		url_format_origin(&to, origins[1]);
		if (strcmp(origins[0], origins[1]) != 0)
			leave_origin(req);
	}
	free(req->url);
	req->url = req->redirect;
	req->redirect = NULL;
	req->hops++;
	http_set_state(req, REQUEST_WAITING);
	http_find_host(req);
}

static bool
may_try_again(const struct http_request *req)
{
	enum fetch_class class = req->result.error.class;

	if (req->is_final || req->result.attempts == 0 ||
	    !fetch_class_is_transient(class) ||
	    (req->has_handed_over && req->get.on_restart == NULL))
		return false;
	if (class == FETCH_RATE_LIMITED)
		return req->refusals < LIMIT_FETCH_REFUSALS;
	return req->result.attempts - req->refusals < req->limits.attempts;
}

static void
try_again(struct http_request *req)
{
	struct http *http = req->http;

	if (req->has_handed_over) {
		http->in_callback = true;
		req->get.on_restart(req, req->get.arg);
		http->in_callback = false;
		if (req->state == REQUEST_DEAD || req->is_final)
			return;
	}
	req->has_handed_over = false;
	req->result.body_bytes = 0;
	req->hops = 0;
	req->is_trusted = req->get.is_trusted;
	free(req->url);
	req->url = xstrdup(req->first_url);
	http_clock_restart(req);
	http_set_state(req, REQUEST_WAITING);
	http_find_host(req);
}

static void
deliver(struct http_request *req)
{
	http_set_state(req, REQUEST_DEAD);
	req->result.error_body = buf_str(&req->error_body);
	req->http->in_callback = true;
	req->get.on_done(req, &req->result, req->get.arg);
	req->http->in_callback = false;
}

/* What follows from the end of an attempt.  False if that has to wait. */
static bool
settle(struct http_request *req)
{
	detach(req, !req->is_final);
	if (req->is_paused)
		return false;
	if (req->redirect != NULL && !req->is_final)
		follow_redirect(req);
	else if (may_try_again(req))
		try_again(req);
	else
		deliver(req);
	return true;
}

static void
settle_ended(struct http *http)
{
	struct http_request *req, *next;

	/* A callback may change any list; then the walk begins anew. */
	for (req = TAILQ_FIRST(&http->requests[REQUEST_ENDED]); req != NULL; req = next) {
		if (settle(req))
			next = TAILQ_FIRST(&http->requests[REQUEST_ENDED]);
		else
			next = TAILQ_NEXT(req, link);
	}
}

static void
free_request(struct http_request *req)
{
	TAILQ_REMOVE(&req->http->requests[req->state], req, link);
	if (req->host != NULL)
		polite_host_put(req->host);
	buf_clear(&req->error_body);
	http_body_free(&req->body);
	free(req->redirect);
	free(req->accept);
	free(req->authorization);
	free(req->first_url);
	free(req->url);
	free(req);
}

void
http_sweep_dead(struct http *http)
{
	struct http_request *req;

	while ((req = TAILQ_FIRST(&http->requests[REQUEST_DEAD])) != NULL) {
		detach(req, false);
		free_request(req);
	}
}

/* Let libcurl hand over what it kept while the request was paused. */
static void
resume_paused(struct http *http)
{
	struct http_request_list *active = &http->requests[REQUEST_ACTIVE];
	struct http_request *req, *next;

	for (req = TAILQ_FIRST(active); req != NULL; req = next) {
		if (!req->resume_is_due) {
			next = TAILQ_NEXT(req, link);
			continue;
		}
		req->resume_is_due = false;
		http_clock_resume(req);
		(void)curl_easy_pause(req->easy, CURLPAUSE_CONT);
		next = TAILQ_FIRST(active);
	}
}

static void
start(struct http_request *req)
{
	struct http *http = req->http;

	req->result.attempts += req->hops == 0;
	req->result.status = 0;
	req->result.retry_after_ms = -1;
	polite_host_begin(req->host, req->get.is_bulk, clock_mono_ms());
	http_transfer_open(req);
	http_set_state(req, REQUEST_ACTIVE);
	http->active++;
	http_clock_hop(req);
	if (curl_multi_add_handle(http->multi, req->easy) != CURLM_OK)
		abort();	/* out of memory is all that it can be */
}

static void
give_up_waiting(struct http_request *req, int64_t wait_ms)
{
	enum fetch_class failure = polite_host_fails_as(req->host);
	long long wait_s = wait_ms / 1000;

	req->is_final = true;
	req->result.retry_after_ms = wait_ms;
	if (failure == FETCH_OK)
		http_end(req, FETCH_RATE_LIMITED, "its host lets us wait %lld s", wait_s);
	else
		/* What was final for another request is not known to be so for this. */
		http_end(req, fetch_class_is_transient(failure) ? failure :
		    FETCH_UNREACHABLE, "its host fails (%s), next attempt in %lld s",
		    fetch_class_word(failure), wait_s);
}

/* Start what has its turn, in the order of arrival; wake up for the next one. */
static void
start_waiting(struct http *http)
{
	struct http_request_list *waiting = &http->requests[REQUEST_WAITING];
	struct http_request *req, *next;
	int64_t now = clock_mono_ms(), first = INT64_MAX;

	for (req = TAILQ_FIRST(waiting); req != NULL; req = next) {
		int64_t wait;

		next = TAILQ_NEXT(req, link);
		wait = polite_host_wait_ms(req->host, req->get.is_bulk, now);
		if (wait > req->limits.wait_ms) {
			give_up_waiting(req, wait);
		} else if (wait > 0) {
			first = wait < first ? wait : first;
		} else if (wait == 0 && http->active < http->active_max) {
			start(req);
		}
	}
	if (first != INT64_MAX)
		http_wake_in(http, first);
}

static bool
has_work_left(const struct http *http)
{
	const struct http_request *req;

	if (http->start_is_due || !TAILQ_EMPTY(&http->requests[REQUEST_DEAD]))
		return true;
	TAILQ_FOREACH(req, &http->requests[REQUEST_ENDED], link) {
		if (req->easy != NULL || !req->is_paused)
			return true;
	}
	return false;
}

void
http_turn(struct http *http)
{
	settle_ended(http);
	resume_paused(http);
	http_sweep_dead(http);
	if (http->start_is_due) {
		http->start_is_due = false;
		start_waiting(http);
	}
	/* Callbacks of this turn may have left work for another. */
	if (has_work_left(http))
		http_wake_in(http, 0);
}

/*
 * http_impl.h - the inside of http.h, shared by the http_*.c files.
 *
 * http.c is the API and http_loop.c puts libcurl on the loop; both, and
 * the callbacks of http_transfer.c, only mark what is to happen.  http_turn.c
 * does it, before the loop sleeps and so never inside libcurl.
 */
#ifndef BF_FETCH_HTTP_IMPL_H
#define BF_FETCH_HTTP_IMPL_H

#include <curl/curl.h>
#include <ev.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "fetch/http.h"
#include "fetch/url.h"

/*
 * waiting -> active -> ended -> dead.  A redirect goes from active back to
 * waiting.  Cancelling goes to dead from any state.
 */
enum request_state {
	REQUEST_WAITING,	/* for its turn; no easy handle */
	REQUEST_ACTIVE,		/* its easy handle is in the multi handle */
	REQUEST_ENDED,		/* the result is known; on_done is due */
	REQUEST_DEAD,		/* no callback any more; freed by the turn */
	REQUEST_STATES
};

struct http_body;

struct http_request {
	TAILQ_ENTRY(http_request) link;		/* in http->requests[state] */
	enum request_state state;
	struct http *http;			/* borrowed, outlives us */
	struct polite_host *host;		/* held; NULL if the URL is refused */
	struct http_get get;			/* its texts are not set */
	struct http_limits limits;

	/* owned */
	char *first_url;
	char *url;		/* of this hop */
	char *accept;
	char *authorization;	/* NULL: none, or not for this hop */
	struct http_body *body;	/* of a POST; NULL: a GET */
	CURL *easy;		/* while active and until the turn has seen the end */
	struct curl_slist *headers;
	struct buf error_body;

	struct http_result result;
	bool is_paused;
	bool resume_is_due;
	bool is_final;		/* the caller ended it: no redirect, no new attempt */
	bool has_handed_over;	/* a head, in this attempt */
	unsigned hops;		/* of this attempt */
	unsigned refusals;	/* 429s so far */
	bool is_trusted;	/* of this hop */

	/* The answer of this hop. */
	bool has_head;
	bool has_budget;	/* RateLimit-Remaining and -Reset were sent */
	uint64_t budget_left;
	int64_t budget_reset_ms;
	char *redirect;		/* owned; where to; NULL: nowhere */
	size_t header_bytes;
	unsigned header_count;
	unsigned blocked_addresses;	/* refused by the guard */
	unsigned tried_addresses;
	char curl_error[CURL_ERROR_SIZE];

	/* http_clock.c: ms under way are used_ms and, while the clock runs, those
	 * since running_since_ms. */
	ev_timer clock;
	bool is_running;
	int64_t running_since_ms;
	int64_t used_ms;
	int64_t hop_began_ms;		/* on the request's own clock */
	int64_t period_began_ms;	/* of the check for slowness; likewise */
	uint64_t period_bytes;		/* received in it */
};

TAILQ_HEAD(http_request_list, http_request);

struct http {
	struct ev_loop *loop;		/* borrowed, outlives us */
	struct http_options options;
	char *ca_file, *ca_dir;		/* owned; NULL: the system's */
	CURLM *multi;			/* owned */

	struct http_request_list requests[REQUEST_STATES];
	struct polite *polite;		/* owned */
	unsigned active;		/* easy handles in the multi handle */
	unsigned active_max;
	unsigned request_count;		/* not dead */
	uint64_t received_bytes;
	bool start_is_due;		/* a waiting request may have its turn now */
	bool in_callback;		/* of a user of ours */
	unsigned short chance[3];	/* erand48() */

	/* watchers */
	ev_prepare turn;
	ev_timer wake;			/* the next turn is due, for a waiting request */
	ev_timer curl_timer;
};

/* --- http.c --- */

/* The only writer of a request's state; keeps the lists and the count. */
void http_set_state(struct http_request *req, enum request_state state);

/* The result is known; the turn does what follows from it.  The first call of an
 * attempt counts.  The text is the reason; the URL is put in front. */
void http_end(struct http_request *req, enum fetch_class class, const char *fmt, ...)
    BF_PRINTF(3, 4);
void http_end_well(struct http_request *req);	/* FETCH_OK */

/* Call the user's callbacks, if the request still wants any. */
void http_hand_over_head(struct http_request *req, const struct http_head *head);
void http_hand_over_body(struct http_request *req, struct bytes chunk);

/* --- http_turn.c --- */

void http_turn(struct http *http);
void http_sweep_dead(struct http *http);

/* Aim a waiting request at the host of its URL, or end it if that is refused. */
void http_find_host(struct http_request *req);

/* --- http_loop.c --- */

void http_loop_init(struct http *http);
void http_loop_clear(struct http *http);
void http_wake_in(struct http *http, int64_t ms);	/* a turn, then */

/* --- http_transfer.c: one easy handle --- */

/* Make the easy handle for this hop.  The caller adds it to the multi handle. */
void http_transfer_open(struct http_request *req);

/* Free the easy handle, which is in no multi handle any more. */
void http_transfer_close(struct http_request *req);

/* libcurl is done with an active transfer: calls http_end(). */
void http_transfer_finished(struct http_request *req, CURLcode code);

/* --- http_upload.c: the body of a POST --- */

struct http_body *http_body_new(const struct http_upload *upload);
void http_body_free(struct http_body **body);	/* NULL is fine */

/* Make the easy handle of a hop send it.  headers get what it needs. */
CURLcode http_body_set(struct http_body *body, CURL *easy, struct curl_slist **headers);

/* --- http_clock.c: the times of an attempt --- */

void http_clock_init(struct http_request *req);
void http_clock_restart(struct http_request *req);	/* a new attempt */
void http_clock_hop(struct http_request *req);		/* a transfer begins */
void http_clock_head(struct http_request *req);		/* the headers are complete */
void http_clock_stop(struct http_request *req);		/* paused, or over */
void http_clock_resume(struct http_request *req);

#endif

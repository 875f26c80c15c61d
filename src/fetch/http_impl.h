/*
 * http_impl.h - the inside of http.h, shared by http.c and http_transfer.c.
 *
 * http.c owns the loop's watchers, the lists and every change of state;
 * http_transfer.c owns what happens on one libcurl easy handle.  Calls of the API
 * and libcurl's callbacks only mark what is to happen; the turn, which runs
 * before the loop sleeps and so never inside libcurl, does it.
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

struct http_host {
	LIST_ENTRY(http_host) link;
	char origin[URL_ORIGIN_SIZE];
	unsigned requests;	/* of any state that name this host */
	unsigned active;
	unsigned bulk_active;
};

struct http_request {
	TAILQ_ENTRY(http_request) link;		/* in http->requests[state] */
	enum request_state state;
	struct http *http;			/* borrowed, outlives us */
	struct http_host *host;			/* borrowed; NULL if the URL is bad */
	struct http_get get;			/* url and accept are not set */
	struct http_limits limits;

	/* owned */
	char *url;		/* of this hop */
	char *accept;
	CURL *easy;		/* while active and until the turn has seen the end */
	struct curl_slist *headers;
	struct buf error_body;

	struct http_result result;
	bool is_paused;
	bool resume_is_due;
	unsigned hops;
	bool is_trusted;	/* of this hop */

	/* The answer of this hop. */
	bool has_head;
	struct buf redirect;	/* where to, with a NUL; empty: nowhere */
	size_t header_bytes;
	unsigned header_count;
	unsigned blocked_addresses;	/* refused by the guard */
	unsigned tried_addresses;
	char curl_error[CURL_ERROR_SIZE];

	/* Seconds under way: used_s, and since running_since unless paused. */
	ev_timer clock;
	ev_tstamp running_since;
	ev_tstamp used_s;
	ev_tstamp hop_began_s;		/* of the seconds under way */
	ev_tstamp period_began_s;	/* of the check for slowness; likewise */
	uint64_t period_bytes;		/* received in it */
};

TAILQ_HEAD(http_request_list, http_request);
LIST_HEAD(http_host_list, http_host);

struct http {
	struct ev_loop *loop;		/* borrowed, outlives us */
	struct http_options options;
	CURLM *multi;			/* owned */

	struct http_request_list requests[REQUEST_STATES];
	struct http_host_list hosts;
	unsigned active;		/* easy handles in the multi handle */
	unsigned request_count;		/* not dead */
	uint64_t received_bytes;
	bool in_callback;		/* of a user of ours */

	/* watchers */
	ev_prepare turn;
	ev_timer again;			/* something is left for the next turn */
	ev_timer curl_timer;
};

/* The only writer of a request's state; keeps the lists and counts. */
void http_set_state(struct http_request *req, enum request_state state);

/* The result is known: on_done is due. */
void http_end(struct http_request *req, enum fetch_class class, const char *fmt, ...)
    BF_PRINTF(3, 4);

/* Make the easy handle for this hop.  The caller adds it to the multi handle. */
void http_transfer_open(struct http_request *req);

/* Free the easy handle, which is in no multi handle any more. */
void http_transfer_close(struct http_request *req);

/* libcurl is done with a transfer: either http_end() or a redirect is set. */
void http_transfer_finished(struct http_request *req, CURLcode code);

#endif

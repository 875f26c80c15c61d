/*
 * http.h - HTTP requests on one libev loop, for hosts that we do not trust.
 *
 * Process: workers.  http_init() is called once, before http_new() and before any
 * thread exists.
 *
 * A request waits for its turn (polite.h), is connected to an address that
 * guard.h allows, follows few redirects under the same rules, is tried again
 * after a transient failure, and ends in exactly one call of its done callback,
 * unless it is cancelled: then no callback comes any more.  Callbacks run on the
 * loop, never inside a call of this API.  From inside any callback every function
 * here may be called, for any request, except http_free().
 *
 * The environment is ignored, but for the certificates that it names (common/certs.h):
 * no proxy variables, no netrc, no cookies.  Bodies are counted as they are handed
 * over, after any decoding.
 *
 * For a sandbox: names are resolved by libcurl in threads of its own, one per
 * look-up, which may outlive their request; they and OpenSSL read resolv.conf,
 * hosts, nsswitch.conf, its modules and the CA file.  Sockets are AF_INET, AF_INET6
 * and AF_UNIX pairs.
 */
#ifndef BF_FETCH_HTTP_H
#define BF_FETCH_HTTP_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"
#include "fetch/fetch_error.h"
#include "fetch/polite.h"

struct http;
struct http_request;

struct http_options {
	/* Borrowed until http_free(). */
	const char *user_agent;		/* "backfilld/1.0 (+https://contact)" */

	bool allow_private_addresses;	/* development: all but link-local ones */
	bool allow_plain_http;		/* development: http:// as well */

	/* Requests under way at the same time; 0: 32.  Lowered to what
	 * RLIMIT_NOFILE leaves room for. */
	unsigned total_max;
	struct polite_options polite;	/* per host; all 0: the defaults */
	uint64_t *answers_429;		/* borrowed; each is added to it.  NULL: nobody counts */

	/* What the operator decides for all requests; 0: what their limits say. */
	unsigned attempts;
	int64_t connect_ms;
	int64_t bulk_total_ms;		/* total_ms of the large downloads */
	int64_t wait_ms;		/* a host that lets us wait longer ends it */
};

/*
 * What bounds one request.  Times are in ms.  Those of an attempt count only
 * while it is under way and not paused.
 */
struct http_limits {
	uint64_t body_bytes;		/* of a 2xx answer, decoded */
	int64_t connect_ms;		/* attempt: name, address, TLS */
	int64_t head_ms;		/* attempt: until the headers are there */
	int64_t total_ms;		/* attempt: all of it, redirects included */
	int64_t slow_ms;		/* attempt: ended by less than slow_bytes */
	uint64_t slow_bytes;		/*   of body in a period this long */
	unsigned redirects;		/* followed; 0: any is FETCH_INVALID */

	/* A transient failure is tried again so often in all, with a growing pause.
	 * 429 does not count: it is waited for. */
	unsigned attempts;
	/* If its host makes it wait longer than this before an attempt, the request
	 * ends with what the host did (FETCH_RATE_LIMITED, or as what it failed at
	 * last; FETCH_UNREACHABLE for what is not transient) and retry_after_ms. */
	int64_t wait_ms;
};

extern const struct http_limits HTTP_LIMITS_SMALL;	/* JSON, DID documents */
extern const struct http_limits HTTP_LIMITS_REPO;	/* getRepo, getBlob */

/* The head of the answer; valid during the callback. */
struct http_head {
	unsigned status;		/* 2xx */
	struct str content_type;	/* without parameters; as sent; may be empty */
	int64_t content_length;		/* -1: not told */
};

struct http_result {
	struct fetch_error error;	/* FETCH_OK: a complete 2xx answer */
	unsigned status;		/* of the last answer; 0: none came */
	uint64_t body_bytes;		/* given to the body callback */
	/* How long the server asks us to wait, clamped to the limits of limits.h;
	 * -1: it did not say. */
	int64_t retry_after_ms;
	unsigned attempts;		/* made; 0: it never had its turn */
	/* False if the end of the body was only the end of the connection, so
	 * that a cut cannot be told from the end. */
	bool end_is_marked;
	/* An answer other than 2xx, up to LIMIT_FETCH_ERROR_BODY_BYTES.  Borrowed
	 * for the callback. */
	struct str error_body;
};

/* A 2xx answer begins.  Not called for any other answer. */
typedef void http_head_cb(struct http_request *req, const struct http_head *head,
    void *arg);

/* Bytes of a 2xx answer, never empty. */
typedef void http_body_cb(struct http_request *req, struct bytes chunk, void *arg);

/* What was handed over is void: the request begins again with the head. */
typedef void http_restart_cb(struct http_request *req, void *arg);

/* The end.  The request is freed when this returns. */
typedef void http_done_cb(struct http_request *req, const struct http_result *result,
    void *arg);

struct http_get {
	const char *url;		/* copied */
	const char *accept;		/* copied; NULL: any type */
	const struct http_limits *limits; /* copied */

	/* A value of the header Authorization, or NULL; copied.  It is for the URL's
	 * origin: a redirect elsewhere goes without it, for good. */
	const char *authorization;

	/* The URL stands in the configuration: plain http and private addresses
	 * are its author's decision.  Does not extend to where it redirects. */
	bool is_trusted;
	/* Ask for gzip.  Decoded bytes are bounded in number and in ratio; leave it
	 * off for bodies that may be paused, since libcurl decodes ahead. */
	bool accept_gzip;
	/* A large download: of these a host gets few at a time, each by HTTP/1.1 on
	 * a connection of its own, so that a pause holds up nothing else. */
	bool is_bulk;

	http_head_cb *on_head;		/* may be NULL */
	http_body_cb *on_body;
	http_restart_cb *on_restart;	/* NULL: no new attempt after a head */
	http_done_cb *on_done;
	void *arg;
};

/* libcurl's own state, which is the process's. */
void http_init(void);
void http_exit(void);		/* so that a leak is told from what is still in use */

/* The loop and what options points to are borrowed until http_free(). */
struct http *http_new(struct ev_loop *loop, const struct http_options *options);

/* Cancels every request.  Not from inside a callback. */
void http_free(struct http **http);

/* Begin a GET.  Never fails at once: a URL that is refused ends in on_done. */
struct http_request *http_get(struct http *http, const struct http_get *get);

/* The body of a POST: these three, one behind the other. */
struct http_upload {
	const char *content_type;	/* copied */
	struct bytes head;		/* copied */
	int fd;				/* borrowed for the request; read by pread(2); -1: none */
	uint64_t fd_bytes;		/* of it, from its start on */
	struct bytes tail;		/* copied */
};

/*
 * As http_get(), with a body.  Only for services whose answer to the same body is
 * the same, since it is tried again likewise.  Redirects are not followed.  The
 * time of an upload counts as part of head_ms.
 */
struct http_request *http_post(struct http *http, const struct http_get *get,
    const struct http_upload *upload);

/*
 * Hand over nothing more until http_resume().  Both are idempotent.  For use once
 * the head was handed over; then no callback comes while the request is paused, not
 * even the last one.
 */
void http_pause(struct http_request *req);
void http_resume(struct http_request *req);

/*
 * End the request for a reason of the caller's, also while it is paused: the
 * transfer stops and on_done gets this class and text.  The first reason stays.
 */
void http_fail(struct http_request *req, enum fetch_class class,
    const char *fmt, ...) BF_PRINTF(3, 4);

/* Drop the request in any state; sets *req to NULL.  NULL is fine. */
void http_cancel(struct http_request **req);

/* Requests that have not ended, waiting ones included. */
unsigned http_request_count(const struct http *http);

/* Everything received as bodies since http_new(), in bytes. */
uint64_t http_received_bytes(const struct http *http);

/*
 * What was learned of hosts, to be kept and given back to a later process.  The
 * callback is called for each host of which something was.  Recalling a
 * host is possible at any time; the origin is as url.h writes it.
 */
typedef void http_host_cb(const char *origin, const struct polite_memory *memory,
    void *arg);
void http_each_host(struct http *http, http_host_cb *cb, void *arg);
void http_recall_host(struct http *http, const char *origin,
    const struct polite_memory *memory);

#endif

/*
 * http.h - the HTTP server: libmicrohttpd on the libev loop.
 *
 * libmicrohttpd has an epoll descriptor of its own with all connections in it;
 * that one descriptor is watched here and MHD_run() called when it stirs.  What
 * a request means is request.h's matter.
 *
 * One rule of time: within timeout_ms of being accepted, or of the answer
 * before, a connection has to deliver a whole request, and within the same time
 * it has to take the whole answer.  Bytes that trickle in do not prolong it.
 */
#ifndef BF_API_HTTP_H
#define BF_API_HTTP_H

#include <ev.h>
#include <stdint.h>

#include "api/address.h"
#include "common/attr.h"
#include "common/err.h"

struct api;
struct http;
struct http_conn;

struct http_options {
	int listen_fd;			/* taken over */
	unsigned connections_max;
	unsigned connections_per_address_max;
	int64_t timeout_ms;
};

/* api is borrowed, for the requests. */
int http_new(struct ev_loop *loop, struct api *api,
    const struct http_options *options, struct http **http_out, struct err *err)
    BF_MUSTCHECK;

/* Closes all connections.  No request may wait for the supervisor any more. */
void http_free(struct http **http);

/* Where it comes from. */
struct address http_conn_address(const struct http_conn *conn);
unsigned http_connections(const struct http *http);

/* The answer of a request that waited is written. */
void http_resume(struct http_conn *conn);

/*
 * Close the listening socket, finish the requests that are whole, then call
 * on_drained (at once if there are none, from the loop).  Answers close their
 * connections from now on.
 */
typedef void http_drained_cb(void *arg);
void http_drain(struct http *http, http_drained_cb *on_drained, void *arg);

#endif

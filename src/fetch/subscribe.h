/*
 * subscribe.h - an event stream: WebSocket messages of a server, on a libev loop
 * (spec: Event Stream; RFC 6455).
 *
 * One stream at a time.  libwebsockets speaks the protocol; the name is resolved and
 * each address judged by guard.h here, and the connection made to the very address
 * that was judged, under the server's name; each attempt in vain makes the next one
 * use another of them.  No redirect is followed, no proxy used.
 *
 * A stream that has begun ends in exactly one on_end(), unless it is closed from
 * here: then no event comes any more.  Events come from the loop, never from inside
 * a call; from inside any event all may be called but subscribe_free().
 *
 * Process: workers.  Beginning anew, and where, is the caller's.
 */
#ifndef BF_FETCH_SUBSCRIBE_H
#define BF_FETCH_SUBSCRIBE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"
#include "fetch/fetch_error.h"

struct subscribe;

struct subscribe_options {
	const char *user_agent;		/* borrowed */
	bool is_trusted;		/* as in struct http_get */
	bool allow_private_addresses;
	bool allow_plain_http;
	int64_t connect_ms;		/* name, address, TLS, upgrade */
	int64_t silence_ms;		/* then we ping; and after as long again it is dead */
	size_t message_bytes;		/* FETCH_TOO_LARGE beyond */
};

struct subscribe_events {
	void (*on_open)(void *arg);
	/* One binary message, borrowed for the call. */
	void (*on_message)(struct bytes message, void *arg);
	/*
	 * FETCH_OK: the server closed it in due form.  REFUSED and the like: it did
	 * not let us in.  UNREACHABLE, TIMEOUT, TLS, BLOCKED; TOO_LARGE and INVALID,
	 * a message that must not be.
	 */
	void (*on_end)(const struct fetch_error *error, void *arg);
};

/* The loop, options->user_agent and events are borrowed.  NULL if libwebsockets or
 * its libev plugin is not there. */
struct subscribe *subscribe_new(struct ev_loop *loop,
    const struct subscribe_options *options, const struct subscribe_events *events,
    void *arg);
void subscribe_free(struct subscribe **subscribe);

/* Begin a stream: an http(s) URL, with path and query.  None may be under way. */
void subscribe_open(struct subscribe *subscribe, const char *url);

/* Drop the stream, if there is one. */
void subscribe_close(struct subscribe *subscribe);

/* Hand over no message until subscribe_resume(); the server is then slowed down by
 * its full window.  Idempotent. */
void subscribe_pause(struct subscribe *subscribe);
void subscribe_resume(struct subscribe *subscribe);

/* Bytes of messages since subscribe_new(). */
uint64_t subscribe_received_bytes(const struct subscribe *subscribe);

#endif

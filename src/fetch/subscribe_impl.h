/*
 * subscribe_impl.h - the inside of subscribe.h.
 *
 * subscribe.c begins and ends streams; subscribe_stream.c is what libwebsockets calls
 * in between, and how a stream is paused.
 */
#ifndef BF_FETCH_SUBSCRIBE_IMPL_H
#define BF_FETCH_SUBSCRIBE_IMPL_H

#include <libwebsockets.h>

#include "common/buf.h"
#include "fetch/resolve.h"
#include "fetch/subscribe.h"

#define SUBSCRIBE_READ_BYTES	(64 * 1024)	/* libwebsockets reads at most, at a time */

enum subscribe_state {
	SUBSCRIBE_IDLE,
	SUBSCRIBE_RESOLVING,
	SUBSCRIBE_CONNECTING,
	SUBSCRIBE_OPEN,
};

struct subscribe {
	/* borrowed, outlive us */
	struct ev_loop *loop;
	const struct subscribe_events *events;
	void *arg;
	struct subscribe_options options;
	/* owned */
	struct lws_context *context;
	struct resolve *resolve;
	char *host;		/* of the URL, for the Host header and TLS */
	char *path;
	struct buf message;	/* as far as it has come */
	struct buf held;	/* whole ones that came in a pause: length, bytes, ... */

	enum subscribe_state state;
	struct lws *wsi;	/* the stream's; libwebsockets' own */
	uint16_t port;
	bool is_https;
	bool is_paused;
	bool is_stopped;	/* libwebsockets reads nothing */
	bool is_over;		/* it has ended; on_end() is for behind the held ones */
	bool ping_is_due, was_pinged;
	unsigned turn;		/* counts attempts in vain: which address is next */
	uint64_t received_bytes;
	struct fetch_error failure;	/* why we end it; or FETCH_OK */

	/* watchers */
	struct ev_timer deadline;	/* connecting, or silence */
	struct ev_timer refused;	/* the end is told from a turn of its own */
	struct ev_timer flow;		/* a pause or its end takes effect in the next turn */
};

/* --- subscribe.c --- */

/* It is over, for this reason: the text gets the server's name in front. */
void subscribe_end(struct subscribe *sub, const struct fetch_error *error);

/* A sign of life: the time of silence begins anew, but in a pause. */
void subscribe_heard(struct subscribe *sub);

/* --- subscribe_stream.c --- */

/* Of libwebsockets; `user` is the stream. */
int subscribe_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len);

/* Of the watcher `flow`. */
void subscribe_on_flow(struct ev_loop *loop, struct ev_timer *timer, int revents);

#endif

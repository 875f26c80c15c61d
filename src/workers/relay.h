/*
 * relay.h - the firehose of a relay, from a position up to now.
 *
 * Keeps one stream open, begins again where it was cut, puts the events in order and
 * notices what is missing.  No server can be trusted to say so itself: some begin
 * silently at the oldest event that they still have, or wait without a word when
 * asked for a number that they have not reached.
 *
 * "Now" is reached when many events in a row are of the time that was asked for, or
 * when the stream is open and nothing comes.  A single event proves nothing: its time
 * is its host's own word.
 * Process: the worker catch-up.
 */
#ifndef BF_WORKERS_RELAY_H
#define BF_WORKERS_RELAY_H

#include <stdint.h>

#include "atproto/firehose.h"
#include "common/attr.h"
#include "workers/replay_window.h"

struct relay;
struct sync_env;

struct relay_events {
	/* The next event with a number; both are borrowed for the call.  May pause. */
	void (*on_event)(const struct firehose_event *event, struct bytes frame,
	    const struct replay_position *position, void *arg);
	/* Events before this moment are missing, or may be.  May come again. */
	void (*on_loss)(const char *why, void *arg);
	void (*on_note)(const char *text, void *arg);
	/* The end, in one of these two; no event comes after it. */
	void (*on_caught_up)(void *arg);
	void (*on_failed)(const char *class, const char *text, void *arg);
};

/*
 * Begin behind a position; seq 0 is the oldest event that there is.  until_ms is wall
 * clock.  env, origin and events are borrowed.  NULL if libwebsockets is not there.
 */
struct relay *relay_new(const struct sync_env *env, const char *origin,
    const struct replay_position *from, int64_t until_ms,
    const struct relay_events *events, void *arg);
void relay_free(struct relay **relay);	/* not from inside an event */

/* Idempotent.  A pause lets the server wait. */
void relay_pause(struct relay *relay);
void relay_resume(struct relay *relay);

struct relay_stats {
	uint64_t bytes;		/* of messages */
	uint64_t repeated;	/* events that had come before */
	uint64_t unreadable;	/* frames that are none */
	uint64_t connections;
};
struct relay_stats relay_stats(const struct relay *relay);

#endif

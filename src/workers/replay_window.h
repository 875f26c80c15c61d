/*
 * replay_window.h - up to where a stream of events is taken in, whatever order the
 * events are done in.
 *
 * Events enter in the order of the stream and end in any order.  The position that
 * may be saved is that of the last event before which none is open.  Pure.
 * Process: workers; called by catch_up.c.
 */
#ifndef BF_WORKERS_REPLAY_WINDOW_H
#define BF_WORKERS_REPLAY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place in a stream, and what was counted up to it. */
struct replay_position {
	uint64_t seq;			/* of the last event; 0: the stream's start */
	int64_t time_ms;		/* that event's own time */
	uint64_t events;		/* of this operation so far */
	uint64_t recent;		/* the last so many events are of its own time */
};

struct replay_entry {
	struct replay_position position;
	bool is_done;
};

struct replay_window {
	struct replay_position done;	/* may be saved */
	/* owned: a ring of the open ones and those behind them */
	struct replay_entry *entries;
	size_t size, first, n;
	uint64_t first_id;		/* of the first entry */
};

void replay_window_init(struct replay_window *window,
    const struct replay_position *done);
void replay_window_clear(struct replay_window *window);

/* An event begins.  Returns its number, for replay_window_end(). */
uint64_t replay_window_begin(struct replay_window *window,
    const struct replay_position *position);
void replay_window_end(struct replay_window *window, uint64_t id);

/* Events that are open, and those done behind one that is. */
static inline size_t
replay_window_count(const struct replay_window *window)
{
	return window->n;
}

/*
 * The first event of a connection that asked for what comes after `known`: has the
 * server left something out?  Numbers may leap, as when a server forgets an account's
 * events, but then time does not: more than REPLAY_LEAP_EVENTS or REPLAY_LEAP_MS
 * between the two counts as a loss.  So does a number that fits at a time that does
 * not, which is another numbering.
 */
#define REPLAY_LEAP_EVENTS	1000
#define REPLAY_LEAP_MS		(10 * 1000)
bool replay_is_loss(const struct replay_position *known, uint64_t seq, int64_t time_ms);

#endif

/*
 * replay_total.h - how many events a catch-up will have read when it has caught up.
 *
 * No relay tells.  Its numbers have gaps, and what is the last one is known only to
 * who listens at the end, on a small relay for hours.  But each event has a time, and
 * where the stream was begun and how far it is to go are times, too.  So this is an
 * estimate, in events: those that were read, and for the rest of the time as many in
 * an hour of it as there were in an hour of what was read.  It is exact at the end.
 *
 * An event's time is its host's own word, so that the earliest of some events in a row
 * says how far the stream has come, and never goes back.  Until that is one hundredth
 * of the way there is no estimate.  An attempt that goes on begins with one of its own,
 * behind the position that it goes on from.  Pure.
 * Process: workers; called by catch_up.c.
 */
#ifndef BF_WORKERS_REPLAY_TOTAL_H
#define BF_WORKERS_REPLAY_TOTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/replay_window.h"

#define REPLAY_TOTAL_ROW	16	/* events in a row */

struct replay_total {
	int64_t until_ms;
	bool has_base;			/* else the next event is it */
	struct replay_position base;	/* where the time that is measured begins */
	int64_t times_ms[REPLAY_TOTAL_ROW];	/* a ring of the last ones */
	size_t seen;			/* behind the base */
	int64_t reached_ms;
	uint64_t events;		/* that were read, by all attempts */
};

/* The stream is read behind `from` up to until_ms; seq 0: from its start. */
void replay_total_init(struct replay_total *total, const struct replay_position *from,
    int64_t until_ms);

/* The next event. */
void replay_total_see(struct replay_total *total, const struct replay_position *at);

/* What lay between the last event and the next is missing: measure from there. */
void replay_total_skip(struct replay_total *total);

/*
 * Likewise of the relay's list of repositories, whose length no relay tells either: of
 * those that are indexed as many lie in what is left of it, for one that is listed, as
 * in what was read.  0: not known yet; so it is, too, once all are found that are
 * indexed, and there is more.
 */
uint64_t replay_total_listed(uint64_t listed, uint64_t known, uint64_t indexed);

/* 0: not known yet.  Never less than the events that were read. */
uint64_t replay_total_events(const struct replay_total *total);

#endif

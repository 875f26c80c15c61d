/*
 * pulse.h - has a process that is asked again and again gone silent?
 *
 * Whoever asks does so PULSE_ASKS times within the time after which silence counts.
 * If we were late ourselves, for having been stopped or busy, answers may wait to be
 * read: then the time begins anew.  Pure.  Callers: service.c, heartbeat.c.
 */
#ifndef BF_SUPERVISOR_PULSE_H
#define BF_SUPERVISOR_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#define PULSE_ASKS	4

struct pulse {
	int64_t asked_mono_ms;		/* the last time */
	int64_t heard_mono_ms;		/* the last answer */
};

void pulse_start(struct pulse *pulse, int64_t now_ms);

/* It is time to ask.  True: do not, it has been silent for longer than that. */
bool pulse_is_lost(struct pulse *pulse, uint64_t timeout_ms, int64_t now_ms);

#endif

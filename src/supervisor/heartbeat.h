/*
 * heartbeat.h - do the workers still turn their loops?
 *
 * A worker that has said `pong` of its own accord is sent pings from then on.  If it
 * does not answer for worker_timeout_ms, because it was stopped or hangs, it is told
 * to stop, and killed after the grace period; what then becomes of its operation is
 * for outcome.h.  A worker that never says `pong` is left alone, as is everybody
 * while the setting is 0.
 */
#ifndef BF_SUPERVISOR_HEARTBEAT_H
#define BF_SUPERVISOR_HEARTBEAT_H

#include "supervisor/child.h"

void heartbeat_init(struct supervisor *sup);

/* The settings have changed. */
void heartbeat_reload(struct supervisor *sup);

/* The worker has said `pong`. */
void heartbeat_heard(struct child *child);

#endif

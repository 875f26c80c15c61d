/*
 * shutdown.h - the staged stop.
 *
 *	RUNNING -> STOPPING_WORKERS -> STOPPING_SERVICES -> STOPPED
 *
 * No new work from the first moment; workers get SIGTERM (they send what the
 * indexer has acknowledged), SIGKILL after the grace period; then the API and
 * the indexer; then the loop ends and the store is closed.  Running operations
 * become queued again.  A second request to stop kills what is left at once.
 */
#ifndef BF_SUPERVISOR_SHUTDOWN_H
#define BF_SUPERVISOR_SHUTDOWN_H

#include "supervisor/supervisor.h"

void shutdown_init(struct supervisor *sup);

/* SIGTERM or SIGINT came. */
void shutdown_request(struct supervisor *sup);

/* A child or a service has ended: perhaps the next stage can begin. */
void shutdown_check(struct supervisor *sup);

#endif

/*
 * time_limit.h - the setting max_time_per_type: "did-sync=12h *=30d".
 *
 * Pure but for the timer.  Callers: conffile.c checks it; child_start.c starts the
 * timer of a worker, at whose end it is stopped with STOP_TIMEOUT.
 */
#ifndef BF_SUPERVISOR_TIME_LIMIT_H
#define BF_SUPERVISOR_TIME_LIMIT_H

#include "common/err.h"
#include "common/str.h"

struct child;

#define TIME_LIMIT_NONE	0

/* ERR_INVALID names the item that is not TYPE=TIME or *=TIME, TIME being a number and
 * s, min, h or d, at most 366 d. */
int time_limit_check(const char *list, struct err *err) BF_MUSTCHECK;

/* How long one attempt of a type, in its kebab spelling, may take: what is said of
 * it, or else what is said of "*", or TIME_LIMIT_NONE. */
uint64_t time_limit_ms(const char *list, struct str type);

/* Start the timer of a worker; after an upgrade its time begins anew. */
void time_limit_start(struct child *child);

#endif

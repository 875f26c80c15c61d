/*
 * reap.h - SIGCHLD: collect every child that has ended and tell who it was.
 *
 * The only place that waits for processes (the loop is not libev's default one,
 * which would reap by itself).  Until a child is collected here its pid cannot
 * be reused, so signals sent to children in the tables always hit the right
 * process.
 */
#ifndef BF_SUPERVISOR_REAP_H
#define BF_SUPERVISOR_REAP_H

#include "supervisor/supervisor.h"

/* Start watching SIGCHLD. */
void reap_init(struct supervisor *sup);

#endif

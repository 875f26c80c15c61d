/*
 * orphans.h - what a worker started and left behind.
 *
 * A process that leaves its worker's group by setsid(2) escapes the signals that
 * are sent there.  The supervisor is a subreaper (prctl(2)), so such a process
 * becomes its child when its parent ends, and is killed then.  Under a delegated
 * cgroup the kernel does the same at once.
 */
#ifndef BF_SUPERVISOR_ORPHANS_H
#define BF_SUPERVISOR_ORPHANS_H

#include "supervisor/supervisor.h"

/* Children that we have from before, as those of a run script that exec'ed us, are
 * not ours to kill. */
void orphans_init(struct supervisor *sup);

/* Kill every child that is neither a worker nor a service. */
void orphans_kill(struct supervisor *sup);

#endif

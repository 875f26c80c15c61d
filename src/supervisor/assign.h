/*
 * assign.h - what a worker is told and given: its operation, its temporary files
 * and, for a retry, the items that it is about.
 *
 * Called by child_start.c, which opens the files, and by on_worker.c once the
 * worker has said hello.
 */
#ifndef BF_SUPERVISOR_ASSIGN_H
#define BF_SUPERVISOR_ASSIGN_H

#include "supervisor/child.h"

/* Open as many unlinked temporary files in the state directory as the type wants:
 * a worker has no right to open one by itself.  *count_out tells how many there are
 * also when it fails; they are the caller's. */
int assign_open_spill_files(const struct supervisor *sup, const char *type,
    int fds_out[LIMIT_WORKER_SPILL_FILES], unsigned *count_out, struct err *err)
    BF_MUSTCHECK;

/* Send it all; the files go with it. */
int assign_send(struct child *child, struct err *err) BF_MUSTCHECK;

#endif

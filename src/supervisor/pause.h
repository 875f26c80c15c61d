/*
 * pause.h - the verbs pause and resume.
 *
 * A pause is a wish that is kept in the operation's record (paused_ms, paused_by).
 * A queued operation with it is not started.  The worker of a running one is told,
 * stops between two items, sends a checkpoint and ends; the operation is then
 * queued, with the wish.  Its status stays one of the lexicon's words throughout.
 * Nothing of it is lost by a restart of the daemon.
 */
#ifndef BF_SUPERVISOR_PAUSE_H
#define BF_SUPERVISOR_PAUSE_H

#include "supervisor/opctl.h"

struct child;

/* Both change nothing, and succeed, where what is asked for is so already.  Errors:
 * OperationNotFound, InvalidRequest (it has ended), DiskFull, InternalServerError. */
int opctl_pause(struct supervisor *sup, struct str id, struct str by,
    struct opctl_error *error) BF_MUSTCHECK;
int opctl_resume(struct supervisor *sup, struct str id, struct str by,
    struct opctl_error *error) BF_MUSTCHECK;

/* Tell the worker, once it has its assignment. */
void pause_tell(struct child *child);

#endif

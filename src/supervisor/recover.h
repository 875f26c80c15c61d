/*
 * recover.h - settle what an earlier run of the supervisor left behind.
 *
 * Run once, before anything is started.  The workers of that run are gone: the
 * kernel killed them with it.
 */
#ifndef BF_SUPERVISOR_RECOVER_H
#define BF_SUPERVISOR_RECOVER_H

#include "supervisor/supervisor.h"

/*
 * Every operation that the store says is running becomes: cancelled, if that was
 * asked for; failed, if it has used up max_attempts; otherwise queued again, to
 * go on from its checkpoint.
 */
int recover(struct supervisor *sup, struct err *err) BF_MUSTCHECK;

#endif

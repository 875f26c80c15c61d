/*
 * upgrade.h - the supervisor replaces itself by a newer one, in place.
 *
 * By SIGUSR2 or `backfillctl upgrade`.  The process stays the same one, and with it
 * its children: the executable is exec'ed again, and finds the lock, the listening
 * sockets, and every worker, service and client with all that is known of it in a
 * handover (handover.h).  Nobody notices but for a moment of silence.
 *
 * It does not begin unless the new executable runs and accepts the configuration;
 * whatever fails before the exec leaves everything as it was.  A newer supervisor
 * that does not understand the handover, or speaks another version of the protocol
 * than the processes that are there, ends them; their operations go on from their
 * checkpoints.
 */
#ifndef BF_SUPERVISOR_UPGRADE_H
#define BF_SUPERVISOR_UPGRADE_H

#include "supervisor/handover.h"
#include "supervisor/supervisor.h"

/* What main() was left by the supervisor before it. */
struct handover {
	bool is_there;
	struct buf bytes;		/* owned */
	struct bytes rest;		/* behind the head */
	struct handover_head head;	/* its texts point into bytes */
};

/* Called first of all by main(): where our executable is, before a newer one takes
 * its place. */
void upgrade_remember(char **argv);

const char *upgrade_executable(void);

/* Take what an earlier supervisor left, if there is anything.  What cannot be used is
 * closed, and whoever lives on from then is ended. */
void upgrade_take(struct handover *handover_out);

/* Part of supervisor_new(): enter all who are there.  On failure the handover is
 * damaged, and we are not fit to run. */
int upgrade_adopt(struct supervisor *sup, struct handover *handover, struct err *err)
    BF_MUSTCHECK;

/* Ask for it; the loop ends and supervisor_run() calls upgrade_run(). */
void upgrade_request(struct supervisor *sup);

/* Returns only if it was not possible; the reason is logged and told. */
void upgrade_run(struct supervisor *sup);

/* Part of upgrade_run() (upgrade_write.c): write the records, and list the descriptors
 * that have to stay open, in *fds: an array of int. */
void upgrade_write(struct supervisor *sup, struct buf *to, struct buf *fds);

#endif

/*
 * spawn.h - start a child process as fdlayout.h promises it.
 *
 * The child is exec'ed with: standard input from /dev/null, standard output and
 * error of ours, fd 3 and fd 4 as given and no other descriptor; a session of
 * its own; default signals; no core dumps, no new privileges; SIGKILL when the
 * supervisor dies (unless it may outlive it); and an environment of only those
 * variables that spawn.c lists.
 */
#ifndef BF_SUPERVISOR_SPAWN_H
#define BF_SUPERVISOR_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

struct spawn_plan {
	const char *path;	/* of the executable */
	const char *name;	/* argv[0] */
	const char *label;	/* argv[1], for ps(1); NULL: none */
	int control_fd;		/* becomes fd 3; stays the caller's */
	int second_fd;		/* becomes fd 4, or -1: none; stays the caller's */
	bool may_outlive_us;
	unsigned max_files;	/* RLIMIT_NOFILE; 0: as ours */
};

/*
 * Returns once the program is running or has failed to.  ERR_NOT_FOUND: the
 * executable is missing or cannot be executed; ERR_UNAVAILABLE: no process can
 * be had now (limits), worth another try; ERR_SYSTEM otherwise.
 */
int spawn(const struct spawn_plan *plan, pid_t *pid_out, struct err *err)
    BF_MUSTCHECK;

#endif

/*
 * spawn.h - start a child process as fdlayout.h promises it.
 *
 * The child is exec'ed with: standard input from /dev/null, standard output and
 * error of ours, fd 3 and fd 4 as given and no other descriptor; a session of
 * its own; default signals; no core dumps, no new privileges; the limits, the
 * cgroup and the user of the plan; SIGKILL when the supervisor dies (unless it may
 * outlive it); and an environment of only those variables that spawn.c lists.
 */
#ifndef BF_SUPERVISOR_SPAWN_H
#define BF_SUPERVISOR_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

/* RLIMIT_...; soft and hard; 0: as ours. */
struct spawn_limits {
	uint64_t files;
	uint64_t memory_bytes;		/* of addresses */
	uint64_t cpu_secs;		/* then SIGXCPU, and SIGKILL soon after */
	uint64_t file_bytes;		/* of any file that it writes */
	uint64_t processes;		/* of the user in all; does not hold for root */
};

struct spawn_user {
	uid_t uid;
	gid_t gid;			/* its only group */
};

struct spawn_plan {
	const char *path;	/* of the executable */
	const char *name;	/* argv[0] */
	const char *label;	/* argv[1], for ps(1); NULL: none */
	int control_fd;		/* becomes fd 3; stays the caller's */
	int second_fd;		/* becomes fd 4, or -1: none; stays the caller's */
	int cgroup_fd;		/* the directory of its cgroup, or -1: that of ours; stays
				 * the caller's */
	bool may_outlive_us;
	bool dies_first;	/* when memory runs out, rather than we */
	struct spawn_limits limits;
	const struct spawn_user *user;	/* NULL: as we are */
};

/*
 * Returns once the program is running or has failed to; then its process has been
 * reaped.  Where it cannot be made in
 * its cgroup that is logged, and it is in ours.  ERR_NOT_FOUND: the
 * executable is missing or cannot be executed; ERR_UNAVAILABLE: no process can
 * be had now (limits), worth another try; ERR_SYSTEM otherwise.
 */
int spawn(const struct spawn_plan *plan, pid_t *pid_out, struct err *err)
    BF_MUSTCHECK;

#endif

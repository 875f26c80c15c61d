/*
 * cgroup.h - a cgroup for each worker, where the kernel and the init system allow it.
 *
 * It needs a part of the hierarchy of cgroup v2 that is ours to divide, by systemd's
 * Delegate= for example:
 *
 *	BASE/supervisor		the daemon and its services; BASE itself stays empty,
 *				since only below such a one there are limits
 *	BASE/worker-ID		the worker of the operation ID and whatever it starts,
 *				also what leaves its session
 *
 * What the kernel does not have (a controller, cgroup.kill of Linux 5.14) is done
 * without.  Process: supervisor.  Callers: contain.c has it, those who start, kill and
 * reap workers use it.  Where a struct cgroup is taken by functions about one worker,
 * NULL is fine: there is none, and nothing happens.
 */
#ifndef BF_SUPERVISOR_CGROUP_H
#define BF_SUPERVISOR_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

#define CGROUP_PATH_SIZE	4096
#define CGROUP_LACKS_SIZE	32

struct cgroup;

struct cgroup_limits {
	uint64_t memory_bytes;		/* really used, by all of it together */
	uint64_t processes;		/* and threads */
};

/* Is this a value of the setting: "auto", "off", an absolute path? */
bool cgroup_is_setting(const char *value);

/*
 * Which cgroup is BASE, as the setting says; with "auto" it is the one in which we
 * run, if it was delegated or nobody else can have a use for it.  ERR_NOT_FOUND:
 * there is none, and why.
 */
int cgroup_find(const char *setting, char path_out[CGROUP_PATH_SIZE], struct err *err)
    BF_MUSTCHECK;

/* Move into BASE/supervisor, and have limits for the others.  is_moved: the supervisor
 * before this one did.  NULL: it cannot be had, and why. */
struct cgroup *cgroup_new(const char *path, bool is_moved, struct err *err);
void cgroup_free(struct cgroup **cgroup);

const char *cgroup_path(const struct cgroup *cgroup);	/* of BASE */

/* What there is not, of "memory, pids, kill"; empty: nothing. */
void cgroup_lacks(const struct cgroup *cgroup, char lacks_out[CGROUP_LACKS_SIZE]);

/* --- about one worker --- */

/* Make its cgroup.  *dir_out is its directory, the caller's, for spawn.h. */
int cgroup_make(struct cgroup *cgroup, const char *id, const struct cgroup_limits *limits,
    int *dir_out, struct err *err) BF_MUSTCHECK;

/* SIGKILL to all that is in it. */
void cgroup_kill(const struct cgroup *cgroup, const char *id);

/* The kernel has killed it for want of memory. */
bool cgroup_ran_out(const struct cgroup *cgroup, const char *id);

/* The worker was reaped: kill what is left, and remove it; if that takes a moment, by
 * cgroup_sweep(). */
void cgroup_remove(struct cgroup *cgroup, const char *id);

/* --- what is left over --- */

/* Does the operation have a worker? */
typedef bool cgroup_has_worker_cb(struct str id, void *arg);

bool cgroup_has_leftovers(const struct cgroup *cgroup);

/* Kill and remove what belongs to no worker: of a daemon before us, or left over. */
void cgroup_sweep(struct cgroup *cgroup, cgroup_has_worker_cb *has_worker, void *arg);

/* --- pure, what the kernel's files say --- */

/* Our cgroup, of /proc/self/cgroup: the path behind "0::".  -1: there is none. */
int cgroup_parse_own(struct str text, struct str *path_out) BF_MUSTCHECK;

/* The number behind a name, of memory.events for example; 0 if it is not there. */
uint64_t cgroup_parse_event(struct str text, struct str name);

#endif

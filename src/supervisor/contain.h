/*
 * contain.h - what keeps a worker from hurting anything but its operation.
 *
 * The supervisor sets what has to be set before exec (spawn.h): limits, user, cgroup.
 * What a process gives up by itself (confine/confine.h) it reports; the reports are
 * kept here, for `backfillctl doctor`, and what is missing is logged once.
 */
#ifndef BF_SUPERVISOR_CONTAIN_H
#define BF_SUPERVISOR_CONTAIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "proto/msg.h"
#include "supervisor/cgroup.h"
#include "supervisor/handover.h"
#include "supervisor/spawn.h"
#include "supervisor/supervisor.h"

#define CONTAIN_REPORTS_MAX	64

struct contain_report {
	char program[32];	/* "backfill-api", or a type */
	char part[32];		/* "files" */
	bool is_active;
	char why[128];		/* it is not */
};

struct contain {
	bool has_user;
	struct spawn_user user;
	struct cgroup *cgroup;		/* owned; NULL: workers get none */
	char why_no_cgroup[256];
	struct contain_report reports[CONTAIN_REPORTS_MAX];	/* the latest */
	size_t count;
};

/*
 * Find the user and the cgroups of the workers; after the state directory is
 * open.  before: what an earlier supervisor left, or NULL.  ERR_INVALID: worker_user
 * is nobody that the system knows.
 */
int contain_init(struct supervisor *sup, const struct handover_head *before,
    struct err *err) BF_MUSTCHECK;
void contain_free(struct contain **contain);

/* Limits and user of a worker. */
void contain_worker(const struct supervisor *sup, struct spawn_plan *plan);

/* Its cgroup, if it can have one: plan->cgroup_fd is the caller's then. */
void contain_make_cgroup(struct supervisor *sup, const char *id, struct spawn_plan *plan);

/* End what is in cgroups of workers that there are not. */
void contain_sweep(struct supervisor *sup);

/* The same for a service that reads from the network. */
void contain_service(const struct supervisor *sup, struct spawn_plan *plan);

/* A child has said what became of its confinement. */
void contain_report(struct supervisor *sup, const char *program,
    const struct msg_confined *confined);

#endif

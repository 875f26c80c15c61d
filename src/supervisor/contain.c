#include "supervisor/contain.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "supervisor/child.h"

#define PRESET_USER	"backfilld"

/* --- the user --- */

/*
 * What a worker of another user writes is its own from the beginning; to get there it
 * has to pass through the state directory, without being able to list it.
 */
static int
give_directory(const struct supervisor *sup, struct err *err)
{
	const char *state_dir = sup->settings.state_dir;
	const struct spawn_user *user = &sup->contain->user;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/search", state_dir);
	if (dir_make(path, 0755, err) == -1)
		return -1;
	if (chown(path, user->uid, user->gid) == -1)
		return err_errno(err, "chown(%s)", path);
	if (chmod(state_dir, 0711) == -1)
		return err_errno(err, "chmod(%s)", state_dir);
	return 0;
}

static int
find_user(struct supervisor *sup, struct err *err)
{
	const char *name = sup->settings.worker_user;
	bool is_preset = *name == '\0';
	const struct passwd *entry;

	if (geteuid() != 0) {
		if (!is_preset)
			log_warn("worker_user has no effect: only root can change the user");
		return 0;
	}
	entry = getpwnam(is_preset ? PRESET_USER : name);
	if (entry == NULL && is_preset) {
		log_warn("workers run as root: there is no user " PRESET_USER
		    ", and worker_user names no other");
		return 0;
	}
	if (entry == NULL)
		return err_set(err, ERR_INVALID, "worker_user: there is no user \"%s\"",
		    name);
	if (entry->pw_uid == 0)
		return 0;
	sup->contain->has_user = true;
	sup->contain->user = (struct spawn_user){ entry->pw_uid, entry->pw_gid };
	return give_directory(sup, err);
}

/* --- cgroups --- */

/* The cgroups of workers that go on are where the supervisor before us made them. */
static struct cgroup *
find_cgroup(const struct supervisor *sup, const struct handover_head *before,
    struct err *err)
{
	char path[CGROUP_PATH_SIZE];

	if (before == NULL) {
		if (cgroup_find(sup->settings.cgroup, path, err) == -1)
			return NULL;
	} else if (str_is_empty(before->cgroup)) {
		(void)err_set(err, ERR_NOT_FOUND, "there was none before the upgrade: a "
		    "restart may find one");
		return NULL;
	} else {
		(void)str_copy(path, sizeof(path), before->cgroup);
	}
	return cgroup_new(path, before != NULL, err);
}

static void
divide_cgroup(struct supervisor *sup, const struct handover_head *before)
{
	struct contain *contain = sup->contain;
	char lacks[CGROUP_LACKS_SIZE];
	struct err err;

	contain->cgroup = find_cgroup(sup, before, &err);
	if (contain->cgroup == NULL) {
		(void)str_copy(contain->why_no_cgroup, sizeof(contain->why_no_cgroup),
		    str_from(err.text));
		if (strcmp(sup->settings.cgroup, "off") != 0)
			log_warn("containment: workers have no cgroups of their own: %s",
			    err.text);
		return;
	}
	cgroup_lacks(contain->cgroup, lacks);
	log_at(lacks[0] != '\0' ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "containment: workers "
	    "have cgroups of their own in %s%s%s", cgroup_path(contain->cgroup),
	    lacks[0] != '\0' ? ", without: " : "", lacks);
}

static bool
has_worker(struct str id, void *arg)
{
	const struct supervisor *sup = arg;

	return child_find_op(sup->children, id) != NULL;
}

void
contain_sweep(struct supervisor *sup)
{
	if (cgroup_has_leftovers(sup->contain->cgroup))
		cgroup_sweep(sup->contain->cgroup, has_worker, sup);
}

void
contain_make_cgroup(struct supervisor *sup, const char *id, struct spawn_plan *plan)
{
	const struct cgroup_limits limits = {
		.memory_bytes = sup->settings.worker_memory_bytes,
		.processes = LIMIT_WORKER_PROCESSES,
	};
	struct err err;

	if (sup->contain->cgroup != NULL && cgroup_make(sup->contain->cgroup, id, &limits,
	    &plan->cgroup_fd, &err) == -1)
		log_warn("op %s: its worker has no cgroup of its own: %s", id, err.text);
}

int
contain_init(struct supervisor *sup, const struct handover_head *before, struct err *err)
{
	sup->contain = xcalloc(1, sizeof(*sup->contain));
	divide_cgroup(sup, before);
	/* Those who go on are not entered yet. */
	if (before == NULL)
		contain_sweep(sup);
	return find_user(sup, err);
}

void
contain_free(struct contain **contain)
{
	if (*contain == NULL)
		return;
	cgroup_free(&(*contain)->cgroup);
	free(*contain);
	*contain = NULL;
}

/* --- before exec --- */

void
contain_service(const struct supervisor *sup, struct spawn_plan *plan)
{
	if (sup->contain->has_user)
		plan->user = &sup->contain->user;
}

void
contain_worker(const struct supervisor *sup, struct spawn_plan *plan)
{
	const struct settings *settings = &sup->settings;

	contain_service(sup, plan);
	plan->dies_first = true;
	plan->limits = (struct spawn_limits){
		.files = LIMIT_WORKER_FILES,
		.cpu_secs = settings->worker_cpu_secs,
		.file_bytes = LIMIT_WORKER_FILE_BYTES,
		/* The kernel counts all processes of the user. */
		.processes = (settings->max_workers + 1) * LIMIT_WORKER_PROCESSES +
		    LIMIT_USER_PROCESSES,
#ifndef BF_SANITIZED	/* their shadow memory takes terabytes of addresses */
		.memory_bytes = settings->worker_memory_bytes,
#endif
	};
}

/* --- what children report --- */

static struct contain_report *
find_report(struct contain *contain, const char *program, struct str part)
{
	struct contain_report *report;

	for (size_t i = 0; i < contain->count; i++) {
		report = &contain->reports[i];
		if (strcmp(report->program, program) == 0 &&
		    str_eq(str_from(report->part), part))
			return report;
	}
	if (contain->count == CONTAIN_REPORTS_MAX)
		return NULL;
	report = &contain->reports[contain->count++];
	(void)str_copy(report->program, sizeof(report->program), str_from(program));
	(void)str_copy(report->part, sizeof(report->part), part);
	report->is_active = true;
	return report;
}

/* One line for each thing that is missing, not one for each process. */
static bool
is_missed(const struct contain *contain, struct str part)
{
	for (size_t i = 0; i < contain->count; i++)
		if (str_eq(str_from(contain->reports[i].part), part) &&
		    !contain->reports[i].is_active)
			return true;
	return false;
}

void
contain_report(struct supervisor *sup, const char *program,
    const struct msg_confined *confined)
{
	bool was_missed = is_missed(sup->contain, confined->part);
	struct contain_report *report = find_report(sup->contain, program,
	    confined->part);

	if (report == NULL)
		return;
	if (!confined->is_active && !was_missed)
		log_warn("containment: %.*s cannot be taken from %s and the like: %.*s; "
		    "'backfillctl doctor' tells what is active", STR_FMT(confined->part),
		    program, STR_FMT(confined->why));
	report->is_active = confined->is_active;
	(void)str_copy(report->why, sizeof(report->why), confined->why);
}

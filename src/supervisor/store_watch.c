#include "supervisor/store_watch.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/fdutil.h"
#include "common/log.h"
#include "supervisor/service.h"
#include "supervisor/shutdown.h"
#include "supervisor/supervisor.h"
#include "supervisor/upgrade.h"

#define OLD_READERS_MAX	16	/* the rest is seen when these are gone */

static void
judge_reader(struct supervisor *sup, pid_t pid)
{
	struct service *service = service_find_pid(sup, pid);

	if (service != NULL) {
		log_error("process %d has been reading one snapshot of the store for more "
		    "than %llu ms, sending SIGKILL", (int)pid,
		    (unsigned long long)sup->settings.service_timeout_ms);
		service_signal(service, SIGKILL);
	} else if (pid != sup->store_watch.told_pid) {
		log_warn("process %d has been reading one snapshot of the store for more "
		    "than %llu ms; the store grows meanwhile", (int)pid,
		    (unsigned long long)sup->settings.service_timeout_ms);
		sup->store_watch.told_pid = pid;
	}
}

static void
look_at_readers(struct supervisor *sup)
{
	struct store_watch *watch = &sup->store_watch;
	int dead = ops_check_readers(sup->ops);
	pid_t pids[OLD_READERS_MAX];
	size_t count;

	if (dead > 0)
		log_info("store: freed the reader slots of %d dead processes", dead);
	/* Whoever began after the look before the last one sees what was there then. */
	count = ops_old_readers(sup->ops, watch->txns[0], pids, OLD_READERS_MAX);
	for (size_t i = 0; i < count; i++)
		judge_reader(sup, pids[i]);
	watch->txns[0] = watch->txns[1];
	watch->txns[1] = ops_last_txn(sup->ops);
}

static bool
is_at(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* False: there is another daemon, and we are going. */
static bool
keep_lock(struct supervisor *sup)
{
	char path[4096];
	struct err err;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/lock", sup->settings.state_dir);
	if (is_at(sup->lock_fd, path))
		return true;
	if (fd_lock_file(path, &fd, &err) == 0) {
		log_warn("%s was deleted or replaced; taken again", path);
		fd_close(&sup->lock_fd);
		sup->lock_fd = fd;
		return true;
	}
	if (err.code != ERR_EXISTS) {
		log_error("%s was deleted and cannot be taken again: %s", path, err.text);
		return true;
	}
	log_error("%s was deleted, and another daemon has it: %s; stopping", path,
	    err.text);
	shutdown_request(sup);
	return false;
}

void
store_watch_look(struct supervisor *sup)
{
	if (sup->phase != PHASE_RUNNING)
		return;
	look_at_readers(sup);
	if (!keep_lock(sup) || !ops_lost_its_lock(sup->ops))
		return;
	log_error("operations/lock.mdb was deleted; opening the store anew");
	upgrade_request(sup);
}

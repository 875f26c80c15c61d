#include "supervisor/reap.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "supervisor/child.h"
#include "supervisor/contain.h"
#include "supervisor/orphans.h"
#include "supervisor/service.h"
#include "supervisor/store_tool.h"

/* A pid that nobody knows is that of an orphan. */
static void
ended(struct supervisor *sup, pid_t pid, int wait_status, const struct rusage *usage)
{
	struct child *child = child_find_pid(sup->children, pid);
	struct service *service = service_find_pid(sup, pid);

	if (child != NULL)
		child_ended(child, wait_status, usage);
	else if (service != NULL)
		service_ended(service, wait_status);
	else if (pid == sup->backup_pid)
		store_backup_ended(sup, wait_status);
}

/* Signals coalesce: one SIGCHLD may stand for many ends. */
static void
on_sigchld(struct ev_loop *loop BF_UNUSED, struct ev_signal *watcher,
    int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;
	struct rusage usage;
	int wait_status;
	pid_t pid;

	while ((pid = wait4(-1, &wait_status, WNOHANG, &usage)) > 0)
		ended(sup, pid, wait_status, &usage);
	orphans_kill(sup);
	contain_sweep(sup);
}

void
reap_init(struct supervisor *sup)
{
	ev_signal_init(&sup->on_child, on_sigchld, SIGCHLD);
	sup->on_child.data = sup;
	ev_signal_start(sup->loop, &sup->on_child);
}

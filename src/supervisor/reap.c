#include "supervisor/reap.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "supervisor/child.h"
#include "supervisor/service.h"

/* A pid that nobody knows is that of an exec that failed. */
static void
ended(struct supervisor *sup, pid_t pid, int wait_status, const struct rusage *usage)
{
	struct child *child = child_find_pid(sup->children, pid);

	if (child != NULL)
		child_ended(child, wait_status, usage);
	else if (pid == service_pid(sup->indexer))
		service_ended(sup->indexer, wait_status);
	else if (pid == service_pid(sup->resolver))
		service_ended(sup->resolver, wait_status);
	else if (pid == service_pid(sup->api))
		service_ended(sup->api, wait_status);
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
}

void
reap_init(struct supervisor *sup)
{
	ev_signal_init(&sup->on_child, on_sigchld, SIGCHLD);
	sup->on_child.data = sup;
	ev_signal_start(sup->loop, &sup->on_child);
}

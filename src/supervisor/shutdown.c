#include "supervisor/shutdown.h"

#include <signal.h>

#include "common/crashpoint.h"
#include "common/log.h"
#include "supervisor/child.h"
#include "supervisor/notify.h"
#include "supervisor/service.h"

#define SERVICES_GRACE_MS	5000

static void
kill_all(struct supervisor *sup)
{
	struct child *child;

	LIST_FOREACH(child, &sup->children->list, entry)
		child_kill(child);
	if (sup->phase >= PHASE_STOPPING_API) {
		service_signal(sup->api, SIGKILL);
		service_signal(sup->resolver, SIGKILL);
		service_signal(sup->indexer, SIGKILL);
	}
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;

	log_warn("a service did not stop in %d ms, sending SIGKILL",
	    SERVICES_GRACE_MS);
	kill_all(sup);
}

void
shutdown_init(struct supervisor *sup)
{
	ev_timer_init(&sup->stop_deadline, on_deadline, SERVICES_GRACE_MS / 1000., 0.);
	sup->stop_deadline.data = sup;
}

void
shutdown_request(struct supervisor *sup)
{
	struct child *child;

	if (sup->phase != PHASE_RUNNING) {
		log_warn("asked to stop again: killing what is left");
		kill_all(sup);
		return;
	}
	log_info("stopping; %zu operations are running", sup->children->count);
	notify_stopping();
	sup->phase = PHASE_STOPPING_WORKERS;
	LIST_FOREACH(child, &sup->children->list, entry)
		child_stop(child, STOP_SHUTDOWN);
	crashpoint(CRASHPOINT_STOP_BEGUN);
	shutdown_check(sup);
}

void
shutdown_check(struct supervisor *sup)
{
	if (sup->phase == PHASE_STOPPING_WORKERS && sup->children->count == 0) {
		sup->phase = PHASE_STOPPING_API;
		service_stop(sup->api);
		ev_timer_start(sup->loop, &sup->stop_deadline);
	}
	if (sup->phase == PHASE_STOPPING_API && service_pid(sup->api) == 0) {
		sup->phase = PHASE_STOPPING_SERVICES;
		service_stop(sup->resolver);
		service_stop(sup->indexer);
	}
	if (sup->phase == PHASE_STOPPING_SERVICES && service_pid(sup->resolver) == 0 &&
	    service_pid(sup->indexer) == 0) {
		sup->phase = PHASE_STOPPED;
		ev_break(sup->loop, EVBREAK_ALL);
	}
}

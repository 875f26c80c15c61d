#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "common/log.h"
#include "common/mem.h"
#include "supervisor/activation.h"
#include "supervisor/child.h"
#include "supervisor/contain.h"
#include "supervisor/control.h"
#include "supervisor/heartbeat.h"
#include "supervisor/indexer_link.h"
#include "supervisor/leftovers.h"
#include "supervisor/notify.h"
#include "supervisor/orphans.h"
#include "supervisor/progress.h"
#include "supervisor/queue.h"
#include "supervisor/reap.h"
#include "supervisor/recover.h"
#include "supervisor/reload.h"
#include "supervisor/resolver_link.h"
#include "supervisor/schedule.h"
#include "supervisor/service.h"
#include "supervisor/shutdown.h"
#include "supervisor/store_tool.h"
#include "supervisor/store_watch.h"
#include "supervisor/upgrade.h"

/* For what an earlier supervisor has left: a child with the lock; an API that still has
 * the port and lets go as soon as it sees our control socket. */
#define PATIENCE_MS	5000
#define RETRY_MS	50

void
supervisor_op_changed(struct supervisor *sup, const char *id)
{
	control_op_changed(sup->control, id);
}

void
supervisor_op_settled(struct supervisor *sup, const char *id, enum op_status status)
{
	control_op_changed(sup->control, id);
	control_op_settled(sup->control, id, status);
}

int
supervisor_mend(struct supervisor *sup, const char *id)
{
	struct err err;

	if (ops_mend(sup->ops, str_from(id), STR("its record was damaged on the disk; what "
	    "it was to do is not known any more"), clock_wall_ms(), &err) == -1) {
		log_error("op %s: its damaged record cannot be replaced: %s", id, err.text);
		return -1;
	}
	log_error("op %s: its record was damaged on the disk; it is failed", id);
	leftovers_remove(sup, id);
	if (sup->control != NULL)
		supervisor_op_settled(sup, id, OP_FAILED);
	return 0;
}

/* --- opening, in order --- */

/* A supervisor that was killed while it started a child leaves that with the lock, until
 * it executes its program or dies, too. */
static int
lock_patiently(struct supervisor *sup, const char *path, struct err *err)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	int64_t start = clock_mono_ms();

	while (sup->lock_fd == -1 && fd_lock_file(path, &sup->lock_fd, err) == -1) {
		if (err->code != ERR_UNAVAILABLE ||
		    clock_mono_ms() - start > PATIENCE_MS)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

static int
open_directories(struct supervisor *sup, struct err *err)
{
	const char *state_dir = sup->settings.state_dir;
	char path[4096];

	if (dir_make(state_dir, 0700, err) == -1 ||
	    dir_make(sup->settings.runtime_dir, 0750, err) == -1)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/lock", state_dir);
	if (lock_patiently(sup, path, err) == -1)
		return err->code == ERR_EXISTS || err->code == ERR_UNAVAILABLE ?
		    err_wrap(err, "another backfilld uses %s", state_dir) : -1;
	(void)snprintf(path, sizeof(path), "%s/records", state_dir);
	if (dir_make(path, 0700, err) == -1)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/operations", state_dir);
	return dir_make(path, 0700, err);
}

static int
mend_all(struct supervisor *sup, const struct buf *ids, struct err *err)
{
	const char *list = (const char *)buf_data(ids);

	for (size_t i = 0; i < buf_len(ids); i += TID_SIZE)
		if (supervisor_mend(sup, list + i) == -1)
			return err_set(err, ERR_CORRUPT, "a damaged record cannot be replaced");
	return 0;
}

static int
open_checked(struct supervisor *sup, struct buf *damaged, struct err *err)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/operations", sup->settings.state_dir);
	if (!sup->is_upgraded && store_check(sup, damaged, err) == -1)
		return -1;
	if (ops_open(path, OPS_WRITE, &sup->ops, err) == -1 ||
	    ops_last_id(sup->ops, &sup->last_id, err) == -1)
		return -1;
	if (sup->last_id < sup->least_id)
		sup->last_id = sup->least_id;
	(void)ops_check_readers(sup->ops);
	return mend_all(sup, damaged, err);
}

static int
open_store(struct supervisor *sup, struct err *err)
{
	struct buf damaged = BUF_INIT;
	int rc = open_checked(sup, &damaged, err);

	buf_clear(&damaged);
	if (rc == -1)
		return -1;
	/* After an upgrade, what is running runs. */
	return sup->is_upgraded ? 0 : recover(sup, err);
}

/* It hangs, then, or was stopped: it does not see anything. */
static void
end_old_api(const struct supervisor *sup)
{
	char path[4096];
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/api.lock", sup->settings.state_dir);
	pid = fd_mark_holder(path);
	if (pid <= 0)
		return;
	log_warn("backfill-api: process %d of an earlier daemon keeps %s, sending SIGKILL",
	    (int)pid, sup->settings.http_listen);
	(void)kill(pid, SIGKILL);
}

static int
listen_patiently(struct supervisor *sup, struct err *err)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	int64_t start = clock_mono_ms();
	bool has_ended_it = false;

	while (sup->listen_fd == -1 &&
	    fd_tcp_listen(sup->settings.http_listen, &sup->listen_fd, err) == -1) {
		int64_t waited = clock_mono_ms() - start;

		if (err->code != ERR_EXISTS || waited > PATIENCE_MS)
			return err_wrap(err, "http_listen");
		if (!has_ended_it && waited > PATIENCE_MS / 2) {
			end_old_api(sup);
			has_ended_it = true;
		}
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

/* Port 0 gets its number from the kernel: say which, for people and scripts. */
int
supervisor_publish_address(struct supervisor *sup, struct err *err)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[48], port[8], path[4096], final[4096];
	FILE *file;

	if (getsockname(sup->listen_fd, (struct sockaddr *)&address, &len) == -1 ||
	    getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return err_errno(err, "getsockname");
	(void)snprintf(sup->http_address, sizeof(sup->http_address),
	    address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	(void)snprintf(path, sizeof(path), "%s/http.address.new", sup->settings.runtime_dir);
	(void)snprintf(final, sizeof(final), "%s/http.address", sup->settings.runtime_dir);
	file = fopen(path, "we");
	if (file == NULL)
		return err_errno(err, "open(%s)", path);
	(void)fprintf(file, "%s\n", sup->http_address);
	if (fclose(file) != 0 || rename(path, final) == -1)
		return err_errno(err, "write(%s)", final);
	return 0;
}

/* --- signals and time --- */

static void
on_stop_signal(struct ev_loop *loop BF_UNUSED, struct ev_signal *watcher,
    int revents BF_UNUSED)
{
	shutdown_request(watcher->data);
}

static void
on_hup_signal(struct ev_loop *loop BF_UNUSED, struct ev_signal *watcher,
    int revents BF_UNUSED)
{
	reload(watcher->data);
}

static void
on_usr2_signal(struct ev_loop *loop BF_UNUSED, struct ev_signal *watcher,
    int revents BF_UNUSED)
{
	upgrade_request(watcher->data);
}

static void
on_housekeeping(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;

	store_watch_look(sup);
	contain_sweep(sup);
}

static void
watch(struct supervisor *sup)
{
	sigset_t none;

	/* A write to nobody, or over a file size limit, is an error like others. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	ev_signal_init(&sup->on_term, on_stop_signal, SIGTERM);
	ev_signal_init(&sup->on_int, on_stop_signal, SIGINT);
	ev_signal_init(&sup->on_hup, on_hup_signal, SIGHUP);
	ev_signal_init(&sup->on_usr2, on_usr2_signal, SIGUSR2);
	ev_timer_init(&sup->housekeeping, on_housekeeping,
	    (double)sup->settings.service_timeout_ms / 1000,
	    (double)sup->settings.service_timeout_ms / 1000);
	sup->on_term.data = sup->on_int.data = sup->on_hup.data = sup;
	sup->on_usr2.data = sup;
	sup->housekeeping.data = sup;
	ev_signal_start(sup->loop, &sup->on_term);
	ev_signal_start(sup->loop, &sup->on_int);
	ev_signal_start(sup->loop, &sup->on_hup);
	ev_signal_start(sup->loop, &sup->on_usr2);
	ev_timer_start(sup->loop, &sup->housekeeping);
	reap_init(sup);
	queue_init(sup);
	schedule_init(sup);
	progress_init(sup);
	heartbeat_init(sup);
	shutdown_init(sup);

	/* An upgrade holds them back until there are handlers again. */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* --- life --- */

/* A start as it should be: with the sockets that the init system has opened, if it
 * has.  Returns the control socket, or -1. */
static int
take_activation(struct supervisor *sup)
{
	struct activation activation = activation_take();

	orphans_init(sup);
	sup->listen_fd = activation.http_fd;
	sup->control_is_given = activation.control_fd != -1;
	return activation.control_fd;
}

/* The lock, the sockets and the memory of the supervisor in whose place we are.
 * Returns the control socket. */
static int
take_places(struct supervisor *sup, const struct handover_head *head)
{
	sup->is_upgraded = true;
	sup->lock_fd = (int)head->lock_fd;
	sup->listen_fd = (int)head->listen_fd;
	sup->started_ms = (int64_t)head->started_ms;
	sup->least_id = head->last_id;
	if (fd_set_cloexec(sup->lock_fd, true) == -1 ||
	    fd_set_cloexec(sup->listen_fd, true) == -1 ||
	    fd_set_cloexec((int)head->control_fd, true) == -1)
		log_warn("a descriptor of the handover is not there");
	sup->control_is_given = head->control_is_given;
	return (int)head->control_fd;
}

static void
start_missing(struct supervisor *sup)
{
	struct service *list[SUPERVISOR_SERVICES];

	service_list(sup, list);
	for (size_t i = 0; i < SUPERVISOR_SERVICES; i++)
		if (service_pid(list[i]) == 0)
			service_start(list[i]);
}

struct supervisor *
supervisor_new(struct settings *settings, struct schedules *schedules,
    const char *config_path, struct handover *handover, struct err *err)
{
	struct supervisor *sup = xcalloc(1, sizeof(*sup));
	int control_fd;

	sup->settings = *settings;
	*settings = (struct settings){ 0 };
	sup->schedules = xcalloc(1, sizeof(*sup->schedules));
	sup->config_path = config_path;
	sup->lock_fd = sup->listen_fd = -1;
	sup->started_ms = clock_wall_ms();
	sup->clock_id = (unsigned)getpid() & 1023;
	sup->children = child_table_new();

	/* Not the default loop: that one would reap our children by itself. */
	sup->loop = ev_loop_new(EVFLAG_AUTO);
	if (sup->loop == NULL) {
		(void)err_set(err, ERR_SYSTEM, "libev: no event loop can be had");
		goto fail;
	}
	if (handover->is_there)
		control_fd = take_places(sup, &handover->head);
	else
		control_fd = take_activation(sup);
	watch(sup);
	if (open_directories(sup, err) == -1 || open_store(sup, err) == -1 ||
	    contain_init(sup, handover->is_there ? &handover->head : NULL, err) == -1)
		goto fail;
	sup->control = control_new(sup, control_fd, err);
	if (sup->control == NULL || listen_patiently(sup, err) == -1 ||
	    supervisor_publish_address(sup, err) == -1)
		goto fail;
	schedule_take(sup, schedules);
	sup->indexer = indexer_service_new(sup);
	sup->resolver = resolver_service_new(sup);
	sup->api = api_service_new(sup);
	if (handover->is_there && upgrade_adopt(sup, handover, err) == -1)
		goto fail;
	return sup;
fail:
	supervisor_free(&sup);
	return NULL;
}

void
supervisor_run(struct supervisor *sup)
{
	start_missing(sup);
	log_info("ready: HTTP on %s, state in %s", sup->http_address,
	    sup->settings.state_dir);
	notify_ready();
	queue_wake(sup);
	notify_init(sup);
	for (;;) {
		ev_run(sup->loop, 0);
		if (!sup->wants_upgrade)
			break;
		upgrade_run(sup);
	}
	log_info("stopped");
}

static void
remove_address_file(const struct supervisor *sup)
{
	char path[4096];

	if (sup->http_address[0] == '\0')
		return;
	(void)snprintf(path, sizeof(path), "%s/http.address", sup->settings.runtime_dir);
	(void)unlink(path);
}

void
supervisor_free(struct supervisor **sup_ptr)
{
	struct supervisor *sup = *sup_ptr;

	if (sup == NULL)
		return;
	control_free(&sup->control);
	service_free(&sup->api);
	service_free(&sup->resolver);
	service_free(&sup->indexer);
	child_table_free(&sup->children);
	contain_free(&sup->contain);
	ops_close(&sup->ops);
	remove_address_file(sup);
	fd_close(&sup->listen_fd);
	fd_close(&sup->lock_fd);
	if (sup->loop != NULL)
		ev_loop_destroy(sup->loop);
	settings_clear(&sup->settings);
	schedules_clear(sup->schedules);
	free(sup->schedules);
	free(sup);
	*sup_ptr = NULL;
}

#include "supervisor/service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/channel.h"
#include "proto/fdlayout.h"
#include "supervisor/contain.h"
#include "supervisor/handshake.h"
#include "supervisor/outcome.h"
#include "supervisor/pulse.h"
#include "supervisor/shutdown.h"
#include "supervisor/spawn.h"

#define DELAY_LEAST_MS	100
#define DELAY_MOST_MS	60000
#define SETTLED_MS	60000	/* having lived this long it was not a start failure */
#define ENDING_MS	10000	/* for a process that has closed its channel: it may be syncing */

struct service {
	struct supervisor *sup;		/* borrowed, outlives us */
	struct service_options options;
	struct channel *channel;	/* ours, or borrowed from who has started() it */
	pid_t pid;			/* 0: not running */
	bool is_ready;
	uint64_t starts;		/* of a process, so far */
	int64_t started_mono_ms;
	unsigned delay_ms;		/* before the next start */

	/* watchers */
	struct ev_timer restart;
	struct ev_timer deadline;	/* for its hello, then for its end */
	struct ev_timer pulse;		/* while it is ready: pings */

	uint64_t pings;
	struct pulse beat;
};

static void
start_later(struct service *service, const char *why)
{
	log_error("%s: %s; starting it again in %u ms", service->options.name, why,
	    service->delay_ms);
	ev_timer_set(&service->restart, service->delay_ms / 1000., 0.);
	ev_timer_start(service->sup->loop, &service->restart);
	service->delay_ms = service->delay_ms * 2 < DELAY_MOST_MS ?
	    service->delay_ms * 2 : DELAY_MOST_MS;
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct service *service = watcher->data;

	log_error("%s: process %d %s, sending SIGKILL", service->options.name,
	    service->pid, service->channel != NULL ? "does not say that it is ready" :
	    "has closed its channel and does not end");
	service_signal(service, SIGKILL);
}

static void
set_deadline(struct service *service, uint64_t delay_ms)
{
	ev_timer_stop(service->sup->loop, &service->deadline);
	ev_timer_set(&service->deadline, (double)delay_ms / 1000, 0.);
	ev_timer_start(service->sup->loop, &service->deadline);
}

/* --- is it there? --- */

static double
pulse_secs(const struct service *service)
{
	return (double)service->sup->settings.service_timeout_ms / 1000 /
	    PULSE_ASKS;
}

static void
on_pulse(struct ev_loop *loop, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct service *service = watcher->data;
	int64_t now_ms = clock_mono_ms();
	struct msg msg = { .type = MSG_TYPE_PING };

	if (service->channel == NULL)
		return;
	if (pulse_is_lost(&service->beat, service->sup->settings.service_timeout_ms,
	    now_ms)) {
		log_error("%s: process %d has not answered for %lld ms, sending SIGKILL",
		    service->options.name, service->pid,
		    (long long)(now_ms - service->beat.heard_mono_ms));
		ev_timer_stop(loop, watcher);
		service_signal(service, SIGKILL);
		return;
	}
	msg.ping.number = ++service->pings;
	channel_send(service->channel, &msg);
	watcher->repeat = pulse_secs(service);
	ev_timer_again(loop, watcher);
}

static void
start_pulse(struct service *service)
{
	pulse_start(&service->beat, clock_mono_ms());
	service->pulse.repeat = pulse_secs(service);
	ev_timer_again(service->sup->loop, &service->pulse);
}

void
service_heard(struct service *service)
{
	service->beat.heard_mono_ms = clock_mono_ms();
}

/* --- what it says --- */

static void
on_hello(struct service *service, const struct msg_hello *hello)
{
	if (hello->version != PROTO_VERSION) {
		log_error("%s: speaks version %llu of the protocol, not %d: its file belongs "
		    "to another release", service->options.name,
		    (unsigned long long)hello->version, PROTO_VERSION);
		service_signal(service, SIGKILL);
		return;
	}
	service_set_ready(service);
	service->options.on_ready(service->sup);
}

static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct service *service = arg;

	if (msg->type == MSG_TYPE_HELLO)
		on_hello(service, &msg->hello);
	else if (msg->type == MSG_TYPE_PONG)
		service_heard(service);
	else if (msg->type == MSG_TYPE_CONFINED)
		contain_report(service->sup, service->options.name, &msg->confined);
}

static void
on_close(struct channel *channel, const struct err *why, void *arg)
{
	struct service *service = arg;

	if (why != NULL)
		log_error("%s: %s", service->options.name, why->text);
	channel_free(&channel);
	service_lost_channel(service);
}

static struct channel *
make_channel(struct service *service, int control_fd)
{
	struct channel_options options = {
		.accepts = service->options.accepts,
		.frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_msg, .on_close = on_close, .arg = service,
	};

	if (service->options.started != NULL)
		return service->options.started(service->sup, control_fd);
	return channel_new(service->sup->loop, control_fd, &options);
}

static void
drop_channel(struct service *service)
{
	if (service->channel != NULL && service->options.ended != NULL)
		service->options.ended(service->sup, service->channel);
	else
		channel_free(&service->channel);
	service->channel = NULL;
}

/* --- life --- */

void
service_start(struct service *service)
{
	struct supervisor *sup = service->sup;
	const struct service_options *options = &service->options;
	char path[4096];
	struct spawn_plan plan = {
		.path = path, .name = options->name,
		.second_fd = options->second_fd != NULL ? *options->second_fd : -1,
		.cgroup_fd = -1,
		.may_outlive_us = options->may_outlive_us,
	};
	struct err err;
	int fds[2];

	(void)snprintf(path, sizeof(path), "%s/%s", sup->settings.libexec_dir,
	    options->name);
	if (fd_socketpair(fds, &err) == -1) {
		start_later(service, err.text);
		return;
	}
	plan.control_fd = fds[1];
	if (options->reads_network)
		contain_service(sup, &plan);
	if (spawn(&plan, &service->pid, &err) == -1) {
		service->pid = 0;
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		start_later(service, err.text);
		return;
	}
	fd_close(&fds[1]);
	service->starts++;
	service->is_ready = false;
	service->started_mono_ms = clock_mono_ms();
	service->channel = make_channel(service, fds[0]);
	handshake_send(service->channel, &sup->settings, options->audience);
	set_deadline(service, sup->settings.hello_timeout_ms);
	log_info("%s: started, process %d", options->name, service->pid);
}

static void
on_restart(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	service_start(watcher->data);
}

void
service_ended(struct service *service, int wait_status)
{
	char how[128], why[160];

	outcome_describe_exit(wait_status, how, sizeof(how));
	(void)snprintf(why, sizeof(why), "process %d %s", service->pid, how);
	service->pid = 0;
	service->is_ready = false;
	ev_timer_stop(service->sup->loop, &service->deadline);
	ev_timer_stop(service->sup->loop, &service->pulse);
	drop_channel(service);
	if (service->sup->phase != PHASE_RUNNING) {
		log_info("%s: %s", service->options.name, why);
		shutdown_check(service->sup);
		return;
	}
	if (clock_mono_ms() - service->started_mono_ms >= SETTLED_MS)
		service->delay_ms = DELAY_LEAST_MS;
	start_later(service, why);
}

void
service_set_ready(struct service *service)
{
	service->is_ready = true;
	ev_timer_stop(service->sup->loop, &service->deadline);
	start_pulse(service);
}

bool
service_is_ready(const struct service *service)
{
	return service->is_ready;
}

/* Its end of file mostly means that the process is ending just now. */
void
service_lost_channel(struct service *service)
{
	service->channel = NULL;
	service->is_ready = false;
	ev_timer_stop(service->sup->loop, &service->pulse);
	if (service->pid != 0)
		set_deadline(service, ENDING_MS);
}

void
service_reload(struct service *service)
{
	if (service->channel != NULL)
		handshake_send_settings(service->channel, &service->sup->settings,
		    service->options.audience);
}

void
service_stop(struct service *service)
{
	ev_timer_stop(service->sup->loop, &service->restart);
	ev_timer_stop(service->sup->loop, &service->pulse);
	service_signal(service, SIGTERM);
	service_signal(service, SIGCONT);
}

void
service_list(const struct supervisor *sup,
    struct service *list_out[SUPERVISOR_SERVICES])
{
	list_out[0] = sup->indexer;
	list_out[1] = sup->resolver;
	list_out[2] = sup->api;
}

struct service *
service_find_pid(const struct supervisor *sup, pid_t pid)
{
	struct service *list[SUPERVISOR_SERVICES];

	service_list(sup, list);
	for (size_t i = 0; i < SUPERVISOR_SERVICES; i++)
		if (list[i] != NULL && list[i]->pid == pid)
			return list[i];
	return NULL;
}

struct channel *
service_channel(const struct service *service)
{
	return service->channel;
}

pid_t
service_pid(const struct service *service)
{
	return service->pid;
}

uint64_t
service_starts(const struct service *service)
{
	return service->starts;
}

void
service_signal(const struct service *service, int sig)
{
	if (service->pid != 0 && kill(service->pid, sig) == -1)
		log_warn("%s: kill(%d, %d) failed", service->options.name,
		    service->pid, sig);
}

struct service *
service_new(struct supervisor *sup, const struct service_options *options)
{
	struct service *service = xcalloc(1, sizeof(*service));

	service->sup = sup;
	service->options = *options;
	service->delay_ms = DELAY_LEAST_MS;
	ev_timer_init(&service->restart, on_restart, 0., 0.);
	ev_timer_init(&service->deadline, on_deadline, 0., 0.);
	ev_timer_init(&service->pulse, on_pulse, 0., 0.);
	service->restart.data = service->deadline.data = service->pulse.data = service;
	return service;
}

void
service_free(struct service **service)
{
	if (*service == NULL)
		return;
	ev_timer_stop((*service)->sup->loop, &(*service)->restart);
	ev_timer_stop((*service)->sup->loop, &(*service)->deadline);
	ev_timer_stop((*service)->sup->loop, &(*service)->pulse);
	if ((*service)->options.started == NULL)
		channel_free(&(*service)->channel);
	free(*service);
	*service = NULL;
}

/* --- across exec --- */

struct service_state
service_state(const struct service *service)
{
	return (struct service_state){
		.name = service->options.name, .pid = service->pid,
		.is_ready = service->is_ready, .starts = service->starts,
		.delay_ms = service->delay_ms,
	};
}

void
service_adopt(struct service *service, const struct service_state *state,
    int control_fd)
{
	struct supervisor *sup = service->sup;

	service->pid = state->pid;
	service->is_ready = state->is_ready;
	service->starts = state->starts;
	if (state->delay_ms >= DELAY_LEAST_MS && state->delay_ms <= DELAY_MOST_MS)
		service->delay_ms = state->delay_ms;
	service->started_mono_ms = clock_mono_ms();
	service->channel = make_channel(service, control_fd);
	if (service->is_ready)
		start_pulse(service);
	else
		set_deadline(service, sup->settings.hello_timeout_ms);
}

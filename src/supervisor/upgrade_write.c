#include <string.h>

#include "proto/fdlayout.h"
#include "supervisor/child.h"
#include "supervisor/contain.h"
#include "supervisor/control.h"
#include "supervisor/service.h"
#include "supervisor/upgrade.h"

struct writing {
	struct buf *to, *fds;
};

static uint64_t
keep(struct writing *w, int fd)
{
	buf_add(w->fds, &fd, sizeof(fd));
	return (uint64_t)fd;
}

static void
put_channel(struct writing *w, const struct channel *channel)
{
	struct channel_state state = channel_state(channel);

	handover_put_channel(w->to, channel);
	for (size_t i = 0; i < state.out_fds_count; i++)
		(void)keep(w, state.out_fds[i].fd);
}

static bool
is_open(const struct channel *channel)
{
	return channel != NULL && channel_is_open(channel);
}

static void
put_service(struct writing *w, const struct service *service)
{
	struct service_state state = service_state(service);
	struct channel *channel = service_channel(service);
	struct handover_service record = {
		.name = str_from(state.name), .pid = (uint64_t)state.pid,
		.is_ready = state.is_ready, .starts = state.starts,
		.delay_ms = state.delay_ms,
	};

	if (state.pid == 0 || !is_open(channel))
		return;		/* it is started anew */
	record.fd = keep(w, channel_state(channel).fd);
	handover_put(w->to, HANDOVER_KIND_SERVICE, &record);
	put_channel(w, channel);
}

static struct handover_child
record_of(const struct child *child)
{
	const struct worker_end *end = &child->end;

	return (struct handover_child){
		.pid = (uint64_t)child->pid, .id = str_from(child->id),
		.type = str_from(child->type), .did = str_from(child->did),
		.priority = child->priority, .wants_pause = child->wants_pause,
		.told_to_pause = child->told_to_pause, .state = child->state,
		.stop_reason = end->stop_reason, .said_done = end->said_done,
		.said_fail = end->said_fail, .said_paused = end->said_paused,
		.fail_class = str_from(end->fail_class),
		.fail_text = str_from(end->fail_text), .was_killed = end->was_killed,
		.is_last_try = end->is_last_try,
		.cancelled_by = str_from(child->cancelled_by),
		.said_hello = child->said_hello,
		.stop_mono_ms = (uint64_t)child->stop_mono_ms,
		.stage = str_from(child->stage), .processed = child->processed,
		.total = child->total, .failed = child->failed, .bytes = child->bytes,
		.rate_milli = child->rate_milli, .bytes_before = child->bytes_before,
		.created = child->created, .updated = child->updated,
		.deleted = child->deleted, .logs = child->logs,
		.debug_logs = child->debug_logs, .items = child->items,
		.answers_pings = child->answers_pings,
		.stage_done = child->stage_done, .stage_total = child->stage_total,
		.met = { (const uint8_t *)child->met, sizeof(child->met) },
	};
}

static void
put_child(struct writing *w, const struct child *child)
{
	struct handover_child record = record_of(child);

	if (is_open(child->channel))
		record.fd = keep(w, channel_state(child->channel).fd);
	handover_put(w->to, HANDOVER_KIND_CHILD, &record);
	if (is_open(child->channel))
		put_channel(w, child->channel);
	for (unsigned i = 0; i < child->spill_count; i++)
		handover_put(w->to, HANDOVER_KIND_SPILL, &(struct handover_spill){
		    .fd = keep(w, child->spill_fds[i]) });
}

static void
put_client(struct control_client *client, void *arg)
{
	struct writing *w = arg;
	const struct pending *pending;
	struct handover_client record = {
		.is_api = client->is_api, .said_hello = client->said_hello,
		.who = str_from(client->who),
	};

	if (!is_open(client->channel))
		return;
	/* The channel of the API is that of its service. */
	if (!client->is_api)
		record.fd = keep(w, channel_state(client->channel).fd);
	handover_put(w->to, HANDOVER_KIND_CLIENT, &record);
	if (!client->is_api)
		put_channel(w, client->channel);
	LIST_FOREACH(pending, &client->pendings, entry)
		handover_put(w->to, HANDOVER_KIND_PENDING, &(struct handover_pending){
		    .kind = pending->kind, .req = pending->req,
		    .id = str_from(pending->id) });
}

void
upgrade_write(struct supervisor *sup, struct buf *to, struct buf *fds)
{
	struct writing w = { to, fds };
	struct service *services[SUPERVISOR_SERVICES];
	const struct cgroup *cgroup = sup->contain->cgroup;
	struct child *child;
	struct handover_head head = {
		.proto_version = PROTO_VERSION,
		.started_ms = (uint64_t)sup->started_ms, .last_id = sup->last_id,
		.lock_fd = keep(&w, sup->lock_fd), .listen_fd = keep(&w, sup->listen_fd),
		.control_fd = keep(&w, control_listen_fd(sup->control)),
		.http_address = str_from(sup->http_address),
		.version = STR(PACKAGE_VERSION),
		.control_is_given = sup->control_is_given,
		.cgroup = cgroup != NULL ? str_from(cgroup_path(cgroup)) : STR_NONE,
	};

	handover_begin(to);
	handover_put(to, HANDOVER_KIND_HEAD, &head);
	service_list(sup, services);
	for (size_t i = 0; i < SUPERVISOR_SERVICES; i++)
		put_service(&w, services[i]);
	LIST_FOREACH(child, &sup->children->list, entry)
		put_child(&w, child);
	control_each(sup->control, put_client, &w);
}

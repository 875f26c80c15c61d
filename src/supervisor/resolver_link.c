#include "supervisor/resolver_link.h"

#include <signal.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "proto/channel.h"
#include "proto/fdlayout.h"
#include "supervisor/contain.h"
#include "supervisor/service.h"

void
resolver_introduce(struct supervisor *sup)
{
	struct msg attach = { .type = MSG_TYPE_ATTACH };
	struct msg opened = { .type = MSG_TYPE_RESOLVER_OPENED };
	struct err err;
	int fds[2];

	if (!service_is_ready(sup->resolver) || !service_is_ready(sup->api))
		return;
	if (fd_socketpair(fds, &err) == -1) {
		log_error("the API gets no channel to the resolver: %s", err.text);
		return;
	}
	opened.resolver_opened.pid = (uint64_t)service_pid(sup->resolver);
	channel_send_fd(service_channel(sup->resolver), &attach, fds[0]);
	channel_send_fd(service_channel(sup->api), &opened, fds[1]);
}

static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct supervisor *sup = arg;

	if (msg->type == MSG_TYPE_PONG)
		service_heard(sup->resolver);
	if (msg->type == MSG_TYPE_CONFINED)
		contain_report(sup, "backfill-resolver", &msg->confined);
	if (msg->type != MSG_TYPE_HELLO)
		return;
	if (msg->hello.version != PROTO_VERSION) {
		log_error("backfill-resolver: speaks version %llu of the protocol, not "
		    "%d: its file belongs to another release",
		    (unsigned long long)msg->hello.version, PROTO_VERSION);
		service_signal(sup->resolver, SIGKILL);
		return;
	}
	service_set_ready(sup->resolver);
	resolver_introduce(sup);
}

static void
on_close(struct channel *channel, const struct err *why, void *arg)
{
	struct supervisor *sup = arg;

	if (why != NULL)
		log_error("backfill-resolver: %s", why->text);
	channel_free(&channel);
	service_lost_channel(sup->resolver);
}

static struct channel *
started(struct supervisor *sup, int control_fd)
{
	struct channel_options options = {
		.accepts = FROM_RESOLVER, .frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_msg, .on_close = on_close, .arg = sup,
	};

	return channel_new(sup->loop, control_fd, &options);
}

static void
ended(struct supervisor *sup BF_UNUSED, struct channel *channel)
{
	channel_free(&channel);
}

struct service *
resolver_service_new(struct supervisor *sup)
{
	struct service_options options = {
		.name = "backfill-resolver", .reads_network = true, .audience = FOR_RESOLVER, .started = started,
		.ended = ended,
	};

	return service_new(sup, &options);
}

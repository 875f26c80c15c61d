#include "supervisor/resolver_link.h"

#include "common/fdutil.h"
#include "common/log.h"
#include "proto/channel.h"
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

struct service *
resolver_service_new(struct supervisor *sup)
{
	struct service_options options = {
		.name = "backfill-resolver", .audience = FOR_RESOLVER, .reads_network = true,
		.accepts = FROM_RESOLVER, .on_ready = resolver_introduce,
	};

	return service_new(sup, &options);
}

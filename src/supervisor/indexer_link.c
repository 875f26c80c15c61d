#include "supervisor/indexer_link.h"

#include <signal.h>

#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "proto/channel.h"
#include "proto/fdlayout.h"
#include "supervisor/contain.h"
#include "supervisor/queue.h"
#include "supervisor/service.h"

static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct supervisor *sup = arg;

	if (msg->type == MSG_TYPE_PONG)
		service_heard(sup->indexer);
	if (msg->type == MSG_TYPE_CONFINED)
		contain_report(sup, "backfill-indexer", &msg->confined);
	if (msg->type != MSG_TYPE_HELLO)
		return;
	if (msg->hello.version != PROTO_VERSION) {
		log_error("backfill-indexer: speaks version %llu of the protocol, not %d: "
		    "its file belongs to another release",
		    (unsigned long long)msg->hello.version, PROTO_VERSION);
		service_signal(sup->indexer, SIGKILL);
		return;
	}
	service_set_ready(sup->indexer);
	queue_wake(sup);
}

static void
on_close(struct channel *channel, const struct err *why, void *arg)
{
	struct supervisor *sup = arg;

	if (why != NULL)
		log_error("backfill-indexer: %s", why->text);
	channel_free(&channel);
	service_lost_channel(sup->indexer);
}

static struct channel *
started(struct supervisor *sup, int control_fd)
{
	struct channel_options options = {
		.accepts = FROM_INDEXER, .frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
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
indexer_service_new(struct supervisor *sup)
{
	struct service_options options = {
		.name = "backfill-indexer", .audience = FOR_INDEXER, .started = started,
		.ended = ended,
	};

	return service_new(sup, &options);
}

int
indexer_open_reader(struct supervisor *sup, int *fd_out, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_ATTACH };
	int fds[2];

	if (!service_is_ready(sup->indexer))
		return err_set(err, ERR_UNAVAILABLE, "the indexer is not running now; "
		    "try again in a moment");
	if (fd_socketpair(fds, err) == -1)
		return -1;
	channel_send_fd(service_channel(sup->indexer), &msg, fds[0]);
	*fd_out = fds[1];
	return 0;
}

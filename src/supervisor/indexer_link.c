#include "supervisor/indexer_link.h"

#include "common/fdutil.h"
#include "proto/channel.h"
#include "supervisor/queue.h"
#include "supervisor/service.h"

struct service *
indexer_service_new(struct supervisor *sup)
{
	struct service_options options = {
		.name = "backfill-indexer", .audience = FOR_INDEXER,
		.accepts = FROM_INDEXER, .on_ready = queue_wake,
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

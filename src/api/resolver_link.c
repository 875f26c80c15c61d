#include "api/resolver_link.h"

#include <stdlib.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/channel.h"

struct resolver_link {
	struct ev_loop *loop;		/* borrowed, outlives us */
	struct channel *channel;	/* owned; NULL: no resolver now */
	uint64_t last_req;
	TAILQ_HEAD(, resolver_wait) waits;	/* borrowed */
};

struct resolver_link *
resolver_link_new(struct ev_loop *loop)
{
	struct resolver_link *link = xcalloc(1, sizeof(*link));

	link->loop = loop;
	TAILQ_INIT(&link->waits);
	return link;
}

void
resolver_wait_stop(struct resolver_wait *wait)
{
	if (wait->link == NULL)
		return;
	ev_timer_stop(wait->link->loop, &wait->deadline);
	TAILQ_REMOVE(&wait->link->waits, wait, entry);
	wait->link = NULL;
}

static void
finish(struct resolver_wait *wait, const struct msg_identity *identity)
{
	resolver_wait_stop(wait);
	wait->on_answer(identity, wait->arg);
}

static void
lose(struct resolver_link *link)
{
	struct resolver_wait *wait;

	channel_free(&link->channel);
	while ((wait = TAILQ_FIRST(&link->waits)) != NULL)
		finish(wait, NULL);
}

void
resolver_link_free(struct resolver_link **link)
{
	if (*link == NULL)
		return;
	lose(*link);
	free(*link);
	*link = NULL;
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	finish(watcher->data, NULL);
}

/* Not finding it is normal: the answer came after the deadline. */
static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct resolver_link *link = arg;
	struct resolver_wait *wait;

	if (msg->type != MSG_TYPE_IDENTITY)
		return;
	TAILQ_FOREACH(wait, &link->waits, entry) {
		if (wait->req == msg->identity.req) {
			finish(wait, &msg->identity);
			return;
		}
	}
}

static void
on_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	log_warn("the resolver is gone: tokens cannot be checked%s%s",
	    why != NULL ? ": " : "", why != NULL ? why->text : "");
	lose(arg);
}

void
resolver_link_set(struct resolver_link *link, int fd)
{
	struct channel_options options = {
		.accepts = FROM_RESOLVER,
		.frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_msg,
		.on_close = on_close,
		.arg = link,
	};

	lose(link);
	link->channel = channel_new(link->loop, fd, &options);
}

bool
resolver_link_is_up(const struct resolver_link *link)
{
	return link->channel != NULL && channel_is_open(link->channel);
}

int
resolver_link_ask(struct resolver_link *link, struct str did, bool is_fresh,
    int64_t timeout_ms, resolver_answer_cb *on_answer, void *arg,
    struct resolver_wait *wait)
{
	struct msg msg = { .type = MSG_TYPE_RESOLVE };

	if (!resolver_link_is_up(link) || channel_is_clogged(link->channel))
		return -1;
	*wait = (struct resolver_wait){ .link = link, .req = ++link->last_req,
	    .on_answer = on_answer, .arg = arg };
	ev_timer_init(&wait->deadline, on_deadline, (double)timeout_ms / 1000, 0);
	wait->deadline.data = wait;
	ev_timer_start(link->loop, &wait->deadline);
	TAILQ_INSERT_TAIL(&link->waits, wait, entry);
	msg.resolve = (struct msg_resolve){ .req = wait->req, .did = did,
	    .is_fresh = is_fresh };
	channel_send(link->channel, &msg);
	return 0;
}

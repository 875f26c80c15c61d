#include "api/supervisor_link.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "confine/confine.h"
#include "proto/channel.h"
#include "proto/fdlayout.h"

struct supervisor_link {
	struct supervisor_link_options options;
	struct ev_loop *loop;		/* borrowed, outlives us */
	struct channel *channel;	/* owned; NULL once it is gone */
	bool is_ready;			/* its hello is here */
	uint64_t last_req;
	uint64_t watch_req;		/* of watch_all */
	TAILQ_HEAD(, link_wait) waits;	/* borrowed, oldest first */
};

void
link_wait_stop(struct link_wait *wait)
{
	if (wait->link == NULL)
		return;
	ev_timer_stop(wait->link->loop, &wait->deadline);
	TAILQ_REMOVE(&wait->link->waits, wait, entry);
	wait->link = NULL;
}

static void
finish(struct link_wait *wait, enum link_outcome outcome, const struct msg *msg)
{
	link_wait_stop(wait);
	wait->on_answer(outcome, msg, wait->arg);
}

static void
finish_all(struct supervisor_link *link)
{
	struct link_wait *wait;

	while ((wait = TAILQ_FIRST(&link->waits)) != NULL)
		finish(wait, LINK_GONE, NULL);
}

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	finish(watcher->data, LINK_TIMEOUT, NULL);
}

/* Not finding it is normal: the answer came after the deadline. */
static void
answer(struct supervisor_link *link, uint64_t req, const struct msg *msg)
{
	struct link_wait *wait;

	TAILQ_FOREACH(wait, &link->waits, entry) {
		if (wait->req == req) {
			finish(wait, LINK_ANSWERED, msg);
			return;
		}
	}
}

static void
lose(struct supervisor_link *link, const struct err *why)
{
	channel_free(&link->channel);
	finish_all(link);
	link->options.on_gone(why, link->options.arg);
}

static void
on_setting(struct supervisor_link *link, const struct msg_setting *setting)
{
	struct err err;

	if (link->options.on_setting(setting->name, setting->value, &err,
	    link->options.arg) == -1)
		lose(link, &err);
}

static void
watch_all(struct supervisor_link *link)
{
	struct msg msg = { .type = MSG_TYPE_WATCH_ALL };

	link->watch_req = ++link->last_req;
	msg.watch_all.req = link->watch_req;
	channel_send(link->channel, &msg);
}

static void
on_op(struct supervisor_link *link, const struct msg *msg)
{
	if (msg->op.req == link->watch_req)
		link->options.on_op(&msg->op.op, link->options.arg);
	else
		answer(link, msg->op.req, msg);
}

/* We were too slow for the supervisor to tell everything. */
static void
on_end_list(struct supervisor_link *link, const struct msg_end_list *end)
{
	if (end->req != link->watch_req)
		return;
	watch_all(link);
	link->options.on_missed(link->options.arg);
}

static void
on_hello(struct supervisor_link *link, const struct msg_hello *hello)
{
	struct err err;

	if (hello->version != PROTO_VERSION) {
		(void)err_set(&err, ERR_VERSION, "the supervisor speaks version %llu "
		    "of the protocol, this is version %d",
		    (unsigned long long)hello->version, PROTO_VERSION);
		lose(link, &err);
		return;
	}
	link->is_ready = true;
	/* First, so that nothing changes between what is read then and this. */
	watch_all(link);
	link->options.on_ready(link->options.arg);
}

static void
on_resolver(struct supervisor_link *link)
{
	int fd = channel_take_fd(link->channel);

	if (fd != -1)
		link->options.on_resolver(fd, link->options.arg);
}

static void
on_unexpected(struct supervisor_link *link, const struct msg *msg)
{
	struct err err;

	(void)err_set(&err, ERR_PROTOCOL, "the message %s is out of place here",
	    msg_name(msg->type));
	lose(link, &err);
}

static void
on_ping(struct supervisor_link *link, const struct msg_ping *ping)
{
	channel_send(link->channel, &(struct msg){ .type = MSG_TYPE_PONG,
	    .pong = { .number = ping->number } });
	link->options.on_ping(link->options.arg);
}

static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct supervisor_link *link = arg;

	if (msg->type == MSG_TYPE_SETTING)
		on_setting(link, &msg->setting);
	else if (msg->type == MSG_TYPE_HELLO && !link->is_ready)
		on_hello(link, &msg->hello);
	else if (msg->type == MSG_TYPE_PING)
		on_ping(link, &msg->ping);
	else if (msg->type == MSG_TYPE_RESOLVER_OPENED && link->is_ready)
		on_resolver(link);
	else if (msg->type == MSG_TYPE_OP && link->is_ready)
		on_op(link, msg);
	else if (msg->type == MSG_TYPE_END_LIST && link->is_ready)
		on_end_list(link, &msg->end_list);
	else if (msg->type == MSG_TYPE_MEASURES && link->is_ready)
		answer(link, msg->measures.req, msg);
	else if (msg->type == MSG_TYPE_CANCELLED && link->is_ready)
		answer(link, msg->cancelled.req, msg);
	else if (msg->type == MSG_TYPE_ERROR && link->is_ready)
		answer(link, msg->error.req, msg);
	else
		on_unexpected(link, msg);
}

static void
on_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	lose(arg, why);
}

struct supervisor_link *
supervisor_link_new(struct ev_loop *loop, int fd,
    const struct supervisor_link_options *options)
{
	struct supervisor_link *link = xcalloc(1, sizeof(*link));
	struct channel_options channel_options = {
		.accepts = FROM_SUPERVISOR,
		.frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.accepts_fds = true,
		.on_msg = on_msg,
		.on_close = on_close,
		.arg = link,
	};
	struct msg hello = {
		.type = MSG_TYPE_HELLO,
		.hello = {
			.version = PROTO_VERSION,
			.program = STR("backfill-api"),
			.pid = (uint64_t)getpid(),
		},
	};

	link->options = *options;
	link->loop = loop;
	TAILQ_INIT(&link->waits);
	link->channel = channel_new(loop, fd, &channel_options);
	channel_send(link->channel, &hello);
	return link;
}

void
supervisor_link_free(struct supervisor_link **link)
{
	if (*link == NULL)
		return;
	channel_free(&(*link)->channel);
	finish_all(*link);
	free(*link);
	*link = NULL;
}

void
supervisor_link_confine(struct supervisor_link *link, const struct confine *confine)
{
	confine_self(confine, link->channel, NULL, NULL);
}

bool
supervisor_link_is_up(const struct supervisor_link *link)
{
	return link->is_ready && link->channel != NULL &&
	    channel_is_open(link->channel);
}

static void
set_req(struct msg *msg, uint64_t req)
{
	switch (msg->type) {
	case MSG_TYPE_TRIGGER:
		msg->trigger.req = req;
		break;
	case MSG_TYPE_CANCEL:
		msg->cancel.req = req;
		break;
	case MSG_TYPE_PAUSE:
		msg->pause.req = req;
		break;
	case MSG_TYPE_RESUME:
		msg->resume.req = req;
		break;
	case MSG_TYPE_MEASURE:
		msg->measure.req = req;
		break;
	default:	/* a bug: nothing else is asked */
		abort();
	}
}

int
supervisor_link_ask(struct supervisor_link *link, struct msg *msg,
    int64_t timeout_ms, link_answer_cb *on_answer, void *arg,
    struct link_wait *wait)
{
	if (!supervisor_link_is_up(link) || channel_is_clogged(link->channel))
		return -1;

	*wait = (struct link_wait){
		.link = link,
		.req = ++link->last_req,
		.on_answer = on_answer,
		.arg = arg,
	};
	ev_timer_init(&wait->deadline, on_deadline, (double)timeout_ms / 1000, 0);
	wait->deadline.data = wait;
	ev_timer_start(link->loop, &wait->deadline);
	TAILQ_INSERT_TAIL(&link->waits, wait, entry);

	set_req(msg, wait->req);
	channel_send(link->channel, msg);
	return 0;
}

#include "workers/records_link_impl.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "proto/fdlayout.h"

/* --- slots --- */

void
link_slot_add(struct records_link *link, struct link_slot *slot,
    const struct link_slot_kind *kind)
{
	slot->kind = kind;
	slot->link = link;
	slot->id = ++link->last_id;
	slot->next = link->slots;
	link->slots = slot;
}

void
link_slot_remove(struct link_slot *slot)
{
	struct link_slot **at = &slot->link->slots;

	while (*at != slot)
		at = &(*at)->next;
	*at = slot->next;
}

void
link_slot_send(struct link_slot *slot, const struct msg *msg)
{
	channel_send(slot->link->channel, msg);
}

void
link_slot_abort(struct link_slot *slot)
{
	link_slot_send(slot, &(struct msg){
		.type = MSG_TYPE_ABORT,
		.abort = { .lane = slot->id },
	});
}

static struct link_slot *
find_slot(struct records_link *link, uint64_t id)
{
	struct link_slot *slot = link->slots;

	while (slot != NULL && slot->id != id)
		slot = slot->next;
	return slot;
}

/* --- the channel --- */

static void
break_off(struct records_link *link, const struct msg *msg)
{
	struct err err;

	(void)err_set(&err, ERR_PROTOCOL, "%s came out of order", msg_name(msg->type));
	link->is_broken = true;
	link->on_gone(link, &err, link->arg);
}

/* All messages of the indexer but hello start with their lane. */
static uint64_t
lane_id_of(const struct msg *msg)
{
	switch ((int)msg->type) {
	case MSG_TYPE_STATE:
		return msg->state.lane;
	case MSG_TYPE_ENTRY:
		return msg->entry.lane;
	case MSG_TYPE_END:
		return msg->end.lane;
	case MSG_TYPE_ACK:
		return msg->ack.lane;
	case MSG_TYPE_REFUSE:
		return msg->refuse.lane;
	case MSG_TYPE_RECORD:
		return msg->record.lane;
	case MSG_TYPE_REPO:
		return msg->repo.lane;
	case MSG_TYPE_ROW:
		return msg->row.lane;
	case MSG_TYPE_COUNTED:
		return msg->counted.lane;
	default:
		return 0;
	}
}

static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct records_link *link = arg;
	uint64_t id = lane_id_of(msg);
	struct link_slot *slot = find_slot(link, id);

	if (link->is_broken)
		return;
	if (msg->type == MSG_TYPE_HELLO) {
		if (msg->hello.version != PROTO_VERSION)
			break_off(link, msg);
		return;
	}
	/* An answer that crossed our abort. */
	if (slot == NULL && id != 0 && id <= link->last_id)
		return;
	if (slot == NULL || !slot->kind->on_msg(slot, msg))
		break_off(link, msg);
}

static void
on_close(struct channel *channel BF_UNUSED, const struct err *why, void *arg)
{
	struct records_link *link = arg;

	if (link->is_broken)
		return;
	link->is_broken = true;
	link->on_gone(link, why, link->arg);
}

static struct link_slot *
next_slot(struct records_link *link, uint64_t after_id)
{
	struct link_slot *next = NULL;

	for (struct link_slot *at = link->slots; at != NULL; at = at->next)
		if (at->id > after_id && (next == NULL || at->id < next->id))
			next = at;
	return next;
}

/* A handler may free any slot, so the next one is looked up after each. */
static void
on_drain(struct channel *channel BF_UNUSED, void *arg)
{
	struct records_link *link = arg;
	uint64_t told = 0;
	struct link_slot *slot;

	while ((slot = next_slot(link, told)) != NULL) {
		told = slot->id;
		if (slot->kind->on_room != NULL)
			slot->kind->on_room(slot);
	}
}

/* --- life --- */

struct records_link *
records_link_new(struct ev_loop *loop, int fd, const char *program,
    records_gone_cb *on_gone, void *arg)
{
	struct records_link *link = xcalloc(1, sizeof(*link));
	struct channel_options options = {
		.accepts = FROM_INDEXER,
		.frame_max_bytes = LIMIT_FRAME_RECORD_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_msg,
		.on_close = on_close,
		.on_drain = on_drain,
		.arg = link,
	};

	link->on_gone = on_gone;
	link->arg = arg;
	TAILQ_INIT(&link->waiting);
	link->channel = channel_new(loop, fd, &options);
	channel_send(link->channel, &(struct msg){
		.type = MSG_TYPE_HELLO,
		.hello = { .version = PROTO_VERSION, .program = str_from(program),
		    .pid = (uint64_t)getpid() },
	});
	return link;
}

void
records_link_free(struct records_link **link_at)
{
	struct records_link *link = *link_at;

	if (link == NULL)
		return;
	*link_at = NULL;
	channel_free(&link->channel);
	while (link->slots != NULL) {
		struct link_slot *slot = link->slots;

		link->slots = slot->next;
		slot->kind->free(slot);
	}
	link_questions_clear(link);
	free(link);
}

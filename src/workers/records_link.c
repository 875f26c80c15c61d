#include "workers/records_link.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "proto/channel.h"
#include "proto/fdlayout.h"

/* What may come next on a lane. */
enum lane_state {
	LANE_BEGUN,		/* state, or refuse */
	LANE_OPEN,		/* nothing but refuse */
	LANE_SCANNING,		/* entry, end, or refuse */
	LANE_COMMITTED,		/* ack, or refuse */
};

struct records_lane {
	struct records_link *link;	/* borrowed, outlives us */
	struct records_lane *next;
	uint64_t id;
	enum lane_state state;
	bool is_holding;
	bool is_abandoned;	/* its owner is told nothing any more */
	const struct records_lane_events *events;	/* borrowed */
	void *arg;
};

struct records_link {
	/* owned */
	struct channel *channel;
	struct records_lane *lanes;

	uint64_t last_id;		/* of the lanes begun so far */
	unsigned holding;		/* lanes that are */
	bool is_broken;			/* on_gone was called */
	records_gone_cb *on_gone;
	void *arg;
};

static void
send_msg(struct records_lane *lane, const struct msg *msg)
{
	channel_send(lane->link->channel, msg);
}

static void
send_abort(struct records_lane *lane)
{
	send_msg(lane, &(struct msg){
		.type = MSG_TYPE_ABORT,
		.abort = { .lane = lane->id },
	});
}

static struct records_lane *
find_lane(struct records_link *link, uint64_t id)
{
	struct records_lane *lane = link->lanes;

	while (lane != NULL && lane->id != id)
		lane = lane->next;
	return lane;
}

/* Take the lane out of the link, so that no event can reach it any more. */
static void
unlink_lane(struct records_lane *lane)
{
	struct records_lane **at = &lane->link->lanes;

	records_release(lane);
	while (*at != lane)
		at = &(*at)->next;
	*at = lane->next;
}

/* --- what the indexer says --- */

static void
break_off(struct records_link *link, const struct msg *msg)
{
	struct err err;

	(void)err_set(&err, ERR_PROTOCOL, "%s came out of order", msg_name(msg->type));
	link->is_broken = true;
	link->on_gone(link, &err, link->arg);
}

static bool
is_expected(const struct records_lane *lane, enum msg_type type)
{
	switch (lane->state) {
	case LANE_BEGUN:
		return type == MSG_TYPE_STATE || type == MSG_TYPE_REFUSE;
	case LANE_OPEN:
		return type == MSG_TYPE_REFUSE;
	case LANE_SCANNING:
		return type == MSG_TYPE_ENTRY || type == MSG_TYPE_END ||
		    type == MSG_TYPE_REFUSE;
	case LANE_COMMITTED:
		return type == MSG_TYPE_ACK || type == MSG_TYPE_REFUSE;
	}
	return false;
}

/* The lane ends with this message.  It is out of the link before its owner is
 * told, who may begin another at once. */
static void
end_lane(struct records_lane *lane, const struct msg *msg)
{
	unlink_lane(lane);
	if (msg->type == MSG_TYPE_STATE)
		lane->events->on_state(&msg->state, lane->arg);
	else if (msg->type == MSG_TYPE_ACK)
		lane->events->on_ack(&msg->ack, lane->arg);
	else
		lane->events->on_refuse(msg->refuse.class, msg->refuse.text, lane->arg);
	free(lane);
}

/* Its owner has aborted it before it was known whether the claim succeeds. */
static void
end_abandoned_lane(struct records_lane *lane, const struct msg *msg)
{
	if (msg->type == MSG_TYPE_STATE && !msg->state.is_busy)
		send_abort(lane);
	unlink_lane(lane);
	free(lane);
}

static void
tell_lane(struct records_lane *lane, const struct msg *msg)
{
	if (msg->type == MSG_TYPE_STATE) {
		lane->state = LANE_OPEN;
		lane->events->on_state(&msg->state, lane->arg);
	} else if (msg->type == MSG_TYPE_ENTRY) {
		lane->events->on_entry(msg->entry.path, msg->entry.cid, lane->arg);
	} else {
		lane->state = LANE_OPEN;
		lane->events->on_end(lane->arg);
	}
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
	default:
		return 0;
	}
}

static void
on_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct records_link *link = arg;
	uint64_t id = lane_id_of(msg);
	struct records_lane *lane = find_lane(link, id);

	if (link->is_broken)
		return;
	if (msg->type == MSG_TYPE_HELLO) {
		if (msg->hello.version != PROTO_VERSION)
			break_off(link, msg);
		return;
	}
	/* An answer that crossed our abort. */
	if (lane == NULL && id != 0 && id <= link->last_id)
		return;
	if (lane == NULL || !is_expected(lane, msg->type)) {
		break_off(link, msg);
		return;
	}
	if (lane->is_abandoned)
		end_abandoned_lane(lane, msg);
	else if (msg->type == MSG_TYPE_ACK || msg->type == MSG_TYPE_REFUSE ||
	    (msg->type == MSG_TYPE_STATE && msg->state.is_busy))
		end_lane(lane, msg);
	else
		tell_lane(lane, msg);
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

static struct records_lane *
next_lane(struct records_link *link, uint64_t after_id)
{
	struct records_lane *next = NULL;

	for (struct records_lane *at = link->lanes; at != NULL; at = at->next)
		if (at->id > after_id && (next == NULL || at->id < next->id))
			next = at;
	return next;
}

/* A handler may abort any lane, so the next one is looked up after each. */
static void
on_drain(struct channel *channel BF_UNUSED, void *arg)
{
	struct records_link *link = arg;
	uint64_t told = 0;
	struct records_lane *lane;

	while ((lane = next_lane(link, told)) != NULL) {
		told = lane->id;
		if (lane->state != LANE_COMMITTED && !lane->is_abandoned)
			lane->events->on_room(lane->arg);
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
	while (link->lanes != NULL) {
		struct records_lane *lane = link->lanes;

		link->lanes = lane->next;
		free(lane);
	}
	free(link);
}

/* --- what a worker says --- */

struct records_lane *
records_begin(struct records_link *link, struct str did,
    const struct records_lane_events *events, void *arg)
{
	struct records_lane *lane = xcalloc(1, sizeof(*lane));

	lane->link = link;
	lane->id = ++link->last_id;
	lane->state = LANE_BEGUN;
	lane->events = events;
	lane->arg = arg;
	lane->next = link->lanes;
	link->lanes = lane;
	send_msg(lane, &(struct msg){
		.type = MSG_TYPE_BEGIN,
		.begin = { .lane = lane->id, .did = did },
	});
	return lane;
}

/* An abort is allowed only for a lane that the indexer has open: not before the
 * claim is answered, not after the commit. */
void
records_abort(struct records_lane **lane_at)
{
	struct records_lane *lane = *lane_at;

	if (lane == NULL)
		return;
	*lane_at = NULL;
	if (lane->state == LANE_BEGUN) {
		records_release(lane);
		lane->is_abandoned = true;
		return;
	}
	if (lane->state != LANE_COMMITTED)
		send_abort(lane);
	unlink_lane(lane);
	free(lane);
}

void
records_scan(struct records_lane *lane)
{
	assert(lane->state == LANE_OPEN);
	lane->state = LANE_SCANNING;
	send_msg(lane, &(struct msg){
		.type = MSG_TYPE_SCAN,
		.scan = { .lane = lane->id },
	});
}

bool
records_has_room(const struct records_lane *lane)
{
	return !channel_is_clogged(lane->link->channel);
}

void
records_put(struct records_lane *lane, struct str path, struct bytes cid,
    struct bytes record)
{
	assert(lane->state == LANE_OPEN || lane->state == LANE_SCANNING);
	send_msg(lane, &(struct msg){
		.type = MSG_TYPE_PUT,
		.put = { .lane = lane->id, .path = path, .cid = cid,
		    .record = record },
	});
}

void
records_delete(struct records_lane *lane, struct str path)
{
	assert(lane->state == LANE_OPEN || lane->state == LANE_SCANNING);
	send_msg(lane, &(struct msg){
		.type = MSG_TYPE_DELETE,
		.delete = { .lane = lane->id, .path = path },
	});
}

void
records_commit(struct records_lane *lane, const struct msg_commit *commit)
{
	struct msg msg = { .type = MSG_TYPE_COMMIT, .commit = *commit };

	assert(lane->state == LANE_OPEN);
	lane->state = LANE_COMMITTED;
	msg.commit.lane = lane->id;
	send_msg(lane, &msg);
}

void
records_hold(struct records_lane *lane)
{
	if (lane->is_holding)
		return;
	lane->is_holding = true;
	if (lane->link->holding++ == 0)
		channel_pause(lane->link->channel);
}

void
records_release(struct records_lane *lane)
{
	if (!lane->is_holding)
		return;
	lane->is_holding = false;
	if (--lane->link->holding == 0)
		channel_resume(lane->link->channel);
}

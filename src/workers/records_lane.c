#include <assert.h>
#include <stdlib.h>

#include "common/mem.h"
#include "workers/records_link_impl.h"

/* What may come next on a lane. */
enum lane_state {
	LANE_BEGUN,		/* state, or refuse */
	LANE_OPEN,		/* nothing but refuse */
	LANE_SCANNING,		/* entry, end, or refuse */
	LANE_COMMITTED,		/* ack, or refuse */
};

struct records_lane {
	struct link_slot slot;
	enum lane_state state;
	bool is_holding;
	bool is_abandoned;	/* its owner is told nothing any more */
	const struct records_lane_events *events;	/* borrowed */
	void *arg;
};

static struct records_lane *
lane_of(struct link_slot *slot)
{
	return (struct records_lane *)(void *)slot;
}

/* Take the lane out of the link, so that no event can reach it any more. */
static void
unlink_lane(struct records_lane *lane)
{
	records_release(lane);
	link_slot_remove(&lane->slot);
}

/* --- what the indexer says --- */

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
	/* Of changes that crossed it the indexer waits for the end. */
	if (lane->state == LANE_OPEN || lane->state == LANE_SCANNING)
		link_slot_abort(&lane->slot);
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
		link_slot_abort(&lane->slot);
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

static bool
on_lane_msg(struct link_slot *slot, const struct msg *msg)
{
	struct records_lane *lane = lane_of(slot);

	if (!is_expected(lane, msg->type))
		return false;
	if (lane->is_abandoned)
		end_abandoned_lane(lane, msg);
	else if (msg->type == MSG_TYPE_ACK || msg->type == MSG_TYPE_REFUSE ||
	    (msg->type == MSG_TYPE_STATE && msg->state.is_busy))
		end_lane(lane, msg);
	else
		tell_lane(lane, msg);
	return true;
}

static void
on_lane_room(struct link_slot *slot)
{
	struct records_lane *lane = lane_of(slot);

	if (lane->state != LANE_COMMITTED && !lane->is_abandoned)
		lane->events->on_room(lane->arg);
}

static void
free_lane(struct link_slot *slot)
{
	free(lane_of(slot));
}

static const struct link_slot_kind lane_kind = { on_lane_msg, on_lane_room, free_lane };

/* --- what a worker says --- */

struct records_lane *
records_begin(struct records_link *link, struct str did,
    const struct records_lane_events *events, void *arg)
{
	struct records_lane *lane = xcalloc(1, sizeof(*lane));

	lane->state = LANE_BEGUN;
	lane->events = events;
	lane->arg = arg;
	link_slot_add(link, &lane->slot, &lane_kind);
	link_slot_send(&lane->slot, &(struct msg){
		.type = MSG_TYPE_BEGIN,
		.begin = { .lane = lane->slot.id, .did = did },
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
		link_slot_abort(&lane->slot);
	unlink_lane(lane);
	free(lane);
}

void
records_scan(struct records_lane *lane)
{
	assert(lane->state == LANE_OPEN);
	lane->state = LANE_SCANNING;
	link_slot_send(&lane->slot, &(struct msg){
		.type = MSG_TYPE_SCAN,
		.scan = { .lane = lane->slot.id },
	});
}

bool
records_has_room(const struct records_lane *lane)
{
	return !channel_is_clogged(lane->slot.link->channel);
}

void
records_put(struct records_lane *lane, struct str path, struct bytes cid,
    struct bytes record)
{
	assert(lane->state == LANE_OPEN || lane->state == LANE_SCANNING);
	link_slot_send(&lane->slot, &(struct msg){
		.type = MSG_TYPE_PUT,
		.put = { .lane = lane->slot.id, .path = path, .cid = cid,
		    .record = record },
	});
}

void
records_delete(struct records_lane *lane, struct str path)
{
	assert(lane->state == LANE_OPEN || lane->state == LANE_SCANNING);
	link_slot_send(&lane->slot, &(struct msg){
		.type = MSG_TYPE_DELETE,
		.delete = { .lane = lane->slot.id, .path = path },
	});
}

void
records_commit(struct records_lane *lane, const struct msg_commit *commit)
{
	struct msg msg = { .type = MSG_TYPE_COMMIT, .commit = *commit };

	assert(lane->state == LANE_OPEN);
	lane->state = LANE_COMMITTED;
	msg.commit.lane = lane->slot.id;
	link_slot_send(&lane->slot, &msg);
}

void
records_hold(struct records_lane *lane)
{
	if (lane->is_holding)
		return;
	lane->is_holding = true;
	if (lane->slot.link->holding++ == 0)
		channel_pause(lane->slot.link->channel);
}

void
records_release(struct records_lane *lane)
{
	if (!lane->is_holding)
		return;
	lane->is_holding = false;
	if (--lane->slot.link->holding == 0)
		channel_resume(lane->slot.link->channel);
}

#include "workers/rows_link.h"

#include <assert.h>
#include <stdlib.h>

#include "common/mem.h"
#include "workers/records_link_impl.h"

struct rows_batch {
	struct link_slot slot;
	bool is_sent;		/* the indexer knows of it */
	bool is_committed;
	const struct rows_batch_events *events;	/* borrowed */
	void *arg;
};

static struct rows_batch *
batch_of(struct link_slot *slot)
{
	return (struct rows_batch *)(void *)slot;
}

/* Refused or acked, both as the answer to a commit only. */
static bool
on_batch_msg(struct link_slot *slot, const struct msg *msg)
{
	struct rows_batch *batch = batch_of(slot);

	if (!batch->is_committed ||
	    (msg->type != MSG_TYPE_ACK && msg->type != MSG_TYPE_REFUSE))
		return false;
	link_slot_remove(slot);
	if (msg->type == MSG_TYPE_ACK)
		batch->events->on_ack(&msg->ack, batch->arg);
	else
		batch->events->on_refuse(msg->refuse.class, msg->refuse.text, batch->arg);
	free(batch);
	return true;
}

static void
on_batch_room(struct link_slot *slot)
{
	struct rows_batch *batch = batch_of(slot);

	if (!batch->is_committed)
		batch->events->on_room(batch->arg);
}

static void
free_batch(struct link_slot *slot)
{
	free(batch_of(slot));
}

static const struct link_slot_kind batch_kind = {
	on_batch_msg, on_batch_room, free_batch
};

struct rows_batch *
rows_batch_new(struct records_link *link, const struct rows_batch_events *events,
    void *arg)
{
	struct rows_batch *batch = xcalloc(1, sizeof(*batch));

	batch->events = events;
	batch->arg = arg;
	link_slot_add(link, &batch->slot, &batch_kind);
	return batch;
}

bool
rows_has_room(const struct rows_batch *batch)
{
	return !channel_is_clogged(batch->slot.link->channel);
}

static void
send_change(struct rows_batch *batch, const struct msg *msg)
{
	assert(!batch->is_committed);
	batch->is_sent = true;
	link_slot_send(&batch->slot, msg);
}

void
rows_put(struct rows_batch *batch, unsigned table, struct bytes key,
    struct bytes value)
{
	send_change(batch, &(struct msg){ .type = MSG_TYPE_ROW_PUT, .row_put = {
		.lane = batch->slot.id, .table = table, .key = key, .value = value,
	} });
}

void
rows_delete(struct rows_batch *batch, unsigned table, struct bytes key)
{
	send_change(batch, &(struct msg){ .type = MSG_TYPE_ROW_DELETE, .row_delete = {
		.lane = batch->slot.id, .table = table, .key = key,
	} });
}

void
rows_clear(struct rows_batch *batch, unsigned table, struct bytes prefix)
{
	send_change(batch, &(struct msg){ .type = MSG_TYPE_ROW_CLEAR, .row_clear = {
		.lane = batch->slot.id, .table = table, .prefix = prefix,
	} });
}

void
rows_checked(struct rows_batch *batch, struct str did, int64_t at_ms)
{
	send_change(batch, &(struct msg){ .type = MSG_TYPE_CHECKED, .checked = {
		.lane = batch->slot.id, .did = did, .at_ms = (uint64_t)at_ms,
	} });
}

static void
commit(struct rows_batch *batch, bool is_counted)
{
	send_change(batch, &(struct msg){ .type = MSG_TYPE_ROW_COMMIT, .row_commit = {
		.lane = batch->slot.id, .is_counted = is_counted,
	} });
	batch->is_committed = true;
}

void
rows_commit(struct rows_batch *batch)
{
	commit(batch, false);
}

void
rows_commit_counted(struct rows_batch *batch)
{
	commit(batch, true);
}

void
rows_abort(struct rows_batch **batch_at)
{
	struct rows_batch *batch = *batch_at;

	if (batch == NULL)
		return;
	*batch_at = NULL;
	if (batch->is_sent && !batch->is_committed)
		link_slot_abort(&batch->slot);
	link_slot_remove(&batch->slot);
	free(batch);
}

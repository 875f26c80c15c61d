/*
 * The part of catch-up that writes one event: the claim, the changes, the commit.
 */
#include <stdlib.h>

#include "fetch/polite.h"
#include "workers/catch_up_event.h"
#include "workers/room.h"

#define BUSY_WAIT_MS		250
#define BUSY_WAIT_MAX_MS	4000
#define ATTEMPTS		6	/* while another operation has the repository */

static void
refuse_record(struct catch_up_event *ev, const struct firehose_op *op,
    const struct fault *fault)
{
	struct buf uri = BUF_INIT;
	char text[FAULT_TEXT_SIZE];

	fault_format(fault, text);
	buf_printf(&uri, "at://%.*s/%.*s", STR_FMT(ev->event.did), STR_FMT(op->path));
	catch_up_item_failed(ev->job, buf_str(&uri), fault_kind(fault->code), text);
	buf_clear(&uri);
	ev->refused++;
	/* What was there before is no longer what the repository says. */
	records_delete(ev->lane, op->path);
}

static int
send_op(struct catch_up_event *ev, const struct firehose_op *op, struct fault *fault)
{
	enum fault_code bad;
	struct bytes bytes;

	if (!filter_wants(catch_up_wanted(ev), op->collection))
		return 0;
	if (op->action == FIREHOSE_DELETE) {
		records_delete(ev->lane, op->path);
		return 0;
	}
	if (proof_record(ev->proof, op, &bytes, &bad, fault) == -1)
		return -1;
	if (bad != FAULT_NONE)
		refuse_record(ev, op, fault);
	else
		records_put(ev->lane, op->path,
		    (struct bytes){ op->cid.bytes, CID_BYTES }, bytes);
	return 0;
}

static void
commit(struct catch_up_event *ev)
{
	const struct commit *head = proof_commit(ev->proof);

	ev->is_committed = true;
	records_commit(ev->lane, &(struct msg_commit){
		.pds_url = str_from(ev->pds),
		.rev = head->rev,
		.commit_cid = { head->cid.bytes, CID_BYTES },
		.data_cid = { head->data.bytes, CID_BYTES },
		.status = STR("active"),
		.selection = str_from(sync_env_selection(&ev->job->env, ev->event.did)),
	});
}

static void
send_ops(struct catch_up_event *ev)
{
	struct fault fault;

	for (; ev->ops_left > 0; ev->ops_left--) {
		struct firehose_op op;

		if (!records_has_room(ev->lane))
			return;
		firehose_next_op(&ev->ops, &op);
		if (send_op(ev, &op, &fault) == -1) {
			catch_up_event_mark_fault(ev, &fault);
			return;
		}
	}
	commit(ev);
}

static void
look_in(struct catch_up_event *ev, int64_t wait_ms)
{
	proof_free(&ev->proof);
	ev_timer_set(&ev->again, (ev_tstamp)wait_ms / 1000, 0);
	ev_timer_start(ev->job->env.loop, &ev->again);
}

static void
again_later(struct catch_up_event *ev)
{
	if (++ev->attempts == ATTEMPTS)
		catch_up_event_mark(ev, "another operation has it");
	else
		look_in(ev, polite_backoff_ms(BUSY_WAIT_MS, ev->attempts - 1,
		    BUSY_WAIT_MAX_MS, (double)arc4random() / 4294967296.));
}

/* The claim: is it still what the look said? */
static void
on_claim(const struct msg_state *state, void *arg)
{
	struct catch_up_event *ev = arg;

	if (state->is_busy) {
		ev->lane = NULL;
		again_later(ev);
	} else if (!str_eq(state->rev, str_from(ev->rev))) {
		records_abort(&ev->lane);
		again_later(ev);
	} else {
		ev->is_claimed = true;
		send_ops(ev);
	}
}

static void
on_ack(const struct msg_ack *ack, void *arg)
{
	struct catch_up_event *ev = arg;

	ev->lane = NULL;
	catch_up_has_room(ev->job);
	ev->job->failed += ev->refused;
	ev->job->created += ack->created;
	ev->job->updated += ack->updated;
	ev->job->deleted += ack->deleted;
	catch_up_event_settled(ev);
}

static void
on_refuse(struct str class, struct str text, void *arg)
{
	struct catch_up_event *ev = arg;
	char word[64], why[ERR_TEXT_SIZE];

	ev->lane = NULL;
	if (room_is_refusal(class)) {
		look_in(ev, catch_up_lacks_room(ev->job, text));
		return;
	}
	(void)str_copy(word, sizeof(word), class);
	(void)str_copy(why, sizeof(why), text);
	catch_up_fail(ev->job, word, why);
}

static void
on_room(void *arg)
{
	struct catch_up_event *ev = arg;

	if (ev->is_claimed && !ev->is_committed)
		send_ops(ev);
}

void
catch_up_apply(struct catch_up_event *ev)
{
	static const struct records_lane_events events = {
		.on_state = on_claim, .on_room = on_room, .on_ack = on_ack,
		.on_refuse = on_refuse,
	};

	ev->ops = ev->event.ops;
	ev->ops_left = ev->event.op_count;
	ev->is_claimed = ev->is_committed = false;
	ev->refused = 0;
	ev->lane = records_begin(worker_records(ev->job->worker), ev->event.did, &events,
	    ev);
}


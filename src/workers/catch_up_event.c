/*
 * The part of catch-up that takes in one event: what the index knows of the account,
 * whether the event proves what it says, and what follows from both.  Each event
 * ends with nothing to do, with an ack of the indexer, or with a mark.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "workers/catch_up_event.h"
#include "workers/identity_memory.h"

/* --- the end of an event --- */

static void
release(struct catch_up_event *ev)
{
	link_question_cancel(&ev->look);
	identity_ask_cancel(&ev->ask);
	records_abort(&ev->lane);
	proof_free(&ev->proof);
	ev_timer_stop(ev->job->env.loop, &ev->again);
	buf_clear(&ev->frame);
	free(ev);
}

static void
unlink_event(struct catch_up_event *ev)
{
	struct catch_up *job = ev->job;
	struct catch_up_event **at = &job->events;

	while (*at != ev)
		at = &(*at)->next;
	*at = ev->next;
	if (job->events_end == &ev->next)
		job->events_end = at;
	job->open_events--;
	job->open_bytes -= buf_len(&ev->frame);
}

/* The first of an account's that waits, once none before it is open. */
static void
start_next(struct catch_up *job, struct str did)
{
	for (struct catch_up_event *ev = job->events; ev != NULL; ev = ev->next) {
		if (!str_eq(ev->event.did, did))
			continue;
		if (!ev->is_running) {
			ev->is_running = true;
			catch_up_event_look(ev);
		}
		return;
	}
}

void
catch_up_event_settled(struct catch_up_event *ev)
{
	struct catch_up *job = ev->job;

	replay_window_end(&job->window, ev->id);
	unlink_event(ev);
	start_next(job, ev->event.did);
	release(ev);
	catch_up_save_soon(job);
	catch_up_event_is_over(job);
}

void
catch_up_event_mark(struct catch_up_event *ev, const char *reason)
{
	catch_up_mark(ev->job, ev->event.did, reason);
	catch_up_event_settled(ev);
}

void
catch_up_event_mark_fault(struct catch_up_event *ev, const struct fault *fault)
{
	char text[FAULT_TEXT_SIZE];

	fault_format(fault, text);
	catch_up_event_mark(ev, text);
}

/* --- proving --- */

static void ask_document(struct catch_up_event *ev, bool is_fresh);

static void
prove(struct catch_up_event *ev, const struct key *key)
{
	struct commit_expect expect = {
		.did = ev->event.did, .key = key, .rev_known = str_from(ev->rev),
		.now_us = clock_wall_us(),
	};
	struct fault fault;

	if (proof_check_commit(ev->proof, &expect, &fault) == -1) {
		/* The key may have been changed since the document was read. */
		if (strcmp(fault_kind(fault.code), "BadSignature") == 0 && !ev->is_fresh)
			ask_document(ev, true);
		else
			catch_up_event_mark_fault(ev, &fault);
		return;
	}
	if (ev->event.type == FIREHOSE_COMMIT &&
	    proof_check_ops(ev->proof, &fault) == -1) {
		catch_up_event_mark_fault(ev, &fault);
		return;
	}
	catch_up_apply(ev);
}

static void
on_document(const struct identity_answer *answer, void *arg)
{
	struct catch_up_event *ev = arg;
	bool has_moved;

	ev->ask = NULL;
	if (answer->error.class != FETCH_OK) {
		catch_up_event_mark(ev, answer->error.text);
		return;
	}
	has_moved = answer->pds == NULL || strcmp(answer->pds, ev->pds) != 0;
	if (has_moved)
		catch_up_event_mark(ev, "the account has moved");
	else if (ev->event.type == FIREHOSE_IDENTITY)
		catch_up_event_settled(ev);
	else if (!answer->has_key)
		catch_up_event_mark(ev, "its DID document has no key #atproto");
	else
		prove(ev, &answer->key);
}

static void
ask_document(struct catch_up_event *ev, bool is_fresh)
{
	ev->is_fresh = is_fresh;
	ev->ask = identity_ask_start(&ev->job->env, ev->event.did, is_fresh, on_document,
	    ev);
}

/* --- what an event means for a repository that we have --- */

static bool
is_as_wanted(const struct catch_up_event *ev)
{
	return strcmp(ev->status, "active") == 0 &&
	    strcmp(ev->selection, sync_env_selection(&ev->job->env, ev->event.did)) == 0 &&
	    ev->has_data;
}

static const char *
why_no_proof(const struct catch_up_event *ev)
{
	const struct firehose_event *event = &ev->event;

	if (!is_as_wanted(ev))
		return "it is not indexed as it should be";
	if (event->too_big)
		return "the event is too big to tell what changed";
	if (!event->has_prev_data)
		return "the event does not tell what was before";
	if (!str_eq(event->since, str_from(ev->rev)) ||
	    !cid_eq(&event->prev_data, &ev->data))
		return "an event before is missing";
	return NULL;
}

static void
read_proof(struct catch_up_event *ev)
{
	struct fault fault;

	ev->proof = proof_read(&ev->event, &fault);
	if (ev->proof == NULL)
		catch_up_event_mark_fault(ev, &fault);
	else if (ev->event.type == FIREHOSE_SYNC &&
	    !cid_eq(&proof_commit(ev->proof)->data, &ev->data))
		catch_up_event_mark(ev, "its host begins its history anew");
	else
		ask_document(ev, false);
}

static void
take_commit(struct catch_up_event *ev)
{
	const char *why = why_no_proof(ev);

	if (str_cmp(ev->event.rev, str_from(ev->rev)) <= 0)
		catch_up_event_settled(ev);
	else if (why != NULL)
		catch_up_event_mark(ev, why);
	else
		read_proof(ev);
}

static void
take_sync(struct catch_up_event *ev)
{
	if (str_cmp(ev->event.rev, str_from(ev->rev)) <= 0)
		catch_up_event_settled(ev);
	else if (!is_as_wanted(ev))
		catch_up_event_mark(ev, "it is not indexed as it should be");
	else
		read_proof(ev);
}

/* Nobody signs a status, and a host that an account has left says "deactivated" of it
 * for ever: what is true is for its own host to say. */
static void
take_account(struct catch_up_event *ev)
{
	struct str status = ev->event.active ? STR("active") : ev->event.status;

	if (str_eq(status, str_from(ev->status)))
		catch_up_event_settled(ev);
	else
		catch_up_event_mark(ev, "the status of the account has changed");
}

static bool
has_wanted_records(const struct catch_up_event *ev)
{
	struct dagcbor at = ev->event.ops;
	struct firehose_op op;

	if (ev->event.type != FIREHOSE_COMMIT)
		return false;
	for (uint64_t i = 0; i < ev->event.op_count; i++) {
		firehose_next_op(&at, &op);
		if (op.action != FIREHOSE_DELETE &&
		    filter_wants(catch_up_wanted(ev), op.collection))
			return true;
	}
	return ev->event.too_big && catch_up_wanted(ev) == NULL;
}

static void
remember(struct catch_up_event *ev, const struct msg_state *state)
{
	(void)str_copy(ev->rev, sizeof(ev->rev), state->rev);
	(void)str_copy(ev->status, sizeof(ev->status), state->status);
	(void)str_copy(ev->pds, sizeof(ev->pds), state->pds_url);
	(void)str_copy(ev->selection, sizeof(ev->selection), state->selection);
	ev->has_data = cid_unpack(state->data_cid, &ev->data) == 0;
}

static void
take(struct catch_up_event *ev)
{
	switch (ev->event.type) {
	case FIREHOSE_COMMIT:
		take_commit(ev);
		break;
	case FIREHOSE_SYNC:
		take_sync(ev);
		break;
	case FIREHOSE_ACCOUNT:
		take_account(ev);
		break;
	case FIREHOSE_IDENTITY:
		ask_document(ev, true);
		break;
	case FIREHOSE_INFO:
	case FIREHOSE_ERROR:
	case FIREHOSE_OTHER:
		catch_up_event_settled(ev);
		break;
	}
}

static void
on_look(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct catch_up_event *ev = arg;
	char word[64], text[ERR_TEXT_SIZE];

	ev->look = NULL;
	if (why != NULL) {
		(void)str_copy(word, sizeof(word), why->class);
		(void)str_copy(text, sizeof(text), why->text);
		catch_up_fail(ev->job, word, text);
	} else if (state->is_known) {
		remember(ev, state);
		take(ev);
	} else if (has_wanted_records(ev)) {
		catch_up_event_mark(ev, "it is not indexed yet");
	} else {
		catch_up_event_settled(ev);
	}
}

void
catch_up_event_look(struct catch_up_event *ev)
{
	ev->look = records_look(worker_records(ev->job->worker), ev->event.did, on_look,
	    ev);
}

/* --- arrival --- */

static void
on_again(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	catch_up_event_look(timer->data);
}

static bool
is_account_open(const struct catch_up *job, const struct catch_up_event *but)
{
	for (const struct catch_up_event *ev = job->events; ev != but; ev = ev->next)
		if (str_eq(ev->event.did, but->event.did))
			return true;
	return false;
}

void
catch_up_event_add(struct catch_up *job, struct bytes frame,
    const struct replay_position *position)
{
	struct catch_up_event *ev = xcalloc(1, sizeof(*ev));
	struct fault fault;

	ev->job = job;
	ev->id = replay_window_begin(&job->window, position);
	buf_add(&ev->frame, frame.ptr, frame.len);
	(void)!firehose_read(buf_bytes(&ev->frame), &ev->event, &fault);
	ev_init(&ev->again, on_again);
	ev->again.data = ev;
	*job->events_end = ev;
	job->events_end = &ev->next;
	job->open_events++;
	job->open_bytes += frame.len;
	if (ev->event.did.len == 0) {
		catch_up_event_settled(ev);		/* of a type that we do not know */
	} else if (!is_account_open(job, ev)) {
		ev->is_running = true;
		catch_up_event_look(ev);
	}
}

void
catch_up_event_drop_all(struct catch_up *job)
{
	struct catch_up_event *ev, *next;

	for (ev = job->events; ev != NULL; ev = next) {
		next = ev->next;
		release(ev);
	}
	job->events = NULL;
	job->events_end = &job->events;
	job->open_events = 0;
	job->open_bytes = 0;
}

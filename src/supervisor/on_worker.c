#include "supervisor/on_worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/utf8.h"
#include "proto/fdlayout.h"
#include "supervisor/assign.h"
#include "supervisor/contain.h"
#include "supervisor/heartbeat.h"
#include "supervisor/pause.h"
#include "supervisor/progress.h"

/* A peer's text into one of our arrays, cut between two characters. */
#define COPY_TEXT(to, text) \
	((void)str_copy((to), sizeof(to), utf8_cut((text), sizeof(to) - 1)))

/* The outcome tells the reason; nobody has to be told before. */
void
on_worker_broke(struct child *child, const char *why)
{
	if (child->end.stop_reason == STOP_NONE)
		COPY_TEXT(child->end.fail_text, str_from(why));
	child_stop(child, STOP_PROTOCOL);
}

/* Not the worker's fault: the store's, which the outcome names. */
static void
cannot_assign(struct child *child, const struct err *err)
{
	COPY_TEXT(child->end.fail_class, err->code == ERR_CORRUPT ? STR(CLASS_DAMAGED) :
	    STR(CLASS_STORE));
	(void)snprintf(child->end.fail_text, sizeof(child->end.fail_text),
	    "what it was to do cannot be read: %s", err->text);
	child_stop(child, STOP_ASSIGN);
}

static void
on_hello(struct child *child, const struct msg_hello *hello)
{
	struct err err;
	char why[128];

	if (child->said_hello) {
		on_worker_broke(child, "the worker said hello twice");
		return;
	}
	child->said_hello = true;
	if (child->state != CHILD_STARTING)
		return;		/* told to stop meanwhile */
	if (hello->version != PROTO_VERSION) {
		(void)snprintf(why, sizeof(why), "the worker speaks version %llu of the "
		    "protocol, not %d", (unsigned long long)hello->version, PROTO_VERSION);
		on_worker_broke(child, why);
		return;
	}
	ev_timer_stop(child->sup->loop, &child->hello_timer);
	child->state = CHILD_RUNNING;
	if (assign_send(child, &err) == -1)
		cannot_assign(child, &err);
	else
		pause_tell(child);
}

static void
on_progress(struct child *child, const struct msg_progress *progress)
{
	COPY_TEXT(child->stage, progress->stage);
	child->processed = progress->processed;
	child->total = progress->total;
	child->failed = progress->failed;
	child->bytes = progress->bytes;
	progress_mark(child);
}

static void
on_checkpoint(struct child *child, const struct msg_checkpoint *checkpoint)
{
	if (checkpoint->data.len > LIMIT_CHECKPOINT_BYTES) {
		on_worker_broke(child, "a checkpoint is over its limit");
		return;
	}
	buf_reset(&child->checkpoint);
	buf_add(&child->checkpoint, checkpoint->data.ptr, checkpoint->data.len);
	child->checkpoint_processed = checkpoint->processed;
	child->created = checkpoint->created;
	child->updated = checkpoint->updated;
	child->deleted = checkpoint->deleted;
	child->has_checkpoint = true;
	notes_mark(&child->notes);
	child->end.has_checkpoint = true;
	progress_mark(child);
}

static void
on_stage(struct child *child, const struct msg_stage *stage)
{
	child->stage_done = stage->done;
	child->stage_total = stage->total;
	progress_mark(child);
}

static struct str
cut(struct str text)
{
	return utf8_cut(text, LIMIT_OP_TEXT_BYTES);
}

static void
on_log(struct child *child, const struct msg_log *line)
{
	enum log_level level = line->level <= LOG_LEVEL_ERROR ? LOG_LEVEL_WARN :
	    line->level <= LOG_LEVEL_WARN ? LOG_LEVEL_WARN :
	    line->level <= LOG_LEVEL_INFO ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;

	/* Counted apart, so that chatter does not use up the room of what matters. */
	if ((level == LOG_LEVEL_DEBUG ? child->debug_logs++ : child->logs++) >=
	    LIMIT_WORKER_LOGS)
		return;
	log_at(level, "op %s worker %d: %.*s", child->id, child->pid,
	    STR_FMT(cut(line->text)));
	if (level == LOG_LEVEL_DEBUG)
		return;
	notes_add_log(&child->notes, clock_wall_ms(), cut(line->text));
	progress_mark(child);
}

static void
on_item_failed(struct child *child, const struct msg_item_failed *failed)
{
	struct ops_item item = {
		.at_ms = clock_wall_ms(), .item = cut(failed->item),
		.class = cut(failed->class), .text = cut(failed->text),
	};

	/* All are counted by the worker's progress; a bounded number is kept. */
	if (child->items++ >= LIMIT_OP_ITEMS)
		return;
	log_debug("op %s: %.*s: %.*s: %.*s", child->id, STR_FMT(item.item),
	    STR_FMT(item.class), STR_FMT(item.text));
	notes_add_item(&child->notes, &item);
	progress_mark(child);
}

static void
on_item_works(struct child *child, const struct msg_item_works *works)
{
	/* No more than were listed. */
	if (child->items_that_work++ >= LIMIT_OP_ITEMS)
		return;
	notes_add_works(&child->notes, clock_wall_ms(), cut(works->item));
	progress_mark(child);
}

static void
on_met(struct child *child, const struct msg_met *met)
{
	child->met[op_met_parse(met->what)] += met->count;
	progress_mark(child);
}

static void
on_done(struct child *child, const struct msg_done *done)
{
	crashpoint(CRASHPOINT_RESULT_HEARD);
	child->end.said_done = true;
	child->processed = done->processed;
	child->total = done->total;
	child->failed = done->failed;
	child->bytes = done->bytes;
	child->created = done->created;
	child->updated = done->updated;
	child->deleted = done->deleted;
	child_expect_end(child);
}

static void
on_paused(struct child *child)
{
	if (!child->told_to_pause) {
		on_worker_broke(child, "the worker paused without being asked to");
		return;
	}
	child->end.said_paused = true;
	child_expect_end(child);
}

static void
on_fail(struct child *child, const struct msg_fail *fail)
{
	child->end.said_fail = true;
	COPY_TEXT(child->end.fail_class, fail->class);
	COPY_TEXT(child->end.fail_text, fail->text);
	child_expect_end(child);
}

void
on_worker_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct child *child = arg;

	/* It is being ended for what it said before, or knows of no work: nothing more is
	 * believed. */
	if (child->end.stop_reason == STOP_PROTOCOL ||
	    child->end.stop_reason == STOP_ASSIGN ||
	    child->end.stop_reason == STOP_HELLO_TIMEOUT)
		return;
	if (child->end.said_done || child->end.said_fail || child->end.said_paused) {
		on_worker_broke(child, "the worker went on after its last message");
		return;
	}
	if (!child->said_hello && msg->type != MSG_TYPE_HELLO) {
		on_worker_broke(child, "the worker's first message was not hello");
		return;
	}
	switch (msg->type) {
	case MSG_TYPE_HELLO:
		on_hello(child, &msg->hello);
		break;
	case MSG_TYPE_PROGRESS:
		on_progress(child, &msg->progress);
		break;
	case MSG_TYPE_CHECKPOINT:
		on_checkpoint(child, &msg->checkpoint);
		break;
	case MSG_TYPE_CONFINED:
		contain_report(child->sup, child->type, &msg->confined);
		break;
	case MSG_TYPE_PONG:
		heartbeat_heard(child);
		break;
	case MSG_TYPE_LOG:
		on_log(child, &msg->log);
		break;
	case MSG_TYPE_ITEM_FAILED:
		on_item_failed(child, &msg->item_failed);
		break;
	case MSG_TYPE_STAGE:
		on_stage(child, &msg->stage);
		break;
	case MSG_TYPE_ITEM_WORKS:
		on_item_works(child, &msg->item_works);
		break;
	case MSG_TYPE_MET:
		on_met(child, &msg->met);
		break;
	case MSG_TYPE_DONE:
		on_done(child, &msg->done);
		break;
	case MSG_TYPE_PAUSED:
		on_paused(child);
		break;
	case MSG_TYPE_FAIL:
		on_fail(child, &msg->fail);
		break;
	default:	/* the channel accepts nothing else from a worker */
		abort();
	}
}

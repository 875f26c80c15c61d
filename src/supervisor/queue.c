#include "supervisor/queue.h"

#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "supervisor/child.h"
#include "supervisor/service.h"

#define RETRY_MS	1000	/* when no process can be had, or the disk is full */

/* Each start is a fork and a synced transaction: other work comes in between. */
#define STARTS_PER_TURN	8

/* The oldest queued operation, copied out of the snapshot as far as its start
 * needs it. */
struct next {
	bool found, cancel_asked;
	char id[TID_SIZE], type[32];
	struct op op;
};

static bool
take_first(const struct op *op, void *arg)
{
	struct next *next = arg;

	next->found = true;
	next->cancel_asked = op->cancel_asked_ms != 0;
	(void)str_copy(next->id, sizeof(next->id), op->id);
	(void)str_copy(next->type, sizeof(next->type), op->type);
	next->op = (struct op){
		.id = str_from(next->id), .type = str_from(next->type),
		.attempt = op->attempt, .crashes = op->crashes,
		.records_processed = op->records_processed,
		.bytes_fetched = op->bytes_fetched,
		.records_created = op->records_created,
		.records_updated = op->records_updated,
		.records_deleted = op->records_deleted,
	};
	return false;
}

static int
find_next(struct supervisor *sup, struct next *next_out, struct err *err)
{
	struct ops_filter filter = { .status = OP_QUEUED, .oldest_first = true };
	struct ops_read *read;
	int rc;

	next_out->found = false;
	if (ops_read_begin(sup->ops, &read, err) == -1)
		return -1;
	rc = ops_list(read, &filter, take_first, next_out, err);
	ops_read_end(&read);
	return rc;
}

static void
edit_failed(struct op *op, void *arg)
{
	op->error_class = STR("exec");
	op->error_text = str_from(arg);
}

/* End a queued operation that is not to be started. */
static int
end_queued(struct supervisor *sup, const char *id, enum op_event event, char *text)
{
	enum op_status status;
	struct err err;

	if (ops_change(sup->ops, str_from(id), event, str_from(text), clock_wall_ms(),
	    event == OP_EVENT_FAIL ? edit_failed : NULL, text, &status, &err) == -1) {
		log_error("op %s: cannot become %s: %s", id, op_event_word(event), err.text);
		return -1;
	}
	log_warn("op %s: %s: %s", id, op_event_word(event), text);
	supervisor_op_settled(sup, id, status);
	return 0;
}

/* 0: go on with the next one; -1: not now. */
static int
start_next(struct supervisor *sup, struct next *next)
{
	char cancelled[] = "it was asked for before the operation could go on";
	struct err err;

	if (next->cancel_asked)
		return end_queued(sup, next->id, OP_EVENT_CANCEL, cancelled);
	if (child_start(sup, &next->op, &err) == 0)
		return 0;

	/* Its executable is missing or broken: waiting would not help. */
	if (err.code == ERR_NOT_FOUND)
		return end_queued(sup, next->id, OP_EVENT_FAIL, err.text);
	log_warn("op %s: cannot start now: %s", next->id, err.text);
	return -1;
}

static void
run_later(struct supervisor *sup, unsigned delay_ms)
{
	ev_timer_stop(sup->loop, &sup->queue_turn);
	ev_timer_set(&sup->queue_turn, delay_ms / 1000., 0.);
	ev_timer_start(sup->loop, &sup->queue_turn);
}

static bool
has_room(const struct supervisor *sup)
{
	return sup->phase == PHASE_RUNNING && service_is_ready(sup->indexer) &&
	    sup->children->count < sup->settings.max_workers;
}

static void
on_turn(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;
	struct next next;
	struct err err;

	for (int i = 0; i < STARTS_PER_TURN; i++) {
		if (!has_room(sup))
			return;
		if (find_next(sup, &next, &err) == -1) {
			log_error("the queue cannot be read: %s", err.text);
			run_later(sup, RETRY_MS);
			return;
		}
		if (!next.found)
			return;
		if (start_next(sup, &next) == -1) {
			run_later(sup, RETRY_MS);
			return;
		}
	}
	run_later(sup, 0);
}

void
queue_wake(struct supervisor *sup)
{
	if (has_room(sup))
		run_later(sup, 0);
}

void
queue_init(struct supervisor *sup)
{
	ev_timer_init(&sup->queue_turn, on_turn, 0., 0.);
	sup->queue_turn.data = sup;
}

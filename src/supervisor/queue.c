#include "supervisor/queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "supervisor/child.h"
#include "supervisor/leftovers.h"
#include "supervisor/service.h"
#include "supervisor/type_limit.h"

#define RETRY_MS	1000	/* when no process can be had, or the disk is full */

/* Each start is a fork and a synced transaction: other work comes in between. */
#define STARTS_PER_TURN	8

/* The operation to start next, copied out of the snapshot as far as its start needs
 * it; and one whose record cannot be read, which must not hold up the others. */
struct next {
	struct supervisor *sup;		/* borrowed */
	bool found, cancel_asked;
	char id[TID_SIZE], type[32], damaged_id[TID_SIZE];
	char *did;			/* owned, or NULL */
	struct op op;
};

static void
take(struct next *next, const struct op *op)
{
	uint64_t met[OP_MET_COUNT];

	next->found = true;
	next->cancel_asked = op->cancel_asked_ms != 0;
	(void)str_copy(next->id, sizeof(next->id), op->id);
	(void)str_copy(next->type, sizeof(next->type), op->type);
	free(next->did);
	next->did = xstrndup(op->did.ptr, op->did.len);
	next->op = (struct op){
		.id = str_from(next->id), .type = str_from(next->type),
		.did = str_from(next->did), .priority = op->priority,
		.attempt = op->attempt, .crashes = op->crashes,
		.records_processed = op->records_processed,
		.bytes_fetched = op->bytes_fetched,
		.records_created = op->records_created,
		.records_updated = op->records_updated,
		.records_deleted = op->records_deleted,
	};
	op_met_get(op, met);
	op_met_set(&next->op, met);
}

/* --- what may start --- */

/* Bulk work leaves one place to those that somebody waits for. */
static bool
has_place(const struct supervisor *sup, uint64_t priority)
{
	const struct child *child;
	uint64_t bulk = 0;

	if (priority != OP_PRIORITY_BULK || sup->settings.max_workers == 1)
		return true;
	LIST_FOREACH(child, &sup->children->list, entry)
		bulk += child->priority == OP_PRIORITY_BULK;
	return bulk < sup->settings.max_workers - 1;
}

static bool
type_has_place(const struct supervisor *sup, struct str type)
{
	uint64_t most = type_limit(sup->settings.max_workers_per_type, type), running = 0;
	const struct child *child;

	if (most == TYPE_LIMIT_NONE)
		return true;
	LIST_FOREACH(child, &sup->children->list, entry)
		running += str_eq(str_from(child->type), type);
	return running < most;
}

/* Two operations on one account would only take its lane from each other. */
static bool
did_is_taken(const struct supervisor *sup, struct str did)
{
	const struct child *child;

	if (str_is_empty(did))
		return false;
	LIST_FOREACH(child, &sup->children->list, entry)
		if (str_eq(str_from(child->did), did))
			return true;
	return false;
}

static enum ops_verdict
see_turn(const struct ops_turn *turn, void *arg)
{
	struct next *next = arg;

	if (next->found && next->op.priority > turn->priority)
		return OPS_STOP;
	if (turn->op == NULL) {
		(void)str_copy(next->damaged_id, sizeof(next->damaged_id), turn->id);
		return OPS_NEXT;
	}
	if (!has_place(next->sup, turn->priority) ||
	    !type_has_place(next->sup, turn->type))
		return OPS_NEXT_TYPE;
	if (did_is_taken(next->sup, turn->op->did))
		return OPS_NEXT;
	if (!next->found || str_cmp(turn->id, next->op.id) < 0)
		take(next, turn->op);
	return OPS_NEXT_TYPE;
}

static int
find_next(struct supervisor *sup, struct next *next_out, struct err *err)
{
	struct ops_read *read;
	int rc;

	*next_out = (struct next){ .sup = sup };
	if (ops_read_begin(sup->ops, &read, err) == -1)
		return -1;
	rc = ops_queue(read, see_turn, next_out, err);
	ops_read_end(&read);
	return rc;
}

/* --- starting it --- */

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
	leftovers_remove(sup, id);
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

/* One step: 1 if there may be more to do, 0 if not, -1 if not now. */
static int
step(struct supervisor *sup)
{
	struct next next;
	struct err err;
	int rc = 0;

	if (!has_room(sup))
		return 0;
	if (find_next(sup, &next, &err) == -1) {
		log_error("the queue cannot be read: %s", err.text);
		rc = -1;
	}
	if (rc == 0 && next.damaged_id[0] != '\0')
		rc = supervisor_mend(sup, next.damaged_id) == 0 ? 1 : -1;
	if (rc != -1 && next.found)
		rc = start_next(sup, &next) == 0 ? 1 : -1;
	free(next.did);
	return rc;
}

static void
on_turn(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;

	for (int i = 0; i < STARTS_PER_TURN; i++) {
		switch (step(sup)) {
		case 0:
			return;
		case -1:
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

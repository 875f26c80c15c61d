#include "supervisor/queue.h"

#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "supervisor/child.h"
#include "supervisor/control.h"
#include "supervisor/service.h"

#define RETRY_MS	1000	/* when no process can be had, or the disk is full */

/* The oldest queued operation, copied out of the snapshot as far as needed. */
struct next {
	bool found;
	char id[TID_SIZE], type[32];
	struct op op;
};

static bool
take_first(const struct op *op, void *arg)
{
	struct next *next = arg;

	next->found = true;
	(void)str_copy(next->id, sizeof(next->id), op->id);
	(void)str_copy(next->type, sizeof(next->type), op->type);
	next->op = (struct op){
		.id = str_from(next->id), .type = str_from(next->type),
		.attempt = op->attempt, .records_processed = op->records_processed,
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

/* Its executable is missing or broken: waiting would not help. */
static void
fail_queued(struct supervisor *sup, const char *id, struct err *why)
{
	enum op_status status;
	struct err err;

	log_error("op %s: %s", id, why->text);
	if (ops_change(sup->ops, str_from(id), OP_EVENT_FAIL, str_from(why->text),
	    clock_wall_ms(), edit_failed, why->text, &status, &err) == -1) {
		log_error("op %s: could not be failed: %s", id, err.text);
		return;
	}
	supervisor_op_changed(sup, id);
	control_op_settled(sup->control, id, status);
}

static void
retry_later(struct supervisor *sup)
{
	if (!ev_is_active(&sup->queue_retry)) {
		ev_timer_set(&sup->queue_retry, RETRY_MS / 1000., 0.);
		ev_timer_start(sup->loop, &sup->queue_retry);
	}
}

void
queue_wake(struct supervisor *sup)
{
	struct next next;
	struct err err;

	while (sup->phase == PHASE_RUNNING && service_is_ready(sup->indexer) &&
	    sup->children->count < sup->settings.max_workers) {
		if (find_next(sup, &next, &err) == -1) {
			log_error("the queue cannot be read: %s", err.text);
			retry_later(sup);
			return;
		}
		if (!next.found)
			return;
		if (child_start(sup, &next.op, &err) == 0)
			continue;
		if (err.code == ERR_NOT_FOUND) {
			fail_queued(sup, next.id, &err);
			continue;
		}
		log_warn("op %s: cannot start now: %s", next.id, err.text);
		retry_later(sup);
		return;
	}
}

static void
on_retry(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	queue_wake(watcher->data);
}

void
queue_init(struct supervisor *sup)
{
	ev_timer_init(&sup->queue_retry, on_retry, 0., 0.);
	sup->queue_retry.data = sup;
}

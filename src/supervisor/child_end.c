#include "supervisor/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/fdutil.h"
#include "common/log.h"
#include "supervisor/contain.h"
#include "supervisor/control.h"
#include "supervisor/leftovers.h"
#include "supervisor/on_worker.h"
#include "supervisor/progress.h"
#include "supervisor/queue.h"
#include "supervisor/shutdown.h"

#define SETTLE_RETRY_MS	1000

static uint64_t
cpu_ms_of(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
	    (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

static void
edit_ended(struct op *op, void *arg)
{
	const struct child *child = arg;
	const struct outcome *outcome = &child->outcome;
	uint64_t rss_kib = (uint64_t)child->usage.ru_maxrss;

	op->worker_pid = 0;
	op->exit_status = (uint64_t)child->end.wait_status + 1;
	op->was_killed = child->end.was_killed;
	op->cpu_ms += cpu_ms_of(&child->usage);
	if (rss_kib > op->max_rss_kib)
		op->max_rss_kib = rss_kib;
	op->bytes_fetched = child->bytes_before + child->bytes;
	op_met_set(op, child->met);
	/* Its own count, of all attempts, unless it keeps none. */
	if (child->failed > 0)
		op->items_failed = child->failed;
	op->records_created = child->created;
	op->records_updated = child->updated;
	op->records_deleted = child->deleted;
	if (child->total > 0)
		op->records_total = child->total;
	op->records_processed = child->processed;
	op->rate_milli = 0;
	op->stage = STR_NONE;
	op->stage_done = op->stage_total = 0;
	op->error_class = str_from(outcome->class);
	op->error_text = outcome->event == OP_EVENT_FAIL ? str_from(outcome->text) :
	    STR_NONE;
	if (outcome->event == OP_EVENT_CANCEL && str_is_empty(op->cancelled_by))
		op->cancelled_by = str_from(child->cancelled_by);
	if (outcome->by_hand)
		op->cancelled_by = STR("kill");
	if (outcome->is_crash)
		op->crashes++;
}

static void
child_free(struct child *child)
{
	struct supervisor *sup = child->sup;

	ev_timer_stop(sup->loop, &child->hello_timer);
	ev_timer_stop(sup->loop, &child->time_timer);
	ev_timer_stop(sup->loop, &child->kill_timer);
	ev_timer_stop(sup->loop, &child->settle_timer);
	channel_free(&child->channel);
	buf_clear(&child->checkpoint);
	notes_clear(&child->notes);
	for (unsigned i = 0; i < child->spill_count; i++)
		fd_close(&child->spill_fds[i]);
	free(child->did);
	LIST_REMOVE(child, entry);
	LIST_REMOVE(child, of_pid);
	sup->children->count--;
	free(child);
	queue_wake(sup);
	shutdown_check(sup);
}

static int
store_outcome(struct child *child, struct err *err)
{
	const struct outcome *outcome = &child->outcome;
	struct supervisor *sup = child->sup;
	enum op_status status;

	/* Before that is on disk, which may need the room. */
	if (outcome->event != OP_EVENT_INTERRUPT)
		leftovers_remove(sup, child->id);
	if (ops_change(sup->ops, str_from(child->id), outcome->event,
	    str_from(outcome->text), clock_wall_ms(), edit_ended, child, &status,
	    err) == -1)
		return -1;
	crashpoint(CRASHPOINT_OUTCOME_STORED);
	log_at(outcome->event == OP_EVENT_FAIL ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	    "op %s %s: %s%s%s", child->id, child->type, op_event_word(outcome->event),
	    outcome->text[0] != '\0' ? ": " : "", outcome->text);
	supervisor_op_settled(sup, child->id, status);
	return 0;
}

/*
 * Store what it said last and the outcome, or in place of a damaged record that it is
 * one, and let go of the child.  While that fails, for want of disk space most likely,
 * the child is kept and it is tried again; at the end of the daemon it is left to the
 * next start, which finds the operation running.
 */
static void
settle(struct child *child)
{
	struct supervisor *sup = child->sup;
	struct err err;

	if (child->end.stop_reason == STOP_STORE ||
	    (progress_write_last(child, &err) == 0 && store_outcome(child, &err) == 0) ||
	    (err.code == ERR_CORRUPT && supervisor_mend(sup, child->id) == 0)) {
		child_free(child);
		return;
	}
	log_error("op %s: its outcome (%s) cannot be stored: %s", child->id,
	    op_event_word(child->outcome.event), err.text);
	control_op_unsettled(sup->control, child->id, err.text);
	if (sup->phase != PHASE_RUNNING) {
		child_free(child);
		return;
	}
	ev_timer_set(&child->settle_timer, SETTLE_RETRY_MS / 1000., 0.);
	ev_timer_start(sup->loop, &child->settle_timer);
}

static void
on_settle_timer(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	settle(watcher->data);
}

/* Its channel may have been closed for a fault, at which a worker ends, without
 * having been reported yet. */
static void
read_last_words(struct child *child)
{
	const struct err *fault;

	channel_drain_input(child->channel);
	fault = channel_broken(child->channel);
	if (fault != NULL)
		on_worker_broke(child, fault->text);
}

/* A worker may die before it is assigned what an attempt before has written. */
static void
look_for_checkpoint(struct child *child)
{
	struct ops_read *read;
	struct bytes checkpoint;
	struct err err;

	if (child->end.has_checkpoint ||
	    ops_read_begin(child->sup->ops, &read, &err) == -1)
		return;
	child->end.has_checkpoint = ops_get_checkpoint(read, str_from(child->id),
	    &checkpoint, &err) == 0 && checkpoint.len > 0;
	ops_read_end(&read);
}

/* Of a cancel: how long it took is what somebody waited for. */
static void
tell_duration(struct child *child)
{
	char *text = child->outcome.text;
	size_t len = strlen(text);

	if (child->end.stop_reason == STOP_CANCEL && child->stop_mono_ms != 0 &&
	    child->outcome.event == OP_EVENT_CANCEL)
		(void)snprintf(text + len, sizeof(child->outcome.text) - len, ", after %lld ms",
		    (long long)(clock_mono_ms() - child->stop_mono_ms));
}

void
child_ended(struct child *child, int wait_status, const struct rusage *usage)
{
	/* What the worker started may still be there; nothing outlives it. */
	(void)kill(-child->pid, SIGKILL);
	child->end.ran_out = cgroup_ran_out(child->sup->contain->cgroup, child->id);
	cgroup_remove(child->sup->contain->cgroup, child->id);
	child->state = CHILD_ENDED;
	crashpoint(CRASHPOINT_WORKER_REAPED);
	ev_timer_stop(child->sup->loop, &child->hello_timer);
	ev_timer_stop(child->sup->loop, &child->time_timer);
	ev_timer_stop(child->sup->loop, &child->kill_timer);
	ev_timer_init(&child->settle_timer, on_settle_timer, 0., 0.);
	child->settle_timer.data = child;
	if (child->channel != NULL)
		read_last_words(child);
	channel_free(&child->channel);
	child->end.wait_status = wait_status;
	child->usage = *usage;
	look_for_checkpoint(child);
	child->outcome = outcome_of(&child->end);
	tell_duration(child);
	settle(child);
}

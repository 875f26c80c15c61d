#include "supervisor/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "supervisor/control.h"
#include "supervisor/handshake.h"
#include "supervisor/on_worker.h"
#include "supervisor/progress.h"
#include "supervisor/queue.h"
#include "supervisor/service.h"
#include "supervisor/shutdown.h"
#include "supervisor/spawn.h"

struct child_table *
child_table_new(void)
{
	struct child_table *table = xcalloc(1, sizeof(*table));

	LIST_INIT(&table->list);
	return table;
}

void
child_table_free(struct child_table **table)
{
	if (*table == NULL)
		return;
	assert(LIST_EMPTY(&(*table)->list));
	free(*table);
	*table = NULL;
}

struct child *
child_find_pid(const struct child_table *table, pid_t pid)
{
	struct child *child;

	LIST_FOREACH(child, &table->list, entry)
		if (child->pid == pid)
			return child;
	return NULL;
}

struct child *
child_find_op(const struct child_table *table, struct str id)
{
	struct child *child;

	LIST_FOREACH(child, &table->list, entry)
		if (str_eq(str_from(child->id), id))
			return child;
	return NULL;
}

/* --- stopping --- */

void
child_kill(struct child *child)
{
	ev_timer_stop(child->sup->loop, &child->kill_timer);
	child->state = CHILD_KILLED;
	child->end.was_killed = true;
	/* Its session is its own, so the group is the worker and what it started. */
	if (kill(-child->pid, SIGKILL) == -1 && kill(child->pid, SIGKILL) == -1)
		log_warn("op %s worker %d: kill(SIGKILL) failed", child->id, child->pid);
}

static void
on_kill_timer(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct child *child = watcher->data;

	log_warn("op %s worker %d: did not stop in %llu ms, sending SIGKILL", child->id,
	    child->pid, (unsigned long long)child->sup->settings.cancel_grace_ms);
	child_kill(child);
}

void
child_stop(struct child *child, enum stop_reason reason)
{
	struct supervisor *sup = child->sup;

	if (child->end.stop_reason == STOP_NONE)
		child->end.stop_reason = reason;
	switch (child->state) {
	case CHILD_STARTING:
	case CHILD_RUNNING:
		break;
	case CHILD_STOPPING:
	case CHILD_KILLED:
		return;
	}
	ev_timer_stop(sup->loop, &child->hello_timer);
	child->state = CHILD_STOPPING;
	child->stop_asked_mono_ms = clock_mono_ms();

	/*
	 * We have not waited for it, so its pid cannot have been reused.  A worker
	 * that was stopped with SIGSTOP has to be woken to see the SIGTERM.
	 */
	if (kill(child->pid, SIGTERM) == -1 || kill(child->pid, SIGCONT) == -1)
		log_warn("op %s worker %d: kill(SIGTERM) failed", child->id, child->pid);
	ev_timer_set(&child->kill_timer, (double)sup->settings.cancel_grace_ms / 1000, 0.);
	ev_timer_start(sup->loop, &child->kill_timer);
}

static void
on_hello_timer(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct child *child = watcher->data;

	log_warn("op %s worker %d: no hello in %llu ms", child->id, child->pid,
	    (unsigned long long)child->sup->settings.hello_timeout_ms);
	child_stop(child, STOP_HELLO_TIMEOUT);
}

/* --- starting --- */

struct start {		/* what the start writes into the record */
	pid_t pid;
	int64_t now_ms;
};

static void
edit_started(struct op *op, void *arg)
{
	const struct start *start = arg;

	op->attempt++;
	op->started_ms = (uint64_t)start->now_ms;
	op->worker_pid = (uint64_t)start->pid;
	op->stage = STR("starting");
	op->exit_status = 0;
}

static void
on_channel_close(struct channel *channel, const struct err *why, void *arg)
{
	struct child *child = arg;

	/* Without a reason the worker has closed it by ending: SIGCHLD follows. */
	if (why != NULL) {
		log_warn("op %s worker %d: %s", child->id, child->pid, why->text);
		on_worker_broke(child, why->text);
	}
	child->channel = NULL;
	channel_free(&channel);
}

static struct child *
child_new(struct supervisor *sup, const struct op *op, pid_t pid, int control_fd)
{
	struct child *child = xcalloc(1, sizeof(*child));
	struct channel_options options = {
		.accepts = FROM_WORKER, .frame_max_bytes = LIMIT_FRAME_CONTROL_BYTES,
		.queue_max_bytes = LIMIT_CHANNEL_QUEUE_BYTES,
		.on_msg = on_worker_msg, .on_close = on_channel_close, .arg = child,
	};

	child->sup = sup;
	child->pid = pid;
	(void)str_copy(child->id, sizeof(child->id), op->id);
	(void)str_copy(child->type, sizeof(child->type), op->type);
	child->state = CHILD_STARTING;
	child->processed = child->rated_processed = op->records_processed;
	child->started_mono_ms = child->rated_mono_ms = clock_mono_ms();
	child->checkpoint = BUF_INIT;
	child->channel = channel_new(sup->loop, control_fd, &options);
	ev_timer_init(&child->hello_timer, on_hello_timer,
	    (double)sup->settings.hello_timeout_ms / 1000, 0.);
	ev_timer_init(&child->kill_timer, on_kill_timer, 0., 0.);
	child->hello_timer.data = child->kill_timer.data = child;
	ev_timer_start(sup->loop, &child->hello_timer);
	LIST_INSERT_HEAD(&sup->children->list, child, entry);
	sup->children->count++;
	return child;
}

static void
give_record_channel(struct supervisor *sup, struct child *child, int *indexer_end)
{
	struct msg msg = { .type = MSG_TYPE_ATTACH };

	msg.attach = (struct msg_attach){ .id = str_from(child->id), .may_write = true };
	channel_send_fd(service_channel(sup->indexer), &msg, *indexer_end);
	*indexer_end = -1;
}

/* The ends of the two socket pairs; the worker's are closed here after spawn. */
struct pairs {
	int control[2], records[2];
};

static int
spawn_worker(struct supervisor *sup, const struct op *op, struct pairs *pairs,
    pid_t *pid_out, struct err *err)
{
	char path[4096], name[32], label[TID_SIZE];
	struct spawn_plan plan = {
		.path = path, .name = name, .label = label,
		.max_files = LIMIT_WORKER_FILES,
	};

	(void)str_copy(name, sizeof(name), op->type);
	(void)str_copy(label, sizeof(label), op->id);
	(void)snprintf(path, sizeof(path), "%s/%s", sup->settings.libexec_dir, name);
	if (fd_socketpair(pairs->control, err) == -1 ||
	    fd_socketpair(pairs->records, err) == -1)
		return -1;
	/* A worker may be a plain script: its ends block unless it changes that. */
	if (fd_set_nonblock(pairs->control[1], false) == -1 ||
	    fd_set_nonblock(pairs->records[1], false) == -1)
		return err_errno(err, "fcntl(O_NONBLOCK)");
	plan.control_fd = pairs->control[1];
	plan.second_fd = pairs->records[1];
	return spawn(&plan, pid_out, err);
}

int
child_start(struct supervisor *sup, const struct op *op, struct err *err)
{
	struct pairs pairs = { { -1, -1 }, { -1, -1 } };
	struct start start = { .now_ms = clock_wall_ms() };
	struct child *child;
	char text[64];
	int rc = -1;

	if (spawn_worker(sup, op, &pairs, &start.pid, err) == -1)
		goto out;

	/*
	 * The worker can do nothing before it is told what: if this transaction
	 * fails, or we die before it, the operation is simply still queued.
	 */
	(void)snprintf(text, sizeof(text), "attempt %llu, worker %d",
	    (unsigned long long)op->attempt + 1, (int)start.pid);
	rc = ops_change(sup->ops, op->id, OP_EVENT_START, str_from(text), start.now_ms,
	    edit_started, &start, NULL, err);
	child = child_new(sup, op, start.pid, pairs.control[0]);
	pairs.control[0] = -1;
	if (rc == -1) {
		child_stop(child, STOP_STORE);
		goto out;
	}
	give_record_channel(sup, child, &pairs.records[0]);
	handshake_send(child->channel, &sup->settings, FOR_WORKER);
	log_info("op %s %s: started, %s", child->id, child->type, text);
	supervisor_op_changed(sup, child->id);
out:
	for (int i = 0; i < 2; i++) {
		fd_close(&pairs.control[i]);
		fd_close(&pairs.records[i]);
	}
	return rc;
}

/* --- the end --- */

struct end_edit {	/* what the end writes into the record */
	const struct child *child;
	const struct outcome *outcome;
	const struct rusage *usage;
};

static uint64_t
cpu_ms_of(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
	    (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

static void
edit_ended(struct op *op, void *arg)
{
	const struct end_edit *edit = arg;
	const struct child *child = edit->child;
	uint64_t rss_kib = (uint64_t)edit->usage->ru_maxrss;

	op->worker_pid = 0;
	op->exit_status = (uint64_t)child->end.wait_status + 1;
	op->was_killed = child->end.was_killed;
	op->cpu_ms += cpu_ms_of(edit->usage);
	if (rss_kib > op->max_rss_kib)
		op->max_rss_kib = rss_kib;
	op->bytes_fetched = child->bytes;
	op->items_failed = child->failed;
	op->records_created += child->created;
	op->records_updated += child->updated;
	op->records_deleted += child->deleted;
	op->records_total = child->total;
	op->records_processed = child->processed;
	op->rate_milli = 0;
	op->stage = STR_NONE;
	op->error_class = str_from(edit->outcome->class);
	op->error_text = edit->outcome->event == OP_EVENT_FAIL ?
	    str_from(edit->outcome->text) : STR_NONE;
	if (edit->outcome->by_hand)
		op->cancelled_by = STR("kill");
}

static void
store_outcome(struct child *child, const struct outcome *outcome,
    const struct rusage *usage)
{
	struct end_edit edit = { .child = child, .outcome = outcome, .usage = usage };
	struct supervisor *sup = child->sup;
	enum op_status status;
	struct err err;

	if (ops_change(sup->ops, str_from(child->id), outcome->event,
	    str_from(outcome->text), clock_wall_ms(), edit_ended, &edit, &status,
	    &err) == -1) {
		/* It stays "running" in the store and is settled at the next start. */
		log_error("op %s: its outcome (%s) could not be stored: %s", child->id,
		    op_event_word(outcome->event), err.text);
		control_op_unsettled(sup->control, child->id, err.text);
		return;
	}
	log_at(outcome->event == OP_EVENT_FAIL ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	    "op %s %s: %s%s%s", child->id, child->type, op_event_word(outcome->event),
	    outcome->text[0] != '\0' ? ": " : "", outcome->text);
	supervisor_op_changed(sup, child->id);
	control_op_settled(sup->control, child->id, status);
}

static void
child_free(struct child **child_ptr)
{
	struct child *child = *child_ptr;
	struct supervisor *sup = child->sup;

	ev_timer_stop(sup->loop, &child->hello_timer);
	ev_timer_stop(sup->loop, &child->kill_timer);
	channel_free(&child->channel);
	buf_clear(&child->checkpoint);
	LIST_REMOVE(child, entry);
	sup->children->count--;
	free(child);
	*child_ptr = NULL;
}

/* Its channel may have been closed for a fault, at which a worker ends, without
 * having been reported yet. */
static void
read_last_words(struct child *child)
{
	const struct err *fault;

	channel_drain_input(child->channel);
	fault = channel_broken(child->channel);
	if (fault == NULL || child->end.stop_reason != STOP_NONE)
		return;
	log_warn("op %s worker %d: %s", child->id, child->pid, fault->text);
	child->end.stop_reason = STOP_PROTOCOL;
	(void)str_copy(child->end.fail_text, sizeof(child->end.fail_text),
	    str_from(fault->text));
}

void
child_ended(struct child **child_ptr, int wait_status, const struct rusage *usage)
{
	struct child *child = *child_ptr;
	struct supervisor *sup = child->sup;
	struct outcome outcome;

	/* What the worker started may still be there; nothing outlives it. */
	(void)kill(-child->pid, SIGKILL);
	if (child->channel != NULL)
		read_last_words(child);
	child->end.wait_status = wait_status;
	progress_write_one(child);
	outcome = outcome_of(&child->end);
	if (child->end.stop_reason != STOP_STORE)
		store_outcome(child, &outcome, usage);
	child_free(child_ptr);
	queue_wake(sup);
	shutdown_check(sup);
}

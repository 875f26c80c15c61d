#include "supervisor/child.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "supervisor/contain.h"

struct child_table *
child_table_new(void)
{
	struct child_table *table = xcalloc(1, sizeof(*table));

	LIST_INIT(&table->list);
	for (size_t i = 0; i < CHILD_BUCKETS; i++)
		LIST_INIT(&table->by_pid[i]);
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

	LIST_FOREACH(child, &table->by_pid[CHILD_BUCKET(pid)], of_pid)
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
	struct err err;

	ev_timer_stop(child->sup->loop, &child->kill_timer);
	child->state = CHILD_KILLED;
	child->end.was_killed = true;
	if (ops_note(child->sup->ops, str_from(child->id), OP_EVENT_KILL,
	    STR("the worker did not end by itself"), clock_wall_ms(), NULL, NULL,
	    &err) == -1)
		log_warn("op %s: the event \"killed\" could not be stored: %s", child->id,
		    err.text);

	/* Its session is its own, so the group is the worker and what it started; its
	 * cgroup, if it has one, also what has left the group. */
	cgroup_kill(child->sup->contain->cgroup, child->id);
	if (kill(-child->pid, SIGKILL) == -1 && kill(child->pid, SIGKILL) == -1)
		log_warn("op %s worker %d: kill(SIGKILL) failed", child->id, child->pid);
}

static void
on_kill_timer(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct child *child = watcher->data;

	log_warn("op %s worker %d: did not end in %llu ms, sending SIGKILL", child->id,
	    child->pid, (unsigned long long)child->sup->settings.cancel_grace_ms);
	if (child->end.stop_reason == STOP_NONE)
		child->end.stop_reason = STOP_SILENT;
	child_kill(child);
}

static void
set_kill_timer(struct child *child)
{
	struct supervisor *sup = child->sup;

	ev_timer_stop(sup->loop, &child->hello_timer);
	ev_timer_init(&child->kill_timer, on_kill_timer,
	    (double)sup->settings.cancel_grace_ms / 1000, 0.);
	child->kill_timer.data = child;
	ev_timer_start(sup->loop, &child->kill_timer);
}

static void
start_kill_timer(struct child *child)
{
	child->state = CHILD_STOPPING;
	set_kill_timer(child);
}

void
child_set_timers(struct child *child)
{
	switch (child->state) {
	case CHILD_STARTING:
	case CHILD_ENDED:
		break;
	case CHILD_RUNNING:
		ev_timer_stop(child->sup->loop, &child->hello_timer);
		break;
	case CHILD_STOPPING:
	case CHILD_KILLED:
		set_kill_timer(child);
		break;
	}
}

void
child_expect_end(struct child *child)
{
	if (child->state == CHILD_STARTING || child->state == CHILD_RUNNING)
		start_kill_timer(child);
}

void
child_stop(struct child *child, enum stop_reason reason)
{
	/* Whoever asks for a cancel is promised one, also while the daemon stops. */
	if (child->end.stop_reason == STOP_NONE || (reason == STOP_CANCEL &&
	    (child->end.stop_reason == STOP_SHUTDOWN ||
	    child->end.stop_reason == STOP_ASSIGN ||
	    child->end.stop_reason == STOP_HUNG)))
		child->end.stop_reason = reason;
	switch (child->state) {
	case CHILD_STARTING:
	case CHILD_RUNNING:
		break;
	case CHILD_STOPPING:
	case CHILD_KILLED:
	case CHILD_ENDED:
		return;
	}

	/*
	 * We have not waited for it, so its pid cannot have been reused.  A worker
	 * that was stopped with SIGSTOP has to be woken to see the SIGTERM.  What it
	 * started, a helper for example, is in its group and is told as well.
	 */
	child->stop_mono_ms = clock_mono_ms();
	if (kill(-child->pid, SIGTERM) == -1 || kill(-child->pid, SIGCONT) == -1)
		log_warn("op %s worker %d: kill(SIGTERM) failed", child->id, child->pid);
	start_kill_timer(child);
}

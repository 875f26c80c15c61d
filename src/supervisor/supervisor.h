/*
 * supervisor.h - the process that everything belongs to.
 *
 * One struct owns the loop, the store, the workers, the three services and the
 * control socket.  The parts know each other through it and through the
 * functions of their own headers:
 *
 *	queue.h		starts queued operations while there is room
 *	child.h		one running worker: its channel, its state, its end
 *	service.h	keeps the indexer, the resolver and the API running
 *	control.h	the control socket's clients
 *	opctl.h		the verbs: trigger, cancel
 *	schedule.h	triggers by the clock
 *	progress.h	writes what workers report, for all at once
 *	upgrade.h	a newer executable takes over, children and all
 *	recover.h	what the last run left behind
 *	reap.h		SIGCHLD to the child or service that ended
 *	shutdown.h	the staged stop
 *
 * The supervisor never parses bytes that came from a server and never waits for
 * a peer; what it does on the disk is one small transaction at a time.
 */
#ifndef BF_SUPERVISOR_SUPERVISOR_H
#define BF_SUPERVISOR_SUPERVISOR_H

#include <ev.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/settings.h"
#include "store/ops.h"

struct child_table;
struct contain;
struct control;
struct handover;
struct schedules;
struct service;

enum supervisor_phase {
	PHASE_RUNNING,
	PHASE_STOPPING_WORKERS,		/* SIGTERM is sent; waiting for their ends */
	PHASE_STOPPING_API,		/* which would tell that the others are gone */
	PHASE_STOPPING_SERVICES,	/* then the resolver and the indexer */
	PHASE_STOPPED,			/* the loop ends */
};

#define SUPERVISOR_STRANGERS_MAX	64
#define SUPERVISOR_SERVICES		3

/* What was seen at the last looks at the store; see store_watch.h. */
struct store_watch {
	uint64_t txns[2];		/* the last transactions, the older look first */
	pid_t told_pid;			/* who was warned of */
};

struct supervisor {
	/* owned */
	struct settings settings;
	struct schedules *schedules;
	struct ev_loop *loop;
	struct ops *ops;
	struct child_table *children;
	struct service *indexer, *resolver, *api;
	struct control *control;
	struct contain *contain;
	int lock_fd;
	int listen_fd;			/* the HTTP socket; lives through API restarts */
	char http_address[64];		/* what it is really bound to */

	const char *config_path;	/* borrowed from argv */
	enum supervisor_phase phase;
	bool wants_upgrade;		/* once the loop is left (upgrade.c) */
	int64_t started_ms;
	uint64_t last_id;		/* TID given to the last operation */
	uint64_t least_id;		/* the same, of an earlier supervisor; or 0 */
	pid_t backup_pid;		/* 0: none is under way (store_tool.c) */
	bool has_watchdog;		/* of the init system */
	bool control_is_given;		/* by the init system: its file is not ours */
	bool is_upgraded;		/* another supervisor was in our place before */
	unsigned clock_id;
	struct store_watch store_watch;
	pid_t strangers[SUPERVISOR_STRANGERS_MAX];	/* orphans.c */
	size_t strangers_count;

	/* watchers */
	struct ev_signal on_term, on_int, on_hup, on_usr2, on_child;
	struct ev_timer status;		/* notify.c */
	struct ev_timer housekeeping;	/* every service_timeout_ms */
	struct ev_timer queue_turn;	/* queue.c: something may be started */
	struct ev_timer progress;	/* progress.c: something waits to be written */
	struct ev_timer stop_deadline;	/* shutdown.c */
	struct ev_timer schedule_turn;	/* schedule.c: something may be due */
	struct ev_timer heartbeat;	/* heartbeat.c: time to ask the workers */
};

/*
 * Open everything in order and start the services.  The settings and schedules are
 * taken over (and cleared by supervisor_free).  What an earlier supervisor left is
 * used instead of opening it.  Errors: ERR_EXISTS another instance has the
 * state directory, and what the parts report.
 */
struct supervisor *supervisor_new(struct settings *settings,
    struct schedules *schedules, const char *config_path, struct handover *handover,
    struct err *err);

/* Run until stopped. */
void supervisor_run(struct supervisor *sup);

void supervisor_free(struct supervisor **sup);

/* The record of an operation is damaged: put one in its place that says so, and
 * tell everybody.  -1 if that cannot be written now. */
int supervisor_mend(struct supervisor *sup, const char *id) BF_MUSTCHECK;

/* Write the HTTP address into the runtime directory, for people and scripts. */
int supervisor_publish_address(struct supervisor *sup, struct err *err) BF_MUSTCHECK;

/* An operation's record has changed: tell those who watch it.  Called by
 * whoever made the change. */
void supervisor_op_changed(struct supervisor *sup, const char *id);

/* As that, when it has come to an end or gone back to the queue: those who wait
 * for a cancel get their answer, too. */
void supervisor_op_settled(struct supervisor *sup, const char *id,
    enum op_status status);

#endif

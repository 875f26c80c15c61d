/*
 * child.h - a running worker and the table of them.
 *
 * A struct child exists from a successful spawn until its process is reaped and
 * the outcome is stored.  Created by queue.c, or by upgrade.c for a process that runs
 * already; ended by reap.c.  Nothing else adds or removes one.  A worker's identity
 * is its channel: no message says whose operation it is about.
 *
 *	STARTING --hello--> RUNNING --stop, last word--> STOPPING --grace--> KILLED
 *	    '-----------------------stop-------------------^
 *
 * From each of these the end of the process leads to ENDED, which lasts until the
 * outcome is stored; the record in the store changes only then.
 */
#ifndef BF_SUPERVISOR_CHILD_H
#define BF_SUPERVISOR_CHILD_H

#include <ev.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/tid.h"
#include "op/op_met.h"
#include "proto/channel.h"
#include "supervisor/notes.h"
#include "supervisor/outcome.h"
#include "supervisor/pulse.h"
#include "supervisor/supervisor.h"

#define CHILD_STAGE_SIZE	64

enum child_state {
	CHILD_STARTING,		/* spawned, no hello yet; hello_timer runs */
	CHILD_RUNNING,		/* hello seen, operation assigned */
	CHILD_STOPPING,		/* told to stop, or it should end by itself; kill_timer runs */
	CHILD_KILLED,		/* SIGKILL sent; only the end can follow */
	CHILD_ENDED,		/* reaped; its outcome waits to be stored */
};

struct child {
	LIST_ENTRY(child) entry, of_pid;
	struct supervisor *sup;		/* borrowed, outlives us */
	pid_t pid;
	char id[TID_SIZE];		/* of the operation */
	char type[32];
	char *did;			/* owned; its parameter, or empty */
	uint64_t priority;		/* enum op_priority */
	bool wants_pause, told_to_pause;
	enum child_state state;
	struct channel *channel;	/* owned; NULL once the worker closed it */
	struct worker_end end;		/* what is known for the outcome */
	struct outcome outcome;		/* of a child that has ended */
	struct rusage usage;
	char cancelled_by[64];		/* who asked first, or empty */
	int64_t stop_mono_ms;		/* when it was told to stop */
	bool said_hello;
	bool answers_pings;		/* heartbeat.c: it has said so */
	struct pulse beat;
	int spill_fds[LIMIT_WORKER_SPILL_FILES];	/* owned; they go with assign */
	unsigned spill_count;

	/* the latest report, written by progress.c */
	char stage[CHILD_STAGE_SIZE];
	uint64_t processed, total, failed, bytes, rate_milli;
	uint64_t bytes_before;			/* fetched by earlier attempts */
	uint64_t stage_done, stage_total;
	uint64_t created, updated, deleted;	/* in this operation, acked */
	uint64_t met[OP_MET_COUNT];		/* likewise, by enum op_met */
	uint64_t rated_processed;		/* where the last rate was taken */
	int64_t rated_mono_ms;
	bool is_dirty;
	struct buf checkpoint;			/* owned; the latest */
	uint64_t checkpoint_processed;
	bool has_checkpoint;			/* it is not written yet */
	struct notes notes;			/* owned; not written yet */
	unsigned logs, debug_logs, items, items_that_work;	/* so far; bounded */

	/* watchers */
	struct ev_timer hello_timer, kill_timer, settle_timer;
	struct ev_timer time_timer;	/* time_limit.c */
};

LIST_HEAD(child_list, child);

/* By pid: at each end of a process all others are looked up (orphans.c). */
#define CHILD_BUCKETS	1024
#define CHILD_BUCKET(pid)	((unsigned)(pid) % CHILD_BUCKETS)

struct child_table {
	struct child_list list;
	struct child_list by_pid[CHILD_BUCKETS];
	size_t count;
	uint64_t starts;	/* of workers, since the daemon's own */
};

struct child_table *child_table_new(void);
void child_table_free(struct child_table **table);	/* must be empty */

/*
 * Spawn the worker of a queued operation, record that it runs (one transaction;
 * the worker gets its assignment only after that), and give it its record
 * channel.  Errors leave the operation queued: ERR_NOT_FOUND no executable for
 * its type, ERR_UNAVAILABLE no process now, or the store's.  (child_start.c)
 */
int child_start(struct supervisor *sup, const struct op *op, struct err *err)
    BF_MUSTCHECK;

/* Part of child_start(): enter a process that runs already, with its end of the
 * channel (-1: it has closed it) and a new hello_timer.  Also for upgrade.c. */
struct child *child_new(struct supervisor *sup, const struct op *op, pid_t pid,
    int control_fd);

/* Its state was set from outside (upgrade.c): start the timer that belongs to it. */
void child_set_timers(struct child *child);

struct child *child_find_pid(const struct child_table *table, pid_t pid);
struct child *child_find_op(const struct child_table *table, struct str id);

/* Send SIGTERM, and SIGKILL after the grace period.  The first reason counts,
 * but for a cancel of what would have gone on; otherwise calling it again changes
 * nothing. */
void child_stop(struct child *child, enum stop_reason reason);

/* It has said its last word or closed its channel: if it does not end within the
 * grace period, it is killed. */
void child_expect_end(struct child *child);

/* Send SIGKILL to the worker's whole process group now. */
void child_kill(struct child *child);

/* The process has ended and been reaped: read what it still said, store the
 * outcome, take it out of the table and free it.  (child_end.c) */
void child_ended(struct child *child, int wait_status, const struct rusage *usage);

#endif

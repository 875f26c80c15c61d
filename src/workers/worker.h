/*
 * worker.h - the part of a worker that every type of operation shares.
 *
 * A worker is one process for one operation, exec'ed by the supervisor as
 * proto/fdlayout.h promises.  This harness speaks fd 3 and fd 4 for the type:
 *
 *	hello, pong ->      the first things said: here it is, and it answers pings
 *	<- setting* hello   what of the configuration is a worker's business
 *	<- listed-item*, assign, spill*, retry-item*   the operation; the type's start() runs
 *	progress, checkpoint, log, item-failed ->
 *	<- ping             answered by pong, as long as the loop turns
 *	<- pause            stop between two items: the type's pause() runs
 *	done | fail | paused ->   the last thing said; exit
 *
 * A type of operation is a struct worker_type and a main() that hands it to
 * net_worker_main(), or to worker_main() if it speaks to no server.  Its code sees a struct worker and nothing global.
 *
 * How the process ends, for the supervisor to read:
 *
 *	EXIT_OK		`done` or `paused` was said
 *	EXIT_FAILED	`fail` was said
 *	EXIT_STOPPED	SIGTERM: what was known is said, transfers are dropped
 *	EXIT_UNAVAILABLE  the supervisor is gone (end of file on fd 3)
 *	EXIT_PROTOCOL	the supervisor said something that it must not
 *	SIGSYS		a thread made a system call that is forbidden to it
 *	EXIT_USAGE	started by hand: fd 3 and fd 4 are no sockets
 *
 * SIGTERM, and a supervisor that is gone, end the process there and then:
 * whatever is under way ends with it, and what was not acked never happened.
 */
#ifndef BF_WORKERS_WORKER_H
#define BF_WORKERS_WORKER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/str.h"
#include "proto/msg.h"

struct confine;
struct records_link;
struct worker;

struct worker_type {
	const char *name;		/* kebab-case, as in op_type.h */

	/*
	 * The operation is assigned: begin.  Must return soon; the work is done
	 * in callbacks of the loop, none of which takes longer than some 10 ms,
	 * and ends in worker_done() or worker_fail(), also from in here.
	 * Returns what end() gets.
	 */
	void *(*start)(struct worker *worker);

	/* The loop is over (after the last words): free what start() made. */
	void (*end)(void *job);

	/*
	 * Somebody wants the operation paused: begin no further item, let those
	 * under way come to their end, send a checkpoint and then call
	 * worker_paused().  The process ends; when the operation is resumed, it
	 * goes on from the checkpoint in another one.  NULL: whatever is under
	 * way is dropped at once, as by SIGTERM, for a type that has only one
	 * item or cannot wait.  At most once; not after the last words.
	 */
	void (*pause)(void *job);

	/*
	 * What it needs beside the network: called once, before it is assigned
	 * anything and before the rest is given up for good.  Begins with
	 * confine_init(); texts have to live as long as that takes.  NULL: the
	 * network and nothing else.
	 */
	void (*confine)(struct confine *confine, const struct settings *settings);
};

/* The whole life of a worker process; its return value is main()'s. */
int worker_main(const struct worker_type *type);

/* --- what a type is given; all of it lives as long as the worker --- */

struct worker_assignment {
	struct str id;
	uint64_t attempt;		/* 1 for the first */
	/* parameters; absent ones are empty */
	struct str did, pds_url, uri, tier;
	uint64_t batch_size;
	struct str items_of;		/* of a retry: the operation whose items they are */
	struct bytes checkpoint;	/* the last that an earlier attempt sent */

	/* Unlinked files of our own, empty at first: one for each repository that
	 * is worked on at a time, as many as op_type.h says, or fewer if the
	 * supervisor has none. */
	int spill_fds[LIMIT_WORKER_SPILL_FILES];
	unsigned spill_count;
};

const struct worker_assignment *worker_assignment(const struct worker *worker);

/*
 * Is this a retry?  Then its items, of which there is at least one, are all the
 * work there is: the type takes them instead of making its own list.  DIDs,
 * AT-URIs or origins, as op_type.h says for the type, none twice, in a fixed order that is
 * the same in every attempt.
 */
bool worker_retry_items(const struct worker *worker, const struct str **items_out,
    size_t *count_out);
const struct settings *worker_settings(const struct worker *worker);
struct ev_loop *worker_loop(const struct worker *worker);
struct records_link *worker_records(const struct worker *worker);

/* Where answers 429 are counted, for http_options: each is to be added once.  They are
 * told with progress, and in the end. */
uint64_t *worker_answers_429(struct worker *worker);

/* --- what a type says.  Text may be anything: what is not UTF-8 is replaced,
 *     what is over LIMIT_OP_TEXT_BYTES is cut --- */

/* Absolute numbers.  Called as often as one likes; sent about ten times a
 * second, the latest always in the end. */
void worker_progress(struct worker *worker, const struct msg_progress *progress);

/* What this stage counts, if that is not records; sent with the next progress.  A total
 * of 0 is not known yet; both 0, as in the beginning: it counts nothing else. */
void worker_stage(struct worker *worker, uint64_t done, uint64_t total);

/* Only for what the indexer has acked; its data at most LIMIT_CHECKPOINT_BYTES. */
void worker_checkpoint(struct worker *worker, const struct msg_checkpoint *checkpoint);

/* A line in the operation's history. */
void worker_log(struct worker *worker, enum log_level level, const char *fmt, ...)
    BF_PRINTF(3, 4);

/* One item could not be done.  The first LIMIT_OP_ITEMS are sent, which is as
 * many as are kept; the number of all is the business of progress and done.  All are
 * counted by class, for the metrics. */
void worker_item_failed(struct worker *worker, struct str item, const char *class,
    const char *text);

/*
 * One item could be done.  If an attempt that died has listed it as failed, behind the
 * checkpoint that this one goes on from, it is taken back; else this is nothing, and
 * costs next to nothing.  After that, item_failed lists it anew.
 */
void worker_item_works(struct worker *worker, struct str item);

/* The last words.  The first of these calls wins; the loop ends. */
void worker_done(struct worker *worker, const struct msg_done *done);
void worker_paused(struct worker *worker);	/* only after pause() was called */
void worker_fail(struct worker *worker, const char *class, const char *fmt, ...)
    BF_PRINTF(3, 4);

#endif

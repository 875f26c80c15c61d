/*
 * catch_up_impl.h - the inside of the worker catch-up, shared by the catch_up*.c files.
 *
 *	replaying    events of the relay from the saved position up to now: what an
 *	             event proves is written at once, of all else the repository is
 *	             marked (rows/desync_row.h)
 *	comparing    only if events were lost: the relay's list of repositories, to
 *	             mark those that stand elsewhere than ours
 *	re-syncing   the marked ones are fetched whole
 *
 * catch_up.c moves through the stages; catch_up_event.c takes one event from its
 * arrival to the indexer's ack; catch_up_save.c writes marks and position, in one
 * batch, so that the position never stands behind something that was only in memory.
 *
 * Events of one account are taken in order, those of different accounts side by side.
 * The operation counts events.  Where it stands is told by the number of the last
 * event before which none is open; an attempt that goes on from there meets some
 * events again, which their revisions tell to be old, and counts each once.
 */
#ifndef BF_WORKERS_CATCH_UP_IMPL_H
#define BF_WORKERS_CATCH_UP_IMPL_H

#include <ev.h>
#include <stdbool.h>

#include "atproto/firehose.h"
#include "common/attr.h"
#include "common/buf.h"
#include "common/limits.h"
#include "fetch/url.h"
#include "workers/relay.h"
#include "workers/replay_total.h"
#include "workers/replay_window.h"
#include "workers/rows_link.h"
#include "workers/sync_env.h"
#include "workers/worker.h"

struct catch_up_compare;
struct catch_up_event;
struct catch_up_resync;

#define CATCH_UP_CURSOR_SIZE	(LIMIT_LIST_CURSOR_BYTES + 1)	/* of the relay's list */
#define CATCH_UP_CHECKPOINT_SIZE (CATCH_UP_CURSOR_SIZE + 256)

/* X(NAME, what an operator reads).  The numbers are the checkpoint's. */
#define CATCH_UP_STAGES(X)			\
	X(REPLAYING,	"replaying")		\
	X(COMPARING,	"comparing")		\
	X(RESYNCING,	"re-syncing")		\
	X(OVER,		"")

enum catch_up_stage {
#define X(name, word) CATCH_UP_##name,
	CATCH_UP_STAGES(X)
#undef X
};

/* A mark to be written, or taken away. */
struct catch_up_mark {
	char *did;		/* owned */
	char *reason;		/* owned; NULL: take it away */
	bool is_failed;		/* this operation has tried it in vain */
};

struct catch_up_save {
	/* owned */
	struct catch_up_mark *marks;
	size_t n, room, sent;	/* sent: of them in the batch under way */
	struct rows_batch *batch;
	bool is_sent;		/* the batch, whole; more marks are for the next */
	/* of the batch under way */
	struct replay_position position;
	bool has_position;	/* the batch writes it for other operations, too */
	char text[CATCH_UP_CHECKPOINT_SIZE];
	/* written */
	char saved_text[CATCH_UP_CHECKPOINT_SIZE];
	uint64_t saved_events;
	uint64_t saved_seq;	/* in the row that other operations see */
	bool is_wanted;		/* another one, when this is done */
	struct ev_timer timer;
};

struct catch_up {
	struct worker *worker;		/* borrowed */
	struct sync_env env;
	bool has_env;
	char origin[URL_ORIGIN_SIZE];	/* of the relay */
	struct buf service;		/* owned: the cursor row's key */

	enum catch_up_stage stage;
	int64_t until_ms;		/* when the first attempt began */
	bool has_loss;			/* events are missing; not yet compared */
	char cursor[CATCH_UP_CURSOR_SIZE];	/* of comparing */
	uint64_t failed;		/* items */
	uint64_t resynced;
	/* In the index, by all attempts: the tally, and what was acked since. */
	uint64_t created, updated, deleted;
	/* of the stage, to be told */
	uint64_t listed, listed_known;	/* compared, and of them in the index; all attempts */
	uint64_t indexed;		/* repositories; 0: not known yet */
	uint64_t fetched, marked;	/* repositories, by this attempt; likewise */

	/* owned */
	struct relay *relay;
	struct replay_window window;
	struct replay_total total;	/* of the replay */
	struct catch_up_event *events, **events_end;	/* open ones, as they came */
	size_t open_events, open_bytes;
	bool has_begun;			/* a stage */
	bool is_pausing;		/* nothing new is begun any more */
	bool is_draining;		/* no more events will come */
	bool has_failed;
	bool is_resumed;		/* from what an earlier attempt wrote */
	struct catch_up_compare *compare;
	struct catch_up_resync *resync;
	struct catch_up_save save;
	struct link_question *question;	/* the saved position; the tally */
};

/* --- catch_up.c --- */

/* The only place where a stage begins. */
void catch_up_enter(struct catch_up *job, enum catch_up_stage stage);

/* Say at once what could not be done, so that no death of this worker can lose it: an
 * attempt that comes to it again says it again, and the supervisor keeps it once.  It
 * is added to job->failed when its event or repository is settled, since what is saved
 * behind that is not done again. */
void catch_up_item_failed(struct catch_up *job, struct str item, const char *class,
    const char *text);

/* The end: nothing can be done or written any more. */
void catch_up_fail(struct catch_up *job, const char *class, const char *text);

/* Room again, or the last open event is over. */
void catch_up_event_is_over(struct catch_up *job);

/* All that was wanted is saved. */
void catch_up_is_saved(struct catch_up *job);

/* --- catch_up_tell.c --- */

void catch_up_tell_progress(struct catch_up *job);
uint64_t catch_up_bytes(const struct catch_up *job);	/* from the network */

/* --- catch_up_event.c --- */

/* Take an event in; it is copied. */
void catch_up_event_add(struct catch_up *job, struct bytes frame,
    const struct replay_position *position);
void catch_up_event_drop_all(struct catch_up *job);

/* --- catch_up_save.c --- */

void catch_up_save_init(struct catch_up *job);
void catch_up_save_clear(struct catch_up *job);

/* Note that this repository has to be fetched whole; or, without a reason, that it
 * was.  Copied; written with the next save. */
void catch_up_mark(struct catch_up *job, struct str did, const char *reason);

/* Note that it was tried in vain: an attempt that goes on from here leaves it to the
 * next operation, since it is counted. */
void catch_up_mark_failed(struct catch_up *job, struct str did, const char *reason);

/* Write marks, position and checkpoint soon; or now, with catch_up_is_saved() when
 * there is nothing left to write, never from inside. */
void catch_up_save_soon(struct catch_up *job);
void catch_up_save_now(struct catch_up *job);

/* A write was refused for want of room on the disk: tell that, unless it was told, or
 * end the worker if a pause is wanted.  How long to wait before it is tried again. */
int64_t catch_up_lacks_room(struct catch_up *job, struct str text);
void catch_up_has_room(struct catch_up *job);	/* one was acked */

/* Tell the supervisor what was written last, and what has changed in the index by now. */
void catch_up_save_tell(struct catch_up *job);
bool catch_up_save_has_room(const struct catch_up *job);

/* --- catch_up_compare.c --- */

void catch_up_compare_start(struct catch_up *job);
void catch_up_compare_saved(struct catch_up *job);	/* the page's marks are */
void catch_up_compare_free(struct catch_up_compare **compare);

/* --- catch_up_resync.c --- */

void catch_up_resync_start(struct catch_up *job);
void catch_up_resync_go_on(struct catch_up *job);
void catch_up_resync_pause(struct catch_up *job);
bool catch_up_resync_is_resting(const struct catch_up *job);
void catch_up_resync_free(struct catch_up_resync **resync);

#endif

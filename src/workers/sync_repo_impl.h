/*
 * sync_repo_impl.h - the inside of sync_repo.h, shared by the sync_*.c files.
 *
 * sync_repo.c moves from step to step and ends; sync_fetch.c asks the network,
 * sync_check.c proves what came, sync_index.c talks to the indexer.
 */
#ifndef BF_WORKERS_SYNC_REPO_IMPL_H
#define BF_WORKERS_SYNC_REPO_IMPL_H

#include <ev.h>

#include "atproto/cid.h"
#include "atproto/diff.h"
#include "atproto/key.h"
#include "atproto/repo.h"
#include "common/attr.h"
#include "fetch/get_repo.h"
#include "fetch/latest_commit.h"
#include "proto/msg.h"
#include "workers/identity_memory.h"
#include "workers/records_link.h"
#include "workers/sync_env.h"
#include "workers/sync_repo.h"

/* X(NAME, what an operator reads, called to begin it) */
#define SYNC_STEPS(X)						\
	X(RESOLVING,	"resolving",	sync_fetch_document)	\
	X(CLAIMING,	"resolving",	sync_index_claim)	\
	X(COMPARING,	"resolving",	sync_fetch_latest)	\
	X(FETCHING,	"fetching",	sync_fetch_repo)	\
	X(CONFIRMING,	"resolving",	sync_fetch_document)	\
	X(REFRESHING,	"verifying",	sync_fetch_document)	\
	X(CHECKING,	"verifying",	sync_check_tree)	\
	X(COUNTING,	"verifying",	sync_check_count)	\
	X(DIFFING,	"indexing",	sync_index_diff)	\
	X(PURGING,	"indexing",	sync_index_purge)	\
	X(COMMITTING,	"indexing",	sync_index_commit)	\
	X(WAITING,	"waiting for room", sync_index_wait)	\
	X(OVER,		"",		sync_release)

enum sync_step {
#define X(name, stage, begin) SYNC_##name,
	SYNC_STEPS(X)
#undef X
};

#define SYNC_STATUS_SIZE	32

/* What the indexer said it has. */
struct sync_known {
	bool is_known;
	char rev[TID_SIZE];
	char status[SYNC_STATUS_SIZE];
	char selection[SYNC_SELECTION_SIZE];
	uint64_t records;
	bool has_cids;
	struct cid commit, data;
};

struct sync_repo {
	/* borrowed, outlive us */
	const struct sync_env *env;
	const struct sync_repo_events *events;
	void *arg;
	int spill_fd;
	bool is_forced, wants_fresh_document, accepts_older;
	/* owned */
	char *did;
	char *pds;		/* origin of its server; NULL until it is known */

	enum sync_step step;
	struct key key;
	bool has_key;
	struct sync_known known;
	const char *status;	/* to be written; a literal */

	/* Under way; all owned, NULL when not. */
	struct identity_ask *identity;
	struct latest_commit *latest;
	struct get_repo *get;
	struct records_lane *lane;
	struct repo *repo;
	struct repo_walk *walk;
	struct diff *diff;

	struct fault fault;	/* of the bytes that came; FAULT_NONE: so far good */
	bool is_remembered;	/* the document that we go by; it may be old */
	bool was_refreshed;	/* the document was asked for a second time */
	bool was_refetched;	/* the repository was, for a missing block */
	bool end_is_marked;	/* of its body: a cut would have been seen */
	unsigned cuts;		/* transfers that were cut so far */
	bool rows_ended;	/* the indexer has no more entries */
	unsigned busy_count;	/* claims that were refused so far */
	int64_t room_wait_ms;	/* of the step that waits for room */
	/* Bad records: that the diff has met, and that were told of by one before. */
	uint64_t bad_met, bad_told;

	struct sync_progress progress;
	struct sync_outcome outcome;

	/* watchers */
	struct ev_timer slice;	/* the next piece of a step's own work */
	struct ev_timer again;	/* the step begins anew */
	struct ev_timer over;	/* the end is told from a turn of its own */
};

/* The collections that are wanted of it; NULL: all. */
static inline const struct filter *
sync_wanted(const struct sync_repo *sync)
{
	return sync_env_filter(sync->env, str_from(sync->did));
}

/* --- sync_repo.c --- */

/* The only place where a step begins. */
void sync_enter(struct sync_repo *sync, enum sync_step step);

/* Begin this step again after a while. */
void sync_enter_again(struct sync_repo *sync, int64_t in_ms);

/* Full jitter over a wait that doubles. */
int64_t sync_backoff_ms(int64_t base_ms, unsigned failures, int64_t max_ms);

/* Let the slice function of this step run in the loop's next turn. */
void sync_slice_soon(struct sync_repo *sync);

void sync_tell_progress(struct sync_repo *sync);
void sync_note(struct sync_repo *sync, const char *fmt, ...) BF_PRINTF(2, 3);

/* The end: everything under way is dropped at once. */
void sync_finish(struct sync_repo *sync, enum sync_result result);
void sync_fail(struct sync_repo *sync, const char *class, const char *fmt, ...)
    BF_PRINTF(3, 4);
void sync_fail_fault(struct sync_repo *sync, const struct fault *fault);

void sync_release(struct sync_repo *sync);

/* --- sync_fetch.c --- */

void sync_fetch_document(struct sync_repo *sync);
void sync_fetch_latest(struct sync_repo *sync);
void sync_fetch_repo(struct sync_repo *sync);

/* Forget what was fetched of the repository. */
void sync_fetch_clear(struct sync_repo *sync);

/* --- sync_check.c --- */

/* The body is complete: from here to checking, refreshing or the end. */
void sync_check_commit(struct sync_repo *sync);
void sync_check_tree(struct sync_repo *sync);
void sync_check_tree_slice(struct sync_repo *sync);
void sync_check_count(struct sync_repo *sync);
void sync_check_count_slice(struct sync_repo *sync);

/* --- sync_index.c --- */

void sync_index_claim(struct sync_repo *sync);
void sync_index_diff(struct sync_repo *sync);
void sync_index_diff_slice(struct sync_repo *sync);
void sync_index_purge(struct sync_repo *sync);
void sync_index_commit(struct sync_repo *sync);
void sync_index_wait(struct sync_repo *sync);

/* The disk is full; text is what says so.  Nobody's failure: what is to be written is
 * kept, or else fetched again, for when there is room. */
void sync_index_lacks_room(struct sync_repo *sync, struct str text);

#endif

/*
 * The part of a sync that talks to the indexer: the claim, the changes, the
 * commit.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "workers/room.h"
#include "workers/sync_repo_impl.h"

#define SLICE_CHANGES	1000	/* steps of the diff per turn; about 2 ms */
#define BUSY_WAIT_MS	250	/* before the second claim; then growing */
#define BUSY_WAIT_MAX_MS 4000
#define BUSY_CLAIMS	6
#define FETCH_WAIT_MS	(60 * 1000)	/* a server is not asked for all of it more often */

/* --- claiming --- */

static void
remember(struct sync_known *known, const struct msg_state *state)
{
	*known = (struct sync_known){ .is_known = state->is_known,
		.records = state->records };
	if (!state->is_known)
		return;
	(void)str_copy(known->rev, sizeof(known->rev), state->rev);
	(void)str_copy(known->status, sizeof(known->status), state->status);
	(void)str_copy(known->selection, sizeof(known->selection), state->selection);
	known->has_cids = cid_unpack(state->commit_cid, &known->commit) == 0 &&
	    cid_unpack(state->data_cid, &known->data) == 0;
}

/* Whoever has it may be a worker that has just been killed, of which the indexer
 * has not heard yet. */
static void
claim_again(struct sync_repo *sync)
{
	if (++sync->busy_count == BUSY_CLAIMS)
		sync_fail(sync, "busy", "another operation has %s", sync->did);
	else
		sync_enter_again(sync, sync_backoff_ms(BUSY_WAIT_MS, sync->busy_count,
		    BUSY_WAIT_MAX_MS));
}

static void
on_state(const struct msg_state *state, void *arg)
{
	struct sync_repo *sync = arg;
	bool is_as_before = str_eq(state->rev, str_from(sync->known.rev));

	if (state->is_busy) {
		sync->lane = NULL;
		claim_again(sync);
		return;
	}
	remember(&sync->known, state);
	if (sync->repo != NULL && is_as_before) {
		sync_enter(sync, SYNC_DIFFING);
		return;
	}
	if (sync->repo != NULL) {
		/* Another operation had room for it first. */
		sync_fetch_clear(sync);
		sync->status = NULL;
	}
	/* A tombstone does not say where the account was. */
	if (sync->pds == NULL && !str_is_empty(state->pds_url))
		sync->pds = xstrndup(state->pds_url.ptr, state->pds_url.len);
	if (sync->status != NULL)
		sync_enter(sync, sync->known.records > 0 ? SYNC_PURGING :
		    SYNC_COMMITTING);
	else
		sync_enter(sync, sync->known.rev[0] != '\0' && !sync->is_forced ?
		    SYNC_COMPARING : SYNC_FETCHING);
}

/* --- diffing --- */

static void
apply(struct sync_repo *sync, const struct diff_change *change)
{
	struct bytes cid = { change->record.cid.bytes, CID_BYTES };
	struct fault fault;

	switch (change->kind) {
	case DIFF_CREATE:
	case DIFF_UPDATE:
		records_put(sync->lane, change->path, cid, change->record.bytes);
		break;
	case DIFF_DELETE:
		records_delete(sync->lane, change->path);
		break;
	case DIFF_REFUSE_DELETE:
		records_delete(sync->lane, change->path);
		/* FALLTHROUGH */
	case DIFF_REFUSE:
		/* The same ones come in the same order, if this is done again. */
		if (++sync->bad_met <= sync->bad_told)
			break;
		sync->bad_told = sync->bad_met;
		fault = repo_walk_fault(sync->walk);
		sync->events->on_bad_record(sync, change->path, &fault, sync->arg);
		break;
	}
}

static void
diff_is_done(struct sync_repo *sync)
{
	records_release(sync->lane);
	(void)str_copy(sync->outcome.rev, sizeof(sync->outcome.rev),
	    repo_commit(sync->repo)->rev);
	sync->status = "active";
	sync_enter(sync, SYNC_COMMITTING);
}

static void
tell_diff_progress(struct sync_repo *sync)
{
	struct diff_counts counts = diff_counts(sync->diff);

	sync->progress.processed = counts.same + counts.created + counts.updated +
	    counts.refused;
	sync->progress.failed = counts.refused;
	sync_tell_progress(sync);
}

/*
 * Go on until an entry of the index is needed, the channel is full, or it has
 * been enough for one turn.  Entries are let in only in the first case, so there
 * is never one that has to be kept.
 */
void
sync_index_diff_slice(struct sync_repo *sync)
{
	struct diff_change change;
	struct fault fault = FAULT_INIT;
	enum diff_step step = DIFF_CHANGED;

	for (int i = 0; i < SLICE_CHANGES && records_has_room(sync->lane); i++) {
		step = diff_next(sync->diff, &change, &fault);
		if (step == DIFF_NEED_ROW && sync->rows_ended)
			diff_rows_end(sync->diff);
		else if (step == DIFF_CHANGED)
			apply(sync, &change);
		else
			break;
	}
	tell_diff_progress(sync);
	if (step == DIFF_DONE) {
		diff_is_done(sync);
	} else if (step == DIFF_FAILED) {
		sync_fail_fault(sync, &fault);
	} else if (step == DIFF_NEED_ROW && !sync->rows_ended) {
		records_release(sync->lane);
	} else {
		records_hold(sync->lane);
		if (records_has_room(sync->lane))
			sync_slice_soon(sync);
	}
}

void
sync_index_diff(struct sync_repo *sync)
{
	sync->walk = repo_walk_new(sync->repo, sync_wanted(sync));
	sync->diff = diff_new(sync->walk);
	sync->rows_ended = sync->known.records == 0;
	sync->bad_met = 0;
	if (!sync->rows_ended)
		records_scan(sync->lane);
	records_hold(sync->lane);
	sync_slice_soon(sync);
}

static void
diff_entry(struct sync_repo *sync, struct str path, struct bytes cid_bytes)
{
	struct fault fault = FAULT_INIT;
	struct cid cid;

	if (!filter_wants_path(sync_wanted(sync), path)) {
		/* Indexed when other collections were wanted. */
		records_delete(sync->lane, path);
		if (!records_has_room(sync->lane))
			records_hold(sync->lane);
		return;
	}
	if (cid_unpack(cid_bytes, &cid) == -1)
		/* Not a CID that any record has: what is there gets replaced. */
		memset(&cid, 0, sizeof(cid));
	if (diff_row(sync->diff, path, &cid, &fault) == -1)
		sync_fail_fault(sync, &fault);
	else
		sync_index_diff_slice(sync);
}

/* --- purging --- */

void
sync_index_purge(struct sync_repo *sync)
{
	records_scan(sync->lane);
}

static void
purge_entry(struct sync_repo *sync, struct str path)
{
	records_delete(sync->lane, path);
	if (!records_has_room(sync->lane))
		records_hold(sync->lane);
}

/* --- what the scan says --- */

static void
on_entry(struct str path, struct bytes cid, void *arg)
{
	struct sync_repo *sync = arg;

	if (sync->step == SYNC_PURGING)
		purge_entry(sync, path);
	else
		diff_entry(sync, path, cid);
}

static void
on_end(void *arg)
{
	struct sync_repo *sync = arg;

	sync->rows_ended = true;
	if (sync->step == SYNC_PURGING)
		sync_enter(sync, SYNC_COMMITTING);
	else
		sync_index_diff_slice(sync);
}

static void
on_room(void *arg)
{
	struct sync_repo *sync = arg;

	if (sync->step == SYNC_PURGING)
		records_release(sync->lane);
	else if (sync->step == SYNC_DIFFING)
		sync_index_diff_slice(sync);
}

/* --- committing --- */

static struct bytes
cid_as_bytes(const struct cid *cid)
{
	return (struct bytes){ cid->bytes, CID_BYTES };
}

void
sync_index_commit(struct sync_repo *sync)
{
	struct msg_commit commit = {
		.pds_url = str_from(sync->pds),
		.status = str_from(sync->status),
	};

	if (sync->repo != NULL) {
		const struct commit *head = repo_commit(sync->repo);

		commit.selection = str_from(sync_env_selection(sync->env,
		    str_from(sync->did)));
		commit.rev = head->rev;
		commit.commit_cid = cid_as_bytes(&head->cid);
		commit.data_cid = cid_as_bytes(&head->data);
	} else if (strcmp(sync->status, "deleted") != 0 && sync->known.has_cids) {
		/* The records stay, and with them what they were proved by. */
		commit.selection = str_from(sync->known.selection);
		commit.rev = str_from(sync->known.rev);
		commit.commit_cid = cid_as_bytes(&sync->known.commit);
		commit.data_cid = cid_as_bytes(&sync->known.data);
	}
	records_commit(sync->lane, &commit);
}

static void
on_ack(const struct msg_ack *ack, void *arg)
{
	struct sync_repo *sync = arg;

	sync->lane = NULL;
	if (room_found(sync->env->room))
		sync_note(sync, ROOM_IS_THERE);
	sync->outcome.created = ack->created;
	sync->outcome.updated = ack->updated;
	sync->outcome.deleted = ack->deleted;
	sync->outcome.status = sync->status;
	if (sync->repo != NULL)
		sync_finish(sync, SYNC_DONE);
	else if (strcmp(sync->status, "active") == 0)
		sync_finish(sync, SYNC_UNCHANGED);
	else
		sync_finish(sync, SYNC_INACTIVE);
}

static void
on_refuse(struct str class, struct str text, void *arg)
{
	struct sync_repo *sync = arg;
	char word[SYNC_CLASS_SIZE];

	sync->lane = NULL;
	if (room_is_refusal(class) && sync->step >= SYNC_DIFFING) {
		sync_index_lacks_room(sync, text);
		return;
	}
	(void)str_copy(word, sizeof(word), class);
	sync_fail(sync, word, "the indexer: %.*s", STR_FMT(text));
}

/* --- a full disk --- */

void
sync_index_lacks_room(struct sync_repo *sync, struct str text)
{
	if (room_refused(sync->env->room, &sync->room_wait_ms))
		sync_note(sync, ROOM_LACKING, STR_FMT(text));
	if (sync->step < SYNC_DIFFING) {
		/* Its own file found none: what there is of it must not take any. */
		sync_fetch_clear(sync);
		(void)!ftruncate(sync->spill_fd, 0);
		records_abort(&sync->lane);
		if (sync->room_wait_ms < FETCH_WAIT_MS)
			sync->room_wait_ms = FETCH_WAIT_MS;
	}
	sync_enter(sync, SYNC_WAITING);
}

/* Without a claim: others may write what is smaller.  An account's status is asked for
 * again, unless it is that there is none any more. */
void
sync_index_wait(struct sync_repo *sync)
{
	ev_timer_stop(sync->env->loop, &sync->slice);
	diff_free(&sync->diff);
	repo_walk_free(&sync->walk);
	if (sync->repo == NULL && sync->status != NULL &&
	    strcmp(sync->status, "deleted") != 0)
		sync->status = NULL;
	sync->busy_count = 0;
	sync_enter_again(sync, sync->room_wait_ms);
}

void
sync_index_claim(struct sync_repo *sync)
{
	static const struct records_lane_events events = {
		.on_state = on_state, .on_entry = on_entry, .on_end = on_end,
		.on_room = on_room, .on_ack = on_ack, .on_refuse = on_refuse,
	};

	sync->lane = records_begin(sync->env->records, str_from(sync->did), &events,
	    sync);
}

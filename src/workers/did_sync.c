/*
 * did-sync - one account: its repository in the index, as it is now.
 *
 *	assigned -> look -> checkpoint "begun" -> one struct sync_repo -> notes -> tally -> done
 *
 * The work is sync_repo.h's; this file only says what comes of it to the supervisor.
 *
 * What a kill must not change are the outcome's numbers.  Changes are the indexer's
 * tally.  The checkpoint holds the revision that was indexed at first: an attempt that
 * finds another one knows that an earlier attempt has committed, and does the sync
 * again, to count what is there.  Each refused record is followed by a checkpoint that
 * counts it, and said once.
 *
 * An account that could not be synced is an item, as it is in a scan, and the
 * operation has failed with what its sync said.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/did.h"
#include "common/buf.h"
#include "common/mem.h"
#include "workers/item_class.h"
#include "workers/net_worker.h"
#include "workers/rows_link.h"
#include "workers/sync_env.h"
#include "workers/sync_repo.h"

#define CHECKPOINT_SIZE	64

/* "2 REV ITEMS"; a REV of "-": the repository was not indexed. */
struct checkpoint {
	char rev[LIMIT_REV_BYTES + 1];	/* that was indexed before; "" until it is known */
	uint64_t items;			/* said so far */
};

struct did_sync {
	struct worker *worker;		/* borrowed, outlives us */
	struct sync_env env;
	bool has_env;
	struct checkpoint checkpoint;
	uint64_t refused;		/* records, in this attempt */
	struct sync_outcome outcome;	/* of the sync, once it is over */
	/* owned; NULL when not under way */
	struct sync_repo *sync;
	struct link_question *question;
};

/* --- the checkpoint --- */

static void
send_checkpoint(struct did_sync *job)
{
	char text[CHECKPOINT_SIZE];
	int len = snprintf(text, sizeof(text), "2 %s %" PRIu64, job->checkpoint.rev,
	    job->checkpoint.items);

	worker_checkpoint(job->worker, &(struct msg_checkpoint){
		.data = { (const uint8_t *)text, (size_t)len },
	});
}

static void
read_checkpoint(struct did_sync *job)
{
	struct bytes from = worker_assignment(job->worker)->checkpoint;
	struct checkpoint read;
	char text[CHECKPOINT_SIZE];

	if (str_copy(text, sizeof(text), (struct str){ (const char *)from.ptr, from.len }) &&
	    sscanf(text, "2 %64s %" SCNu64, read.rev, &read.items) == 2)
		job->checkpoint = read;
}

/* --- what the sync tells --- */

static void
on_progress(struct sync_repo *sync BF_UNUSED, const struct sync_progress *progress,
    void *arg)
{
	struct did_sync *job = arg;

	worker_progress(job->worker, &(struct msg_progress){
		.stage = str_from(progress->stage),
		.processed = progress->processed,
		.total = progress->total,
		.failed = progress->failed,
		.bytes = progress->bytes,
	});
}

static void
on_bad_record(struct sync_repo *sync, struct str path, const struct fault *fault,
    void *arg)
{
	struct did_sync *job = arg;
	struct buf uri = BUF_INIT;
	char text[FAULT_TEXT_SIZE];

	/* The same ones come in the same order in each attempt. */
	if (++job->refused <= job->checkpoint.items || job->refused > LIMIT_OP_ITEMS)
		return;
	fault_format(fault, text);
	buf_printf(&uri, "at://%.*s/%.*s", STR_FMT(sync_repo_did(sync)), STR_FMT(path));
	worker_item_failed(job->worker, buf_str(&uri), fault_kind(fault->code), text);
	buf_clear(&uri);
	job->checkpoint.items = job->refused;
	send_checkpoint(job);
}

static void
on_note(struct sync_repo *sync BF_UNUSED, const char *text, void *arg)
{
	struct did_sync *job = arg;

	worker_log(job->worker, LOG_LEVEL_INFO, "%s", text);
}

static void
on_tally(const struct msg_ack *tally, const struct msg_refuse *why, void *arg)
{
	struct did_sync *job = arg;
	const struct sync_progress *progress = &job->outcome.progress;

	job->question = NULL;
	if (why != NULL) {
		worker_fail(job->worker, "index", "the indexer: %.*s", STR_FMT(why->text));
		return;
	}
	worker_done(job->worker, &(struct msg_done){
		.processed = progress->processed,
		.total = progress->total,
		.failed = progress->failed,
		.bytes = progress->bytes,
		.created = tally->created,
		.updated = tally->updated,
		.deleted = tally->deleted,
	});
}

/* The account is the item; its records that were refused before are others. */
static void
fail_account(struct did_sync *job, const struct sync_outcome *outcome)
{
	const struct sync_progress *progress = &outcome->progress;

	worker_item_failed(job->worker, worker_assignment(job->worker)->did,
	    item_class_of(outcome->error_class), outcome->error_text);
	worker_progress(job->worker, &(struct msg_progress){
		.stage = str_from(progress->stage != NULL ? progress->stage : ""),
		.processed = progress->processed,
		.total = progress->total,
		.failed = progress->failed + 1,
		.bytes = progress->bytes,
	});
	worker_fail(job->worker, outcome->error_class, "%s", outcome->error_text);
}

static void
tell(struct did_sync *job, const struct sync_outcome *outcome)
{
	if (outcome->result == SYNC_INACTIVE)
		worker_log(job->worker, LOG_LEVEL_INFO, "the account is %s; %s",
		    outcome->status, outcome->deleted > 0 ? "its records are gone" :
		    "its records are as they were");
	else
		worker_log(job->worker, LOG_LEVEL_INFO, "%s at revision %s",
		    outcome->result == SYNC_DONE ? "indexed" : "already indexed",
		    outcome->rev);
}

/* What was learned of the server and the DID is on disk. */
static void
on_notes_written(const char *why, void *arg)
{
	struct did_sync *job = arg;
	const struct sync_outcome *outcome = &job->outcome;

	if (why != NULL)
		worker_log(job->worker, LOG_LEVEL_WARN, "notes were not written: %s", why);
	if (outcome->result == SYNC_FAILED) {
		fail_account(job, outcome);
		return;
	}
	tell(job, outcome);
	job->question = records_tally(worker_records(job->worker), on_tally, job);
}

static void
on_done(struct sync_repo *sync BF_UNUSED, const struct sync_outcome *outcome, void *arg)
{
	struct did_sync *job = arg;

	job->sync = NULL;
	job->outcome = *outcome;
	job->outcome.pds = NULL;	/* the sync's own */
	sync_env_write(&job->env, on_notes_written, job);
}

static void
begin_sync(struct did_sync *job, bool is_forced)
{
	static const struct sync_repo_events events = {
		.on_progress = on_progress, .on_bad_record = on_bad_record,
		.on_note = on_note, .on_done = on_done,
	};
	const struct worker_assignment *given = worker_assignment(job->worker);

	job->sync = sync_repo_start(&job->env, &(struct sync_order){
		.did = given->did,
		.spill_fd = given->spill_count > 0 ? given->spill_fds[0] : -1,
		.is_forced = is_forced,
		/* Who asks for one account wants it as it is now, wherever it lives. */
		.wants_fresh_document = true,
	}, &events, job);
}

static void
on_look(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct did_sync *job = arg;
	struct checkpoint *checkpoint = &job->checkpoint;
	char rev[LIMIT_REV_BYTES + 1] = "-";
	const struct str *items;
	size_t count;
	bool is_forced;

	job->question = NULL;
	if (why != NULL) {
		worker_fail(job->worker, "index", "the indexer: %.*s", STR_FMT(why->text));
		return;
	}
	/* A record may have been refused at the revision that is indexed. */
	is_forced = worker_retry_items(job->worker, &items, &count);
	if (!str_is_empty(state->rev))
		(void)str_copy(rev, sizeof(rev), state->rev);
	if (checkpoint->rev[0] != '\0') {
		is_forced = is_forced || strcmp(rev, checkpoint->rev) != 0;
	} else {
		memcpy(checkpoint->rev, rev, sizeof(rev));
		send_checkpoint(job);
	}
	begin_sync(job, is_forced);
}

/* --- the type --- */

static void *
start(struct worker *worker)
{
	const struct worker_assignment *given = worker_assignment(worker);
	struct did_sync *job = xcalloc(1, sizeof(*job));
	struct err err;

	job->worker = worker;
	if (!did_is_atproto(given->did)) {
		worker_fail(worker, "invalid", "%.*s is no did:plc or did:web",
		    STR_FMT(given->did));
		return job;
	}
	if (sync_env_init(&job->env, worker_loop(worker), worker_records(worker),
	    worker_settings(worker), worker_answers_429(worker), &err) == -1) {
		worker_fail(worker, "setting", "%s", err.text);
		return job;
	}
	job->has_env = true;
	sync_env_remember_met(&job->env);
	read_checkpoint(job);
	job->question = records_look(worker_records(worker), given->did, on_look, job);
	return job;
}

static void
end(void *arg)
{
	struct did_sync *job = arg;

	sync_repo_cancel(&job->sync);
	link_question_cancel(&job->question);
	if (job->has_env)
		sync_env_clear(&job->env);
	free(job);
}

int
main(void)
{
	static const struct worker_type type = {
		.name = "did-sync", .start = start, .end = end,
	};

	return net_worker_main(&type);
}

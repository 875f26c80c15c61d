/*
 * did-sync - one account: its repository in the index, as it is now.
 *
 *	assigned -> one struct sync_repo -> acked -> checkpoint -> done
 *
 * The work is sync_repo.h's; this file only says what comes of it to the
 * supervisor.  The checkpoint holds what the sync has counted.  An attempt that
 * was interrupted between its checkpoint and its `done` finds the repository
 * unchanged when it runs again, and then still reports what was done.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/did.h"
#include "common/buf.h"
#include "common/mem.h"
#include "workers/records_link.h"
#include "workers/sync_env.h"
#include "workers/sync_repo.h"
#include "workers/worker.h"

struct did_sync {
	struct worker *worker;		/* borrowed, outlives us */
	struct sync_env env;
	bool has_env;
	struct sync_repo *sync;		/* owned; NULL once it is over */
	struct sync_outcome outcome;	/* then */
};

/* --- the checkpoint: "1 REV PROCESSED TOTAL FAILED CREATED UPDATED DELETED" --- */

#define CHECKPOINT_SIZE	256

static void
send_checkpoint(struct did_sync *job, const struct sync_outcome *outcome)
{
	const struct sync_progress *progress = &outcome->progress;
	char text[CHECKPOINT_SIZE];
	int len = snprintf(text, sizeof(text), "1 %s %" PRIu64 " %" PRIu64 " %" PRIu64
	    " %" PRIu64 " %" PRIu64 " %" PRIu64, outcome->rev, progress->processed,
	    progress->total, progress->failed, outcome->created, outcome->updated,
	    outcome->deleted);

	worker_checkpoint(job->worker, &(struct msg_checkpoint){
		.data = { (const uint8_t *)text, (size_t)len },
		.processed = progress->processed, .created = outcome->created,
		.updated = outcome->updated, .deleted = outcome->deleted,
	});
}

/* True if an earlier attempt has brought the index to this revision. */
static bool
read_checkpoint(struct bytes from, const char *rev, struct msg_done *done_out)
{
	char text[CHECKPOINT_SIZE], known[TID_SIZE];
	struct msg_done done = { 0 };

	if (!str_copy(text, sizeof(text), (struct str){ (const char *)from.ptr, from.len }))
		return false;
	if (sscanf(text, "1 %13s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %"
	    SCNu64 " %" SCNu64, known, &done.processed, &done.total, &done.failed,
	    &done.created, &done.updated, &done.deleted) != 7 ||
	    strcmp(known, rev) != 0)
		return false;
	*done_out = done;
	return true;
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

	fault_format(fault, text);
	buf_printf(&uri, "at://%.*s/%.*s", STR_FMT(sync_repo_did(sync)), STR_FMT(path));
	worker_item_failed(job->worker, buf_str(&uri), fault_kind(fault->code), text);
	buf_clear(&uri);
}

static void
on_note(struct sync_repo *sync BF_UNUSED, const char *text, void *arg)
{
	struct did_sync *job = arg;

	worker_log(job->worker, LOG_LEVEL_INFO, "%s", text);
}

static void
say_done(struct did_sync *job, const struct sync_outcome *outcome)
{
	const struct sync_progress *progress = &outcome->progress;

	worker_done(job->worker, &(struct msg_done){
		.processed = progress->processed,
		.total = progress->total,
		.failed = progress->failed,
		.bytes = progress->bytes,
		.created = outcome->created,
		.updated = outcome->updated,
		.deleted = outcome->deleted,
	});
}

static void
say_unchanged(struct did_sync *job, const struct sync_outcome *outcome)
{
	struct bytes checkpoint = worker_assignment(job->worker)->checkpoint;
	struct msg_done done;

	if (read_checkpoint(checkpoint, outcome->rev, &done)) {
		done.bytes = outcome->progress.bytes;
		worker_done(job->worker, &done);
		return;
	}
	worker_log(job->worker, LOG_LEVEL_INFO, "already indexed at revision %s",
	    outcome->rev);
	say_done(job, outcome);
}

static void
say_outcome(struct did_sync *job, const struct sync_outcome *outcome)
{
	switch (outcome->result) {
	case SYNC_DONE:
		worker_log(job->worker, LOG_LEVEL_INFO, "indexed at revision %s",
		    outcome->rev);
		say_done(job, outcome);
		break;
	case SYNC_UNCHANGED:
		say_unchanged(job, outcome);
		break;
	case SYNC_INACTIVE:
		worker_log(job->worker, LOG_LEVEL_INFO, "the account is %s; %s",
		    outcome->status, outcome->deleted > 0 ? "its records are gone" :
		    "its records are as they were");
		say_done(job, outcome);
		break;
	case SYNC_FAILED:
		worker_fail(job->worker, outcome->error_class, "%s",
		    outcome->error_text);
		break;
	}
}

static void
on_notes_written(const char *why, void *arg)
{
	struct did_sync *job = arg;

	if (why != NULL)
		worker_log(job->worker, LOG_LEVEL_WARN, "notes were not written: %s", why);
	say_outcome(job, &job->outcome);
}

static void
on_done(struct sync_repo *sync BF_UNUSED, const struct sync_outcome *outcome, void *arg)
{
	struct did_sync *job = arg;

	job->sync = NULL;
	job->outcome = *outcome;
	job->outcome.pds = NULL;	/* the sync's own */
	if (outcome->result == SYNC_DONE)
		send_checkpoint(job, outcome);
	sync_env_write(&job->env, on_notes_written, job);
}

/* --- the type --- */

static void *
start(struct worker *worker)
{
	static const struct sync_repo_events events = {
		.on_progress = on_progress, .on_bad_record = on_bad_record,
		.on_note = on_note, .on_done = on_done,
	};
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
	    worker_settings(worker), &err) == -1) {
		worker_fail(worker, "setting", "%s", err.text);
		return job;
	}
	job->has_env = true;
	sync_env_remember_met(&job->env);
	/* Who asks for one account wants it as it is now, wherever it lives now. */
	job->sync = sync_repo_start(&job->env, &(struct sync_order){
	    .did = given->did, .wants_fresh_document = true,
	    .spill_fd = given->spill_count > 0 ? given->spill_fds[0] : -1 }, &events,
	    job);
	return job;
}

static void
end(void *arg)
{
	struct did_sync *job = arg;

	sync_repo_cancel(&job->sync);
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
	int status;

	http_init();
	status = worker_main(&type);
	http_exit();
	return status;
}

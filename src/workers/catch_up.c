/*
 * catch-up - the type of operation that reads a relay's firehose from where the last
 * one stopped up to now (catch_up_impl.h tells how).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "rows/cursor_row.h"
#include "rows/resume_row.h"
#include "rows/row_table.h"
#include "workers/catch_up_impl.h"
#include "workers/net_worker.h"
#include "workers/room.h"

#define OPEN_EVENTS_MAX		128
#define OPEN_BYTES_MAX		(16 * 1024 * 1024)
#define WINDOW_MAX		100000	/* events done behind one that is open */

void
catch_up_item_failed(struct catch_up *job, struct str item, const char *class,
    const char *text)
{
	worker_item_failed(job->worker, item, class, text);
}

void
catch_up_fail(struct catch_up *job, const char *class, const char *text)
{
	if (job->has_failed)
		return;
	job->has_failed = true;
	job->stage = CATCH_UP_OVER;
	catch_up_save_tell(job);
	worker_fail(job->worker, class, "%s", text);
}

/* --- replaying --- */

static bool
is_full(const struct catch_up *job)
{
	return job->open_events >= OPEN_EVENTS_MAX || job->open_bytes >= OPEN_BYTES_MAX ||
	    replay_window_count(&job->window) >= WINDOW_MAX ||
	    !catch_up_save_has_room(job);
}

static void
on_event(const struct firehose_event *event BF_UNUSED, struct bytes frame,
    const struct replay_position *position, void *arg)
{
	struct catch_up *job = arg;

	replay_total_see(&job->total, position);
	catch_up_event_add(job, frame, position);
	if (is_full(job))
		relay_pause(job->relay);
}

static void
on_loss(const char *why, void *arg)
{
	struct catch_up *job = arg;

	worker_log(job->worker, LOG_LEVEL_WARN,
	    "events are missing: %s; revisions will be compared", why);
	job->has_loss = true;
	replay_total_skip(&job->total);
	catch_up_save_soon(job);
}

static void
on_note(const char *text, void *arg)
{
	struct catch_up *job = arg;

	worker_log(job->worker, LOG_LEVEL_INFO, "%s", text);
}

static void
on_caught_up(void *arg)
{
	struct catch_up *job = arg;

	job->is_draining = true;
	catch_up_event_is_over(job);
}

static void
on_failed(const char *class, const char *text, void *arg)
{
	catch_up_fail(arg, class, text);
}

void
catch_up_event_is_over(struct catch_up *job)
{
	if (job->stage != CATCH_UP_REPLAYING)
		return;
	catch_up_tell_progress(job);
	if ((job->is_draining || job->is_pausing) && job->open_events == 0)
		catch_up_save_now(job);
	else if (job->is_pausing)
		return;
	else if (!job->is_draining && !is_full(job))
		relay_resume(job->relay);
}

static void
begin_replay(struct catch_up *job)
{
	static const struct relay_events events = {
		.on_event = on_event, .on_loss = on_loss, .on_note = on_note,
		.on_caught_up = on_caught_up, .on_failed = on_failed,
	};

	job->relay = relay_new(&job->env, job->origin, &job->window.done, job->until_ms,
	    &events, job);
	if (job->relay == NULL)
		catch_up_fail(job, "setting", "libwebsockets has no libev plugin");
}

/* --- the stages --- */

static void
on_tally(const struct msg_ack *tally, const struct msg_refuse *why, void *arg)
{
	struct catch_up *job = arg;
	uint64_t events = job->window.done.events;

	job->question = NULL;
	if (why != NULL) {
		worker_fail(job->worker, "index", "%.*s", STR_FMT(why->text));
		return;
	}
	if (job->failed > 0 && events == 0 && job->resynced == 0) {
		worker_fail(job->worker, "all-failed", "%" PRIu64 " repositories, and "
		    "none could be done", job->failed);
		return;
	}
	worker_done(job->worker, &(struct msg_done){
		.processed = events, .total = events, .failed = job->failed,
		.bytes = catch_up_bytes(job), .created = tally->created,
		.updated = tally->updated, .deleted = tally->deleted,
	});
}

static void
on_notes_written(const char *why, void *arg)
{
	struct catch_up *job = arg;

	if (why != NULL)
		worker_log(job->worker, LOG_LEVEL_WARN, "notes were not written: %s", why);
	job->question = records_tally(worker_records(job->worker), on_tally, job);
}

void
catch_up_enter(struct catch_up *job, enum catch_up_stage stage)
{
	job->stage = stage;
	catch_up_tell_progress(job);
	switch (stage) {
	case CATCH_UP_REPLAYING:
		begin_replay(job);
		break;
	case CATCH_UP_COMPARING:
		catch_up_compare_start(job);
		break;
	case CATCH_UP_RESYNCING:
		catch_up_resync_start(job);
		break;
	case CATCH_UP_OVER:
		sync_env_write(&job->env, on_notes_written, job);
		break;
	}
}

/* What was begun is over and on disk, so that a pause may be. */
static bool
is_at_rest(const struct catch_up *job)
{
	if (job->save.n > 0)
		return false;
	switch (job->stage) {
	case CATCH_UP_REPLAYING:
		return job->open_events == 0;
	case CATCH_UP_COMPARING:
		return job->compare == NULL;
	case CATCH_UP_RESYNCING:
		return catch_up_resync_is_resting(job);
	case CATCH_UP_OVER:
		break;
	}
	return false;
}

void
catch_up_is_saved(struct catch_up *job)
{
	if (job->is_pausing) {
		if (is_at_rest(job))
			worker_paused(job->worker);
		else if (job->stage == CATCH_UP_REPLAYING)
			catch_up_event_is_over(job);
		return;
	}
	switch (job->stage) {
	case CATCH_UP_REPLAYING:
		if (job->is_draining && job->open_events == 0 && job->save.n == 0)
			catch_up_enter(job, job->has_loss ? CATCH_UP_COMPARING :
			    CATCH_UP_RESYNCING);
		else
			catch_up_event_is_over(job);
		break;
	case CATCH_UP_COMPARING:
		catch_up_compare_saved(job);
		break;
	case CATCH_UP_RESYNCING:
		catch_up_resync_go_on(job);
		break;
	case CATCH_UP_OVER:
		break;
	}
}

/* --- the start --- */

/* What an earlier attempt of this operation said last (catch_up_save.c). */
static bool
read_checkpoint(struct catch_up *job, struct bytes from, struct replay_position *at_out)
{
	char text[CATCH_UP_CHECKPOINT_SIZE];
	struct replay_position at;
	int stage, loss, n = 0;

	if (from.len == 0 || !str_copy(text, sizeof(text),
	    (struct str){ (const char *)from.ptr, from.len }))
		return false;
	if (sscanf(text, "1 %d %" SCNd64 " %d %" SCNu64 " %" SCNu64 " %" SCNd64
	    " %" SCNu64 " %" SCNu64 "%n", &stage, &job->until_ms, &loss, &job->failed,
	    &at.seq, &at.time_ms, &at.events, &at.recent, &n) != 8 &&
	    sscanf(text, "2 %d %" SCNd64 " %d %" SCNu64 " %" SCNu64 " %" SCNd64
	    " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 "%n", &stage, &job->until_ms,
	    &loss, &job->failed, &at.seq, &at.time_ms, &at.events, &at.recent,
	    &job->listed, &job->listed_known, &n) != 10)
		return false;
	if (stage < CATCH_UP_REPLAYING || stage > CATCH_UP_OVER || text[n] != ' ')
		return false;
	job->has_loss = loss != 0;
	(void)str_copy(job->cursor, sizeof(job->cursor), str_from(text + n + 1));
	job->stage = (enum catch_up_stage)stage;
	*at_out = at;
	return true;
}

static void
begin_at(struct catch_up *job, const struct replay_position *at)
{
	replay_window_init(&job->window, at);
	replay_total_init(&job->total, at, job->until_ms);
	catch_up_save_init(job);
	job->has_begun = true;
	/* Nobody knows what came before what the relay still has. */
	if (job->stage == CATCH_UP_REPLAYING && at->seq == 0 && !job->has_loss)
		on_loss("no position was saved for this relay", job);
	catch_up_enter(job, job->stage);
}

static void
index_refused(struct catch_up *job, const struct msg_refuse *why)
{
	char text[ERR_TEXT_SIZE];

	(void)str_copy(text, sizeof(text), why->text);
	catch_up_fail(job, "index", text);
}

static void
on_cursor_row(struct bytes key, struct bytes value, void *arg)
{
	struct catch_up *job = arg;
	struct cursor_row row;

	if (cursor_row_decode(key, value, &row) == 0)
		job->window.done = (struct replay_position){ .seq = row.seq,
		    .time_ms = (int64_t)row.time_ms };
}

static void
on_cursor_end(const struct msg_refuse *why, void *arg)
{
	struct catch_up *job = arg;
	struct replay_position at = job->window.done;

	job->question = NULL;
	if (why != NULL)
		index_refused(job, why);
	else
		begin_at(job, &at);
}

static void
on_resume_row(struct bytes key, struct bytes value, void *arg)
{
	struct catch_up *job = arg;
	struct resume_row row;

	if (resume_row_decode(key, value, &row) == 0 &&
	    str_eq(row.operation, worker_assignment(job->worker)->id))
		job->is_resumed = read_checkpoint(job, row.checkpoint,
		    &job->window.done);
}

/* Where this very operation stood; or where the last one ended. */
static void
on_resume_end(const struct msg_refuse *why, void *arg)
{
	struct catch_up *job = arg;
	struct replay_position at = job->window.done;

	job->question = NULL;
	if (why != NULL)
		index_refused(job, why);
	else if (job->is_resumed || read_checkpoint(job,
	    worker_assignment(job->worker)->checkpoint, &at))
		begin_at(job, &at);
	else
		job->question = rows_get(worker_records(job->worker), ROW_CURSOR,
		    buf_bytes(&job->service), on_cursor_row, on_cursor_end, job);
}

/* A retry has its list; all others find out where to begin. */
static void
begin(struct catch_up *job)
{
	const struct str *items;
	size_t count;

	job->until_ms = clock_wall_ms();
	if (worker_retry_items(job->worker, &items, &count)) {
		job->stage = CATCH_UP_RESYNCING;
		begin_at(job, &(struct replay_position){ .seq = 0 });
		return;
	}
	job->question = rows_get(worker_records(job->worker), ROW_RESUME,
	    buf_bytes(&job->service), on_resume_row, on_resume_end, job);
}

static void
on_first_tally(const struct msg_ack *tally, const struct msg_refuse *why, void *arg)
{
	struct catch_up *job = arg;

	job->question = NULL;
	if (why != NULL) {
		index_refused(job, why);
		return;
	}
	job->created = tally->created;
	job->updated = tally->updated;
	job->deleted = tally->deleted;
	begin(job);
}

static void
on_remembered(const char *why, void *arg)
{
	struct catch_up *job = arg;

	if (why != NULL)
		catch_up_fail(job, "index", why);
	else
		job->question = records_tally(worker_records(job->worker), on_first_tally,
		    job);
}

static void *
start(struct worker *worker)
{
	const struct worker_assignment *given = worker_assignment(worker);
	const struct settings *settings = worker_settings(worker);
	struct catch_up *job = xcalloc(1, sizeof(*job));
	struct fetch_error error;
	struct err err;

	job->worker = worker;
	job->events_end = &job->events;
	if (settings->relay_url[0] == '\0') {
		worker_fail(worker, "setting", "relay_url is not set: there is no "
		    "firehose to read");
		return job;
	}
	if (url_parse_origin(str_from(settings->relay_url), true, job->origin,
	    &error) == -1) {
		worker_fail(worker, "setting", "relay_url: %s", error.text);
		return job;
	}
	cursor_row_relay_key(&job->service, str_from(settings->relay_url));
	if (sync_env_init(&job->env, worker_loop(worker), worker_records(worker),
	    settings, worker_answers_429(worker), &err) == -1) {
		worker_fail(worker, "setting", "%s", err.text);
		return job;
	}
	job->has_env = true;
	sync_env_share(&job->env, given->spill_count);
	sync_env_remember(&job->env, on_remembered, job);
	return job;
}

static void
pause_job(void *arg)
{
	struct catch_up *job = arg;

	job->is_pausing = true;
	/* What waits for room on the disk is not waited for: it is done again. */
	if (!job->has_begun || job->env.room->is_lacking) {
		worker_paused(job->worker);
		return;
	}
	switch (job->stage) {
	case CATCH_UP_REPLAYING:
		relay_pause(job->relay);
		catch_up_event_is_over(job);
		break;
	case CATCH_UP_COMPARING:
		/* The page that is looked at is read again. */
		catch_up_compare_free(&job->compare);
		catch_up_save_now(job);
		break;
	case CATCH_UP_RESYNCING:
		catch_up_resync_pause(job);
		break;
	case CATCH_UP_OVER:
		break;		/* it is as good as done */
	}
}

static void
end(void *arg)
{
	struct catch_up *job = arg;

	link_question_cancel(&job->question);
	catch_up_event_drop_all(job);
	catch_up_compare_free(&job->compare);
	catch_up_resync_free(&job->resync);
	catch_up_save_clear(job);
	relay_free(&job->relay);
	replay_window_clear(&job->window);
	if (job->has_env)
		sync_env_clear(&job->env);
	buf_clear(&job->service);
	free(job);
}

int
main(void)
{
	static const struct worker_type type = {
		.name = "catch-up", .start = start, .end = end, .pause = pause_job,
	};

	return net_worker_main(&type);
}

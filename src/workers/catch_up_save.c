/*
 * The part of catch-up that writes what it knows: marks, the position, and from where
 * to go on, in one transaction; then the checkpoint, which says only what is on disk.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "rows/cursor_row.h"
#include "rows/desync_row.h"
#include "rows/resume_row.h"
#include "rows/row_table.h"
#include "workers/catch_up_impl.h"
#include "workers/room.h"

#define SAVE_EVERY_MS	1000
#define MARKS_MAX	1000		/* that wait, until events have to */

int64_t
catch_up_lacks_room(struct catch_up *job, struct str text)
{
	int64_t wait_ms;

	if (room_refused(job->env.room, &wait_ms))
		worker_log(job->worker, LOG_LEVEL_WARN, ROOM_LACKING, STR_FMT(text));
	if (job->is_pausing)
		worker_paused(job->worker);
	return wait_ms;
}

void
catch_up_has_room(struct catch_up *job)
{
	if (room_found(job->env.room))
		worker_log(job->worker, LOG_LEVEL_INFO, ROOM_IS_THERE);
}

static struct bytes
as_bytes(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static void
forget_marks(struct catch_up_save *save, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(save->marks[i].did);
		free(save->marks[i].reason);
	}
	if (save->n > n)
		memmove(save->marks, save->marks + n,
		    (save->n - n) * sizeof(*save->marks));
	save->n -= n;
}

static void
add_mark(struct catch_up *job, struct str did, const char *reason, bool is_failed)
{
	struct catch_up_save *save = &job->save;

	if (save->n == save->room) {
		save->room = save->room > 0 ? save->room * 2 : 64;
		save->marks = xrealloc(save->marks, save->room * sizeof(*save->marks));
	}
	save->marks[save->n++] = (struct catch_up_mark){ xstrndup(did.ptr, did.len),
	    reason != NULL ? xstrdup(reason) : NULL, is_failed };
	catch_up_save_soon(job);
}

void
catch_up_mark(struct catch_up *job, struct str did, const char *reason)
{
	add_mark(job, did, reason, false);
}

void
catch_up_mark_failed(struct catch_up *job, struct str did, const char *reason)
{
	add_mark(job, did, reason, true);
}

bool
catch_up_save_has_room(const struct catch_up *job)
{
	return job->save.n < MARKS_MAX;
}

static void
put_mark(struct catch_up *job, const struct catch_up_mark *mark)
{
	struct catch_up_save *save = &job->save;
	struct desync_row row = { .since_ms = (uint64_t)clock_wall_ms(),
	    .reason = str_from(mark->reason),
	    .failed_by = mark->is_failed ? worker_assignment(job->worker)->id : STR_NONE };
	struct buf value = BUF_INIT;

	if (mark->reason == NULL) {
		rows_delete(save->batch, ROW_DESYNC, as_bytes(mark->did));
		return;
	}
	desync_row_encode(&value, &row);
	rows_put(save->batch, ROW_DESYNC, as_bytes(mark->did), buf_bytes(&value));
	buf_clear(&value);
}

static void
put_position(struct catch_up *job)
{
	struct catch_up_save *save = &job->save;
	struct cursor_row row = {
		.seq = save->position.seq,
		.time_ms = (uint64_t)save->position.time_ms,
		.saved_ms = (uint64_t)clock_wall_ms(),
	};
	struct buf value = BUF_INIT;

	cursor_row_encode(&value, &row);
	rows_put(save->batch, ROW_CURSOR, buf_bytes(&job->service), buf_bytes(&value));
	buf_clear(&value);
}

/* "2 STAGE UNTIL LOSS FAILED SEQ TIME EVENTS RECENT LISTED KNOWN CURSOR"; of an earlier
 * version 1, without LISTED and KNOWN. */
static void
write_text(struct catch_up *job)
{
	const struct replay_position *at = &job->save.position;

	(void)snprintf(job->save.text, sizeof(job->save.text), "2 %d %" PRId64 " %d %"
	    PRIu64 " %" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	    " %s", (int)job->stage, job->until_ms, job->has_loss, job->failed, at->seq,
	    at->time_ms, at->events, at->recent, job->listed, job->listed_known,
	    job->cursor);
}

static void
put_resume(struct catch_up *job)
{
	struct resume_row row = {
		.operation = worker_assignment(job->worker)->id,
		.checkpoint = as_bytes(job->save.text),
	};
	struct buf value = BUF_INIT;

	resume_row_encode(&value, &row);
	rows_put(job->save.batch, ROW_RESUME, buf_bytes(&job->service), buf_bytes(&value));
	buf_clear(&value);
}

/* Send what there is room for; then commit. */
static void
send_batch(struct catch_up *job)
{
	struct catch_up_save *save = &job->save;

	for (; save->sent < save->n; save->sent++) {
		if (!rows_has_room(save->batch))
			return;
		put_mark(job, &save->marks[save->sent]);
	}
	if (save->has_position)
		put_position(job);
	put_resume(job);
	rows_commit(save->batch);
	save->is_sent = true;
}

static void
on_room(void *arg)
{
	struct catch_up *job = arg;

	if (!job->save.is_sent)
		send_batch(job);
}

static void
save_in(struct catch_up *job, int64_t ms)
{
	ev_timer_stop(job->env.loop, &job->save.timer);
	ev_timer_set(&job->save.timer, (double)ms / 1000., 0.);
	ev_timer_start(job->env.loop, &job->save.timer);
}

static void
is_written(struct catch_up *job)
{
	struct catch_up_save *save = &job->save;

	if (save->is_wanted) {
		save->is_wanted = false;
		catch_up_save_now(job);
	} else {
		catch_up_is_saved(job);
	}
}

void
catch_up_save_tell(struct catch_up *job)
{
	const struct catch_up_save *save = &job->save;

	if (save->saved_text[0] == '\0')
		return;
	worker_checkpoint(job->worker, &(struct msg_checkpoint){
		.data = as_bytes(save->saved_text), .processed = save->saved_events,
		.created = job->created, .updated = job->updated, .deleted = job->deleted,
	});
}

static void
on_ack(const struct msg_ack *ack BF_UNUSED, void *arg)
{
	struct catch_up *job = arg;

	struct catch_up_save *save = &job->save;

	save->batch = NULL;
	catch_up_has_room(job);
	forget_marks(save, save->sent);
	save->sent = 0;
	(void)strcpy(save->saved_text, save->text);
	if (save->has_position)
		save->saved_seq = save->position.seq;
	save->saved_events = save->position.events;
	catch_up_save_tell(job);
	is_written(job);
}

static void
on_refuse(struct str class, struct str text, void *arg)
{
	struct catch_up *job = arg;
	char word[64], why[ERR_TEXT_SIZE];

	job->save.batch = NULL;
	if (room_is_refusal(class)) {
		job->save.sent = 0;
		save_in(job, catch_up_lacks_room(job, text));
		return;
	}
	(void)str_copy(word, sizeof(word), class);
	(void)str_copy(why, sizeof(why), text);
	catch_up_fail(job, word, why);
}

static void
save(struct catch_up *job)
{
	static const struct rows_batch_events events = {
		.on_ack = on_ack, .on_refuse = on_refuse, .on_room = on_room,
	};
	struct catch_up_save *save = &job->save;

	/* Everything that the position stands behind is a mark by now, or on disk.
	 * Beyond a loss it is not for others until that was looked into. */
	save->position = job->window.done;
	save->has_position = !job->has_loss && save->position.seq > 0 &&
	    save->position.seq != save->saved_seq;
	write_text(job);
	if (save->n == 0 && strcmp(save->text, save->saved_text) == 0) {
		is_written(job);
		return;
	}
	save->batch = rows_batch_new(worker_records(job->worker), &events, job);
	save->sent = 0;
	save->is_sent = false;
	send_batch(job);
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct catch_up *job = timer->data;

	ev_timer_stop(loop, timer);
	if (job->save.batch != NULL)
		job->save.is_wanted = true;
	else
		save(job);
}

void
catch_up_save_soon(struct catch_up *job)
{
	if (!ev_is_active(&job->save.timer))
		save_in(job, SAVE_EVERY_MS);
}

void
catch_up_save_now(struct catch_up *job)
{
	save_in(job, 0);
}

void
catch_up_save_init(struct catch_up *job)
{
	ev_init(&job->save.timer, on_timer);
	job->save.timer.data = job;
}

void
catch_up_save_clear(struct catch_up *job)
{
	struct catch_up_save *save = &job->save;

	if (job->has_env)
		ev_timer_stop(job->env.loop, &save->timer);
	rows_abort(&save->batch);
	forget_marks(save, save->n);
	free(save->marks);
	save->marks = NULL;
}

#include "workers/relay_note.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>

#include "atproto/firehose.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "fetch/subscribe.h"
#include "rows/cursor_row.h"
#include "rows/row_table.h"
#include "workers/relay_stream.h"
#include "workers/rows_link.h"
#include "workers/sync_env.h"

struct relay_note {
	/* borrowed */
	const struct sync_env *env;
	relay_note_cb *cb;
	void *arg;
	/* owned */
	struct buf key;			/* of the row */
	struct subscribe *stream;
	struct link_question *question;
	struct rows_batch *batch;

	uint64_t seq;			/* of the last event; 0: none came */
	int64_t time_ms;
	bool from_start;		/* the whole stream is read, for its last event */
	char why[ERR_TEXT_SIZE];
	/* watchers */
	struct ev_timer idle;
	struct ev_timer over;		/* the end is told from a turn of its own */
};

static void
clear(struct relay_note *note)
{
	ev_timer_stop(note->env->loop, &note->idle);
	ev_timer_stop(note->env->loop, &note->over);
	link_question_cancel(&note->question);
	rows_abort(&note->batch);
	subscribe_free(&note->stream);
	buf_clear(&note->key);
	free(note);
}

static void
on_over(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct relay_note *note = timer->data;
	relay_note_cb *cb = note->cb;
	void *arg = note->arg;
	char why[ERR_TEXT_SIZE];

	(void)snprintf(why, sizeof(why), "%s", note->why);
	clear(note);
	cb(why[0] != '\0' ? why : NULL, arg);
}

/* Not at once: a stream is not freed from inside its own events. */
static void
finish(struct relay_note *note, struct str why)
{
	(void)str_copy(note->why, sizeof(note->why), why);
	ev_timer_stop(note->env->loop, &note->idle);
	ev_timer_start(note->env->loop, &note->over);
}

/* --- writing --- */

static void
on_ack(const struct msg_ack *ack BF_UNUSED, void *arg)
{
	struct relay_note *note = arg;

	note->batch = NULL;
	finish(note, STR_NONE);
}

static void
on_refuse(struct str class BF_UNUSED, struct str text, void *arg)
{
	struct relay_note *note = arg;

	note->batch = NULL;
	finish(note, text);
}

static void
on_room(void *arg BF_UNUSED)
{
}

static void
write_row(struct relay_note *note)
{
	static const struct rows_batch_events events = {
		.on_ack = on_ack, .on_refuse = on_refuse, .on_room = on_room,
	};
	struct cursor_row row = {
		.seq = note->seq, .time_ms = (uint64_t)note->time_ms,
		.saved_ms = (uint64_t)clock_wall_ms(),
	};
	struct buf value = BUF_INIT;

	ev_timer_stop(note->env->loop, &note->idle);
	subscribe_close(note->stream);
	cursor_row_encode(&value, &row);
	note->batch = rows_batch_new(note->env->records, &events, note);
	rows_put(note->batch, ROW_CURSOR, buf_bytes(&note->key), buf_bytes(&value));
	rows_commit(note->batch);
	buf_clear(&value);
}

/* --- the stream --- */

static void
set_idle(struct relay_note *note)
{
	note->idle.repeat = (ev_tstamp)note->env->settings->relay_idle_ms / 1000;
	ev_timer_again(note->env->loop, &note->idle);
}

static void
on_open(void *arg)
{
	set_idle(arg);
}

static void
on_message(struct bytes frame, void *arg)
{
	struct relay_note *note = arg;
	struct firehose_event event;
	struct fault fault;

	set_idle(note);
	if (firehose_read(frame, &event, &fault) == -1 || event.seq == 0)
		return;
	note->seq = event.seq;
	note->time_ms = event.time_ms < clock_wall_ms() ? event.time_ms : clock_wall_ms();
	/* One that is live is the last there is. */
	if (!note->from_start)
		write_row(note);
}

static void
on_end(const struct fetch_error *error, void *arg)
{
	finish(arg, str_from(error->text[0] != '\0' ? error->text : "the stream ended"));
}

static void
open_stream(struct relay_note *note, bool from_start)
{
	struct buf url = BUF_INIT;

	note->from_start = from_start;
	relay_stream_url(&url, note->env->settings->relay_url, from_start ? "?cursor=0" : "");
	subscribe_open(note->stream, (const char *)buf_data(&url));
	buf_clear(&url);
}

/* A silent relay has no live event: the last of those that it keeps will do. */
static void
on_idle(struct ev_loop *loop, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct relay_note *note = timer->data;

	ev_timer_stop(loop, timer);
	if (note->seq > 0) {
		write_row(note);
	} else if (!note->from_start) {
		subscribe_close(note->stream);
		open_stream(note, true);
	} else {
		finish(note, STR("the relay has no event"));
	}
}

/* --- the row that may be there --- */

static void
on_row(struct bytes key, struct bytes value, void *arg)
{
	struct relay_note *note = arg;
	struct cursor_row row;

	if (cursor_row_decode(key, value, &row) == 0)
		note->seq = row.seq;
}

static void
on_rows_end(const struct msg_refuse *why, void *arg)
{
	struct relay_note *note = arg;

	note->question = NULL;
	if (why != NULL)
		finish(note, why->text);
	else if (note->seq > 0)
		finish(note, STR_NONE);
	else if (note->stream == NULL)
		finish(note, STR("libwebsockets has no libev plugin"));
	else
		open_stream(note, false);
}

struct relay_note *
relay_note_start(const struct sync_env *env, relay_note_cb *cb, void *arg)
{
	static const struct subscribe_events events = {
		.on_open = on_open, .on_message = on_message, .on_end = on_end,
	};
	struct subscribe_options options = relay_stream_options(env);
	struct relay_note *note = xcalloc(1, sizeof(*note));

	*note = (struct relay_note){ .env = env, .cb = cb, .arg = arg };
	ev_init(&note->idle, on_idle);
	ev_timer_init(&note->over, on_over, 0, 0);
	note->idle.data = note->over.data = note;
	note->stream = subscribe_new(env->loop, &options, &events, note);
	cursor_row_relay_key(&note->key, str_from(env->settings->relay_url));
	note->question = rows_get(env->records, ROW_CURSOR, buf_bytes(&note->key), on_row,
	    on_rows_end, note);
	return note;
}

void
relay_note_cancel(struct relay_note **note)
{
	if (*note == NULL)
		return;
	clear(*note);
	*note = NULL;
}

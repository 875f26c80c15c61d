#include "workers/row_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/err.h"
#include "common/mem.h"
#include "workers/rows_link.h"

#define PERIOD_SECS	2.0
#define NOTES_MAX	500	/* then at once */

struct note {
	STAILQ_ENTRY(note) link;
	enum row_table table;		/* of a row */
	bool is_checked;		/* no row, but a mark of the repository `key` */
	int64_t at_ms;
	size_t key_len, value_len;
	uint8_t bytes[];		/* key, value */
};

STAILQ_HEAD(note_list, note);

struct row_writer {
	/* borrowed */
	struct ev_loop *loop;
	struct records_link *link;
	/* owned */
	struct note_list notes;		/* not sent yet */
	size_t count;
	struct rows_batch *batch;	/* under way; NULL: none */
	size_t batch_left;		/* notes that belong to it and are to be sent */
	bool is_committed;

	row_writer_cb *cb;		/* of a flush; NULL: none is asked for */
	void *arg;
	char error[ERR_TEXT_SIZE];
	struct ev_timer timer;
};

static struct note *
add_note(struct row_writer *writer, struct bytes key, struct bytes value)
{
	struct note *note = xmalloc(sizeof(*note) + key.len + value.len);

	*note = (struct note){ .key_len = key.len, .value_len = value.len };
	memcpy(note->bytes, key.ptr, key.len);
	if (value.len > 0)
		memcpy(note->bytes + key.len, value.ptr, value.len);
	STAILQ_INSERT_TAIL(&writer->notes, note, link);
	if (++writer->count == NOTES_MAX) {
		ev_timer_stop(writer->loop, &writer->timer);
		ev_timer_set(&writer->timer, 0., PERIOD_SECS);
	}
	if (!ev_is_active(&writer->timer))
		ev_timer_start(writer->loop, &writer->timer);
	return note;
}

void
row_writer_put(struct row_writer *writer, enum row_table table, struct bytes key,
    struct bytes value)
{
	add_note(writer, key, value)->table = table;
}

void
row_writer_checked(struct row_writer *writer, struct str did, int64_t at_ms)
{
	struct note *note = add_note(writer, (struct bytes){ (const uint8_t *)did.ptr,
	    did.len }, BYTES_NONE);

	note->is_checked = true;
	note->at_ms = at_ms;
}

/* --- a batch --- */

static void
send_note(struct row_writer *writer, const struct note *note)
{
	struct bytes key = { note->bytes, note->key_len };
	struct bytes value = { note->bytes + note->key_len, note->value_len };

	if (note->is_checked)
		rows_checked(writer->batch, (struct str){ (const char *)key.ptr, key.len },
		    note->at_ms);
	else
		rows_put(writer->batch, note->table, key, value);
}

static void
send_batch(struct row_writer *writer)
{
	while (writer->batch_left > 0 && rows_has_room(writer->batch)) {
		struct note *note = STAILQ_FIRST(&writer->notes);

		STAILQ_REMOVE_HEAD(&writer->notes, link);
		send_note(writer, note);
		free(note);
		writer->count--;
		writer->batch_left--;
	}
	if (writer->batch_left == 0 && !writer->is_committed) {
		writer->is_committed = true;
		rows_commit(writer->batch);
	}
}

static void begin_batch(struct row_writer *writer);

static void
batch_is_over(struct row_writer *writer)
{
	row_writer_cb *cb = writer->cb;

	writer->batch = NULL;
	if (cb == NULL)
		return;
	if (writer->count > 0) {
		begin_batch(writer);
		return;
	}
	writer->cb = NULL;
	cb(writer->arg);
}

static void
on_ack(const struct msg_ack *ack BF_UNUSED, void *arg)
{
	batch_is_over(arg);
}

static void
on_refuse(struct str class, struct str text, void *arg)
{
	struct row_writer *writer = arg;

	if (writer->error[0] == '\0')
		(void)snprintf(writer->error, sizeof(writer->error), "%.*s: %.*s",
		    STR_FMT(class), STR_FMT(text));
	batch_is_over(writer);
}

static void
on_room(void *arg)
{
	struct row_writer *writer = arg;

	if (writer->batch != NULL && !writer->is_committed)
		send_batch(writer);
}

static void
begin_batch(struct row_writer *writer)
{
	static const struct rows_batch_events events = {
		.on_ack = on_ack, .on_refuse = on_refuse, .on_room = on_room,
	};

	writer->batch = rows_batch_new(writer->link, &events, writer);
	writer->batch_left = writer->count;
	writer->is_committed = false;
	send_batch(writer);
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct row_writer *writer = timer->data;

	if (writer->batch != NULL)
		return;		/* the next period then, or the flush */
	if (writer->count > 0) {
		begin_batch(writer);
		return;
	}
	ev_timer_stop(loop, timer);
	ev_timer_set(timer, PERIOD_SECS, PERIOD_SECS);
	if (writer->cb != NULL)
		batch_is_over(writer);
}

void
row_writer_flush(struct row_writer *writer, row_writer_cb *cb, void *arg)
{
	writer->cb = cb;
	writer->arg = arg;
	ev_timer_stop(writer->loop, &writer->timer);
	ev_timer_set(&writer->timer, 0., PERIOD_SECS);
	ev_timer_start(writer->loop, &writer->timer);
}

const char *
row_writer_error(const struct row_writer *writer)
{
	return writer->error;
}

/* --- life --- */

struct row_writer *
row_writer_new(struct ev_loop *loop, struct records_link *link)
{
	struct row_writer *writer = xcalloc(1, sizeof(*writer));

	writer->loop = loop;
	writer->link = link;
	STAILQ_INIT(&writer->notes);
	ev_timer_init(&writer->timer, on_timer, PERIOD_SECS, PERIOD_SECS);
	writer->timer.data = writer;
	return writer;
}

void
row_writer_free(struct row_writer **writer_at)
{
	struct row_writer *writer = *writer_at;
	struct note *note;

	if (writer == NULL)
		return;
	*writer_at = NULL;
	rows_abort(&writer->batch);
	ev_timer_stop(writer->loop, &writer->timer);
	while ((note = STAILQ_FIRST(&writer->notes)) != NULL) {
		STAILQ_REMOVE_HEAD(&writer->notes, link);
		free(note);
	}
	free(writer);
}

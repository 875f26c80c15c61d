#include "api/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"

/* One event of the ring; text is owned. */
struct event {
	char *text;
	size_t len;
	char op_id[TID_SIZE];		/* empty: for everybody */
};

/* What was last said of an operation that has not ended. */
struct known {
	LIST_ENTRY(known) entry;
	char id[TID_SIZE];
	uint64_t status, attempt, cancel_asked_ms;
	ev_tstamp said;			/* loop time of its last event */
	struct buf held;		/* owned; progress that waits, as JSON; or empty */
};

struct feed {
	struct ev_loop *loop;		/* borrowed, outlives us */
	enum op_spelling spelling;
	char epoch[TID_SIZE];
	bool has_ended;

	/* owned */
	struct event ring[LIMIT_FEED_EVENTS];
	uint64_t first, next;		/* numbers: the oldest kept, the one to come */
	size_t bytes;			/* of their texts */
	LIST_HEAD(, known) known;
	struct buf scratch;

	LIST_HEAD(, feed_reader) readers;	/* borrowed */
	size_t readers_count;

	/* watchers */
	struct ev_timer held, heartbeat;
};

/* --- readers --- */

static void
wake(struct feed_reader *reader)
{
	if (!reader->waits)
		return;
	reader->waits = false;
	reader->on_event(reader->arg);
}

/* on_event may stop the reader it is about, and no other. */
static void
wake_all(struct feed *feed, const char *op_id)
{
	struct feed_reader *reader, *next;

	for (reader = LIST_FIRST(&feed->readers); reader != NULL; reader = next) {
		next = LIST_NEXT(reader, entry);
		if (*op_id == '\0' || reader->id[0] == '\0' ||
		    str_eq(str_from(op_id), str_from(reader->id)))
			wake(reader);
	}
}

/* Where to go on behind an id that we may have given out.  -1: it is not of this
 * process, or too old. */
static int
find_place(const struct feed *feed, struct str last_id, uint64_t *next_out)
{
	struct str epoch = str_from(feed->epoch);
	uint64_t number;

	if (!str_starts_with(last_id, epoch) || last_id.len < epoch.len + 2 ||
	    last_id.ptr[epoch.len] != '-' ||
	    str_to_u64((struct str){ last_id.ptr + epoch.len + 1,
	    last_id.len - epoch.len - 1 }, &number) == -1)
		return -1;
	if (number + 1 < feed->first || number >= feed->next)
		return -1;
	*next_out = number + 1;
	return 0;
}

void
feed_reader_start(struct feed_reader *reader, struct feed *feed, struct str last_id,
    struct str id, void (*on_event)(void *arg), void *arg)
{
	*reader = (struct feed_reader){
		.feed = feed, .on_event = on_event, .arg = arg, .next = feed->next,
		.needs_hello = true,
	};
	(void)str_copy(reader->id, sizeof(reader->id), id);
	if (!str_is_empty(last_id) && find_place(feed, last_id, &reader->next) == -1)
		reader->needs_reset = true;
	LIST_INSERT_HEAD(&feed->readers, reader, entry);
	feed->readers_count++;
}

void
feed_reader_stop(struct feed_reader *reader)
{
	if (reader->feed == NULL)
		return;
	LIST_REMOVE(reader, entry);
	reader->feed->readers_count--;
	reader->feed = NULL;
}

size_t
feed_readers(const struct feed *feed)
{
	return feed->readers_count;
}

static bool
is_wanted(const struct feed_reader *reader, const struct event *event)
{
	return reader->id[0] == '\0' || event->op_id[0] == '\0' ||
	    str_eq(str_from(reader->id), str_from(event->op_id));
}

/* Lines that are the reader's own; short enough for any buffer. */
static size_t
read_own(struct feed_reader *reader, char *to, size_t size)
{
	const struct feed *feed = reader->feed;
	int len = 0;

	if (reader->needs_reset) {
		reader->next = feed->next;
		len = snprintf(to, size, "retry: 1000\nid: %s-%llu\nevent: reset\ndata: {}\n\n",
		    feed->epoch, (unsigned long long)(feed->next - 1));
	} else if (reader->needs_hello) {
		len = snprintf(to, size, "retry: 1000\n: hello\n\n");
	} else if (reader->needs_heartbeat) {
		len = snprintf(to, size, ":\n\n");
	}
	reader->needs_hello = reader->needs_reset = reader->needs_heartbeat = false;
	return (size_t)len;
}

ssize_t
feed_read(struct feed_reader *reader, char *to, size_t size)
{
	struct feed *feed = reader->feed;
	size_t n = 0;

	/* Overtaken: in the middle of an event nothing else could be said. */
	if (reader->next < feed->first) {
		if (reader->offset > 0)
			return -1;
		reader->needs_reset = true;
	}
	if (reader->offset == 0 && (n = read_own(reader, to, size)) > 0)
		return (ssize_t)n;
	while (n < size && reader->next < feed->next) {
		const struct event *event = &feed->ring[reader->next % LIMIT_FEED_EVENTS];
		size_t part = event->len - reader->offset;

		if (part > size - n)
			part = size - n;
		if (is_wanted(reader, event)) {
			memcpy(to + n, event->text + reader->offset, part);
			n += part;
			reader->offset += part;
			if (reader->offset < event->len)
				break;
		}
		reader->next++;
		reader->offset = 0;
	}
	if (n == 0 && feed->has_ended)
		return -1;
	reader->waits = n == 0;
	return (ssize_t)n;
}

/* --- the ring --- */

static void
drop_first(struct feed *feed)
{
	struct event *event = &feed->ring[feed->first % LIMIT_FEED_EVENTS];

	feed->bytes -= event->len;
	free(event->text);
	*event = (struct event){ 0 };
	feed->first++;
}

static void
publish(struct feed *feed, const char *what, struct str op_id, struct str data)
{
	struct event *event;

	buf_reset(&feed->scratch);
	buf_printf(&feed->scratch, "id: %s-%llu\nevent: %s\ndata: ", feed->epoch,
	    (unsigned long long)feed->next, what);
	buf_add_str(&feed->scratch, data);
	buf_add_str(&feed->scratch, STR("\n\n"));

	while (feed->first < feed->next && (feed->next - feed->first == LIMIT_FEED_EVENTS ||
	    feed->bytes + buf_len(&feed->scratch) > LIMIT_FEED_BYTES))
		drop_first(feed);
	event = &feed->ring[feed->next % LIMIT_FEED_EVENTS];
	event->len = buf_len(&feed->scratch);
	event->text = xmemdup(buf_data(&feed->scratch), event->len);
	(void)str_copy(event->op_id, sizeof(event->op_id), op_id);
	feed->bytes += event->len;
	feed->next++;
	wake_all(feed, event->op_id);
}

void
feed_reset(struct feed *feed)
{
	publish(feed, "reset", STR_NONE, STR("{}"));
}

/* --- operations --- */

static struct known *
find_known(struct feed *feed, struct str id)
{
	struct known *known;

	LIST_FOREACH(known, &feed->known, entry)
		if (str_eq(str_from(known->id), id))
			return known;
	return NULL;
}

static void
forget(struct known *known)
{
	LIST_REMOVE(known, entry);
	buf_clear(&known->held);
	free(known);
}

static struct known *
remember(struct feed *feed, const struct op *op)
{
	struct known *known = xcalloc(1, sizeof(*known));

	(void)str_copy(known->id, sizeof(known->id), op->id);
	LIST_INSERT_HEAD(&feed->known, known, entry);
	return known;
}

static bool
is_transition(const struct known *known, const struct op *op)
{
	return known->status != op->status || known->attempt != op->attempt ||
	    known->cancel_asked_ms != op->cancel_asked_ms;
}

static void
start_held(struct feed *feed)
{
	if (ev_is_active(&feed->held))
		return;
	ev_timer_set(&feed->held, FEED_PROGRESS_MS / 1000., 0.);
	ev_timer_start(feed->loop, &feed->held);
}

static void
say_progress(struct feed *feed, struct known *known)
{
	publish(feed, "progress", str_from(known->id), buf_str(&known->held));
	buf_clear(&known->held);
	known->said = clock_mono_secs();
}

static bool
is_due(const struct known *known)
{
	return clock_mono_secs() - known->said >= FEED_PROGRESS_MS / 1000.;
}

static void
on_held(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct feed *feed = watcher->data;
	struct known *known;
	bool has_more = false;

	LIST_FOREACH(known, &feed->known, entry) {
		if (buf_len(&known->held) == 0)
			continue;
		if (is_due(known))
			say_progress(feed, known);
		else
			has_more = true;
	}
	if (has_more)
		start_held(feed);
}

static void
take_progress(struct feed *feed, struct known *known, const struct op *op)
{
	struct json json;

	buf_reset(&known->held);
	json = json_to(&known->held);
	op_json(&json, op, feed->spelling);
	if (is_due(known))
		say_progress(feed, known);
	else
		start_held(feed);
}

static void
take_transition(struct feed *feed, struct known *known, const struct op *op)
{
	struct buf data = BUF_INIT;
	struct json json = json_to(&data);

	known->status = op->status;
	known->attempt = op->attempt;
	known->cancel_asked_ms = op->cancel_asked_ms;
	known->said = clock_mono_secs();
	buf_clear(&known->held);	/* older than this */
	op_json(&json, op, feed->spelling);
	publish(feed, "operation", op->id, buf_str(&data));
	buf_clear(&data);
}

/*
 * Only running operations are kept in mind: one that waits in the queue, however
 * many there are, changes by transitions alone.
 */
void
feed_op(struct feed *feed, const struct op *op)
{
	struct known *known = find_known(feed, op->id), fresh = { .held = BUF_INIT };

	if (op_status(op) == OP_RUNNING) {
		if (known == NULL)
			known = remember(feed, op);
		if (is_transition(known, op))
			take_transition(feed, known, op);
		else
			take_progress(feed, known, op);
		return;
	}
	if (known != NULL)
		forget(known);
	take_transition(feed, &fresh, op);
}

/* --- life --- */

static void
on_heartbeat(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct feed *feed = watcher->data;
	struct feed_reader *reader;

	LIST_FOREACH(reader, &feed->readers, entry)
		reader->needs_heartbeat = true;
	wake_all(feed, "");
}

struct feed *
feed_new(struct ev_loop *loop, enum op_spelling spelling)
{
	struct feed *feed = xcalloc(1, sizeof(*feed));

	feed->loop = loop;
	feed->spelling = spelling;
	feed->first = feed->next = 1;
	tid_format(tid_next(0, clock_wall_us(), 0), feed->epoch);
	LIST_INIT(&feed->known);
	LIST_INIT(&feed->readers);
	ev_timer_init(&feed->held, on_held, 0., 0.);
	ev_timer_init(&feed->heartbeat, on_heartbeat, FEED_HEARTBEAT_SECS,
	    FEED_HEARTBEAT_SECS);
	feed->held.data = feed->heartbeat.data = feed;
	ev_timer_start(loop, &feed->heartbeat);
	return feed;
}

void
feed_end(struct feed *feed)
{
	feed->has_ended = true;
	wake_all(feed, "");
}

void
feed_free(struct feed **feed_ptr)
{
	struct feed *feed = *feed_ptr;

	if (feed == NULL)
		return;
	while (feed->first < feed->next)
		drop_first(feed);
	while (!LIST_EMPTY(&feed->known))
		forget(LIST_FIRST(&feed->known));
	buf_clear(&feed->scratch);
	ev_timer_stop(feed->loop, &feed->held);
	ev_timer_stop(feed->loop, &feed->heartbeat);
	free(feed);
	*feed_ptr = NULL;
}

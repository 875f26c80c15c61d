#include "workers/relay.h"

#include <ev.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "fetch/polite.h"
#include "workers/relay_stream.h"
#include "workers/sync_env.h"

#define RECENT_EVENTS	16		/* in a row, until now is believed to be reached */
#define RETRY_MS	1000
#define RETRY_MAX_MS	(60 * 1000)
#define NOTE_SIZE	512

struct relay {
	/* borrowed, outlive us */
	const struct sync_env *env;
	const char *origin;
	const struct relay_events *events;
	void *arg;
	int64_t until_ms;
	/* owned */
	struct subscribe *stream;

	struct replay_position at;	/* of the last event handed over */
	bool is_first;			/* no event has come on this connection */
	bool has_heard;			/* one has, on any */
	bool has_probed, is_anew, is_open, is_paused, is_over;
	unsigned failures;		/* in a row, without an event between them */
	int64_t limited_since_ms;	/* monotonic; 0: it does not say 429 now */
	struct relay_stats stats;
	/* watchers */
	struct ev_timer idle, again;
};

static void
note(struct relay *relay, const char *fmt, ...) BF_PRINTF(2, 3);

static void
note(struct relay *relay, const char *fmt, ...)
{
	char text[NOTE_SIZE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	relay->events->on_note(text, relay->arg);
}

static void
set_idle(struct relay *relay)
{
	if (relay->is_paused)
		return;
	relay->idle.repeat = (ev_tstamp)relay->env->settings->relay_idle_ms / 1000;
	ev_timer_again(relay->env->loop, &relay->idle);
}

static void
stop(struct relay *relay)
{
	ev_timer_stop(relay->env->loop, &relay->idle);
	ev_timer_stop(relay->env->loop, &relay->again);
	subscribe_close(relay->stream);
	relay->is_open = relay->is_paused = false;
}

static void
connect(struct relay *relay, uint64_t cursor)
{
	struct buf url = BUF_INIT;
	char query[48];

	relay->is_first = true;
	relay->stats.connections++;
	(void)snprintf(query, sizeof(query), "?cursor=%" PRIu64, cursor);
	relay_stream_url(&url, relay->origin, query);
	subscribe_open(relay->stream, (const char *)buf_data(&url));
	buf_clear(&url);
}

static void
connect_in(struct relay *relay, int64_t ms)
{
	stop(relay);
	ev_timer_set(&relay->again, (ev_tstamp)ms / 1000, 0);
	ev_timer_start(relay->env->loop, &relay->again);
}

static void
on_again(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct relay *relay = timer->data;

	/* To ask for the last event again shows whether the server knows it. */
	if (relay->has_probed && !relay->has_heard && !relay->is_anew)
		connect(relay, relay->at.seq - 1);
	else
		connect(relay, relay->at.seq);
}

static void
end(struct relay *relay)
{
	stop(relay);
	relay->is_over = true;
}

static void
fail(struct relay *relay, const char *class, const char *text)
{
	end(relay);
	relay->events->on_failed(class, text, relay->arg);
}

/* The numbers that we have are none of this server's, not any more. */
static void
begin_anew(struct relay *relay, const char *why)
{
	if (relay->is_anew) {
		fail(relay, "invalid", why);
		return;
	}
	relay->events->on_loss(why, relay->arg);
	relay->is_anew = true;
	relay->at.seq = 0;
	relay->at.time_ms = 0;
	connect_in(relay, 0);
}

/* --- what comes --- */

/* Nobody's clock but ours says what is in the future. */
static int64_t
believable_time_ms(const struct firehose_event *event)
{
	int64_t now_ms = clock_wall_ms();

	return event->time_ms < now_ms ? event->time_ms : now_ms;
}

/* False if this is another numbering, and the stream begins anew. */
static bool
look_at_first(struct relay *relay, const struct firehose_event *event)
{
	relay->is_first = false;
	if (!replay_is_loss(&relay->at, event->seq, event->time_ms))
		return true;
	if (event->seq <= relay->at.seq) {
		begin_anew(relay, "the relay numbers its events in another way");
		return false;
	}
	relay->events->on_loss("the relay no longer has the events behind the saved "
	    "position", relay->arg);
	return true;
}

static void
take_event(struct relay *relay, const struct firehose_event *event, struct bytes frame)
{
	if (relay->is_first && !look_at_first(relay, event))
		return;
	relay->has_heard = true;
	relay->failures = 0;
	relay->limited_since_ms = 0;
	if (event->seq <= relay->at.seq) {
		relay->stats.repeated++;
		return;
	}
	relay->at.seq = event->seq;
	relay->at.time_ms = believable_time_ms(event);
	relay->at.events++;
	relay->at.recent = relay->at.time_ms >= relay->until_ms ? relay->at.recent + 1 : 0;
	relay->events->on_event(event, frame, &relay->at, relay->arg);
	if (relay->at.recent >= RECENT_EVENTS && !relay->is_over) {
		end(relay);
		relay->events->on_caught_up(relay->arg);
	}
}

static void
retry(struct relay *relay, const struct fetch_error *error)
{
	int64_t wait_ms = polite_backoff_ms(RETRY_MS, relay->failures, RETRY_MAX_MS,
	    (double)arc4random() / 4294967296.);

	if (++relay->failures > relay->env->settings->fetch_retries) {
		fail(relay, fetch_class_word(error->class), error->text);
		return;
	}
	note(relay, "the stream ended (%s); opening it again",
	    error->text[0] != '\0' ? error->text : fetch_class_word(error->class));
	connect_in(relay, wait_ms);
}

/* The last frame of a stream. */
static void
take_error(struct relay *relay, const struct firehose_event *event)
{
	struct fetch_error error;

	if (str_eq(event->name, STR("FutureCursor"))) {
		begin_anew(relay, "the saved position is in the relay's future");
		return;
	}
	fetch_error_set(&error, FETCH_SERVER_ERROR, "%.*s %.*s", STR_FMT(event->name),
	    STR_FMT(event->message));
	retry(relay, &error);
}

static void
on_message(struct bytes frame, void *arg)
{
	struct relay *relay = arg;
	char text[FAULT_TEXT_SIZE];
	struct firehose_event event;
	struct fault fault;

	set_idle(relay);
	if (firehose_read(frame, &event, &fault) == -1) {
		fault_format(&fault, text);
		relay->stats.unreadable++;
		relay->events->on_loss(text, relay->arg);
	} else if (event.type == FIREHOSE_ERROR) {
		take_error(relay, &event);
	} else if (event.type == FIREHOSE_INFO) {
		note(relay, "the relay says %.*s %.*s", STR_FMT(event.name),
		    STR_FMT(event.message));
		if (str_eq(event.name, STR("OutdatedCursor")))
			relay->events->on_loss("the saved position is older than what the "
			    "relay keeps", relay->arg);
	} else if (event.seq > 0) {
		take_event(relay, &event, frame);
	}
}

static void
on_open(void *arg)
{
	struct relay *relay = arg;

	relay->is_open = true;
	set_idle(relay);
}

/* A 429 is no failure, however often, but patience has an end. */
static void
wait_for_limit(struct relay *relay, const struct fetch_error *error)
{
	int64_t now_ms = clock_mono_ms();

	if (relay->env->answers_429 != NULL)
		++*relay->env->answers_429;
	if (relay->limited_since_ms == 0)
		relay->limited_since_ms = now_ms;
	if (now_ms - relay->limited_since_ms >
	    (int64_t)relay->env->settings->rate_limit_patience_ms)
		fail(relay, fetch_class_word(error->class), error->text);
	else
		connect_in(relay, relay->env->rate_limit_wait_ms);
}

static void
on_end(const struct fetch_error *error, void *arg)
{
	struct relay *relay = arg;
	struct fetch_error closed;

	switch (error->class) {
	case FETCH_OK:
		/* Properly; but if it does so each time, that is what is wrong. */
		fetch_error_set(&closed, FETCH_UNREACHABLE, "%s: the stream was closed",
		    relay->origin);
		retry(relay, &closed);
		break;
	case FETCH_RATE_LIMITED:
		wait_for_limit(relay, error);
		break;
	case FETCH_BLOCKED:
	case FETCH_REFUSED:
	case FETCH_TLS:
		fail(relay, fetch_class_word(error->class), error->text);
		break;
	case FETCH_TOO_LARGE:
		/* It would come again: go on behind it. */
		relay->at.seq++;
		relay->events->on_loss(error->text, relay->arg);
		/* FALLTHROUGH */
	default:
		retry(relay, error);
	}
}

/* Nothing comes: is that all there is, or does the server wait for our number? */
static void
on_idle(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct relay *relay = timer->data;

	if (relay->has_heard || relay->at.seq == 0) {
		end(relay);
		relay->events->on_caught_up(relay->arg);
	} else if (!relay->has_probed) {
		relay->has_probed = true;
		connect_in(relay, 0);
	} else {
		begin_anew(relay, "the relay does not know the saved position");
	}
}

/* --- the object --- */

struct relay *
relay_new(const struct sync_env *env, const char *origin,
    const struct replay_position *from, int64_t until_ms,
    const struct relay_events *events, void *arg)
{
	static const struct subscribe_events stream_events = {
		.on_open = on_open, .on_message = on_message, .on_end = on_end,
	};
	struct subscribe_options options = relay_stream_options(env);
	struct relay *relay = xcalloc(1, sizeof(*relay));

	*relay = (struct relay){ .env = env, .origin = origin, .events = events,
	    .arg = arg, .until_ms = until_ms, .at = *from };
	ev_init(&relay->idle, on_idle);
	ev_init(&relay->again, on_again);
	relay->idle.data = relay->again.data = relay;
	relay->stream = subscribe_new(env->loop, &options, &stream_events, relay);
	if (relay->stream == NULL) {
		free(relay);
		return NULL;
	}
	connect_in(relay, 0);
	return relay;
}

void
relay_free(struct relay **relay)
{
	if (*relay == NULL)
		return;
	stop(*relay);
	subscribe_free(&(*relay)->stream);
	free(*relay);
	*relay = NULL;
}

void
relay_pause(struct relay *relay)
{
	if (!relay->is_open)
		return;
	relay->is_paused = true;
	ev_timer_stop(relay->env->loop, &relay->idle);
	subscribe_pause(relay->stream);
}

void
relay_resume(struct relay *relay)
{
	if (!relay->is_open)
		return;
	relay->is_paused = false;
	set_idle(relay);
	subscribe_resume(relay->stream);
}

struct relay_stats
relay_stats(const struct relay *relay)
{
	struct relay_stats stats = relay->stats;

	stats.bytes = subscribe_received_bytes(relay->stream);
	return stats;
}

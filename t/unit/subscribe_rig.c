#include "t/unit/subscribe_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

#define PATIENCE_S	60.	/* a busy machine is slow */

static void
on_open(void *arg)
{
	struct rig *rig = arg;

	rig->opens++;
}

static void
on_message(struct bytes message, void *arg)
{
	struct rig *rig = arg;

	rig->messages++;
	rig->bytes += message.len;
	buf_reset(&rig->last);
	buf_add(&rig->last, message.ptr, message.len);
	if (rig->messages == rig->pause_after) {
		subscribe_pause(rig->sub);
		ev_timer_set(&rig->resume, .2, 0);
		ev_timer_start(rig->loop, &rig->resume);
	}
	if (rig->messages == rig->close_after)
		subscribe_close(rig->sub);
	if (rig->messages == rig->close_after || rig->messages == rig->stop_after)
		ev_break(rig->loop, EVBREAK_ALL);
}

static void
on_end(const struct fetch_error *error, void *arg)
{
	struct rig *rig = arg;

	rig->ends++;
	rig->class = error->class;
	(void)snprintf(rig->text, sizeof(rig->text), "%s", error->text);
	ev_break(rig->loop, EVBREAK_ALL);
}

static const struct subscribe_events events = {
	.on_open = on_open, .on_message = on_message, .on_end = on_end,
};

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer BF_UNUSED,
    int revents BF_UNUSED)
{
	fail_msg("nothing happened in time");
}

static void
on_resume(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct rig *rig = timer->data;

	rig->sent_when_paused = rig->server.sent;
	subscribe_resume(rig->sub);
}

int
subscribe_set_up(void **state)
{
	struct rig *rig = xcalloc(1, sizeof(*rig));

	rig->loop = ev_loop_new(EVFLAG_AUTO);
	ws_server_init(&rig->server, rig->loop);
	ev_timer_init(&rig->deadline, on_deadline, PATIENCE_S, 0);
	ev_timer_start(rig->loop, &rig->deadline);
	ev_init(&rig->resume, on_resume);
	rig->resume.data = rig;
	rig->options = (struct subscribe_options){
		.user_agent = "test/1", .is_trusted = true, .connect_ms = 30000,
		.silence_ms = 30000, .message_bytes = MESSAGE_BYTES,
	};
	*state = rig;
	return 0;
}

int
subscribe_tear_down(void **state)
{
	struct rig *rig = *state;

	subscribe_free(&rig->sub);
	ws_server_clear(&rig->server);
	ev_timer_stop(rig->loop, &rig->deadline);
	ev_timer_stop(rig->loop, &rig->resume);
	ev_loop_destroy(rig->loop);
	buf_clear(&rig->last);
	free(rig);
	return 0;
}

void
run_at(struct rig *rig, const char *scheme, const char *host)
{
	char url[128];

	if (rig->sub == NULL)
		rig->sub = subscribe_new(rig->loop, &rig->options, &events, rig);
	assert_non_null(rig->sub);
	(void)snprintf(url, sizeof(url), "%s://%s:%u/xrpc/a.b.c?cursor=7", scheme, host,
	    rig->port != 0 ? rig->port : rig->server.port);
	subscribe_open(rig->sub, url);
	ev_run(rig->loop, 0);
}

void
run(struct rig *rig)
{
	run_at(rig, "http", "127.0.0.1");
}

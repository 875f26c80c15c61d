#include "supervisor/heartbeat.h"

#include "common/clock.h"
#include "common/log.h"

static void
ask(struct child *child, uint64_t timeout_ms, int64_t now_ms)
{
	struct msg msg = { .type = MSG_TYPE_PING };

	if (child->state != CHILD_RUNNING || child->channel == NULL ||
	    !child->answers_pings)
		return;
	if (!pulse_is_lost(&child->beat, timeout_ms, now_ms)) {
		msg.ping.number = (uint64_t)now_ms;
		channel_send(child->channel, &msg);
		return;
	}
	log_warn("op %s worker %d: has not answered for %lld ms, stopping it", child->id,
	    child->pid, (long long)(now_ms - child->beat.heard_mono_ms));
	child_stop(child, STOP_HUNG);
}

static void
on_beat(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;
	int64_t now_ms = clock_mono_ms();
	struct child *child;

	LIST_FOREACH(child, &sup->children->list, entry)
		ask(child, sup->settings.worker_timeout_ms, now_ms);
}

void
heartbeat_reload(struct supervisor *sup)
{
	sup->heartbeat.repeat = (double)sup->settings.worker_timeout_ms / 1000 / PULSE_ASKS;
	ev_timer_again(sup->loop, &sup->heartbeat);	/* stops it, if that is 0 */
}

void
heartbeat_init(struct supervisor *sup)
{
	ev_timer_init(&sup->heartbeat, on_beat, 0., 0.);
	sup->heartbeat.data = sup;
	heartbeat_reload(sup);
}

void
heartbeat_heard(struct child *child)
{
	if (!child->answers_pings)
		pulse_start(&child->beat, clock_mono_ms());
	child->answers_pings = true;
	child->beat.heard_mono_ms = clock_mono_ms();
}

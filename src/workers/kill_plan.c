#include "workers/kill_plan.h"

#ifdef BF_SANITIZED
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/attr.h"
#include "common/log.h"
#include "proto/channel.h"

/* splitmix64: the same for the same seed and attempt, and unlike for others. */
static uint64_t
draw(uint64_t seed, uint64_t attempt)
{
	uint64_t z = seed + attempt * 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint64_t
due_turn(uint64_t seed, uint64_t attempt, uint64_t kills, uint64_t turns)
{
	if (seed == 0)
		return attempt * turns / kills;
	return 1 + draw(seed, attempt) % (attempt % 4 == 0 ? turns : turns / 5);
}

static void
on_turn(struct ev_loop *loop BF_UNUSED, struct ev_prepare *watcher, int revents BF_UNUSED)
{
	struct kill_plan *plan = watcher->data;

	if (!plan->has_checkpoint || channel_queued_bytes(plan->control) > 0)
		return;
	if (++plan->turns == plan->due)
		(void)raise(SIGKILL);	/* kill(2) is forbidden to workers */
}

void
kill_plan_start(struct kill_plan *plan, struct ev_loop *loop, struct channel *control,
    const struct worker_assignment *given)
{
	const char *wanted = getenv("BF_KILL_PLAN");
	uint64_t attempt = given->attempt, seed, kills, turns;

	*plan = (struct kill_plan){
		.control = control, .given = given, .has_checkpoint = attempt > 1,
	};
	if (wanted == NULL || sscanf(wanted, "%" SCNu64 ":%" SCNu64 ":%" SCNu64, &seed,
	    &kills, &turns) != 3)
		return;
	if (attempt <= kills && turns >= 5)
		plan->due = due_turn(seed, attempt, kills, turns);
	ev_prepare_init(&plan->turn, on_turn);
	plan->turn.data = plan;
	ev_prepare_start(loop, &plan->turn);
}

void
kill_plan_checkpoint(struct kill_plan *plan)
{
	plan->has_checkpoint = true;
}

void
kill_plan_stop(struct kill_plan *plan, struct ev_loop *loop)
{
	if (!ev_is_active(&plan->turn))
		return;
	ev_prepare_stop(loop, &plan->turn);
	log_debug("op %.*s: %" PRIu64 " turns", STR_FMT(plan->given->id), plan->turns);
}
#endif

#include "supervisor/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/on_client.h"
#include "supervisor/opctl.h"

#define RETRY_MS	60000	/* when nothing can be written */
#define LOOK_MS		10000	/* the wall clock may be set meanwhile */
#define LEAST_MS	10

void
schedules_clear(struct schedules *schedules)
{
	for (size_t i = 0; i < schedules->count; i++) {
		struct schedule *schedule = &schedules->list[i];

		free(schedule->name);
		free(schedule->type);
		free(schedule->did);
		free(schedule->pds_url);
		free(schedule->uri);
		free(schedule->tier);
	}
	free(schedules->list);
	*schedules = (struct schedules){ 0 };
}

/* --- the store --- */

static int
put(struct supervisor *sup, const struct schedule *schedule, struct err *err)
{
	struct ops_schedule row = {
		.rule = str_from(schedule->rule.text), .next_ms = schedule->planned_ms,
		.last_ms = schedule->last_ms, .last_id = str_from(schedule->last_id),
		.skipped_ms = schedule->skipped_ms,
	};

	return ops_put_schedule(sup->ops, str_from(schedule->name), &row, err);
}

/* Go on from what is stored; one that is new, or has got another rule, begins now. */
static void
plan(struct supervisor *sup, struct schedule *schedule)
{
	struct ops_schedule row = { 0 };
	struct ops_read *read;
	bool is_there = false;
	struct err err;
	int rc;

	if (ops_read_begin(sup->ops, &read, &err) == -1) {
		log_error("schedule %s: %s", schedule->name, err.text);
		return;
	}
	rc = ops_get_schedule(read, str_from(schedule->name), &row, &is_there, &err);
	if (rc == -1)
		log_error("schedule %s: it begins anew: %s", schedule->name, err.text);
	if (is_there && rc == 0) {
		schedule->last_ms = row.last_ms;
		schedule->skipped_ms = row.skipped_ms;
		(void)str_copy(schedule->last_id, TID_SIZE, row.last_id);
	}
	is_there = is_there && rc == 0 &&
	    str_eq(row.rule, str_from(schedule->rule.text));
	ops_read_end(&read);

	schedule->planned_ms = is_there ? row.next_ms :
	    schedule_rule_next(&schedule->rule, 0, clock_wall_ms());
	schedule->next_ms = schedule->planned_ms;
	if (!is_there && put(sup, schedule, &err) == -1)
		log_warn("schedule %s: cannot be stored: %s", schedule->name, err.text);
}

/* The clock was set back: the turn that was planned would be the only one until it is
 * there again. */
static void
plan_anew(struct supervisor *sup, struct schedule *schedule, int64_t now_ms)
{
	struct err err;

	schedule->planned_ms = schedule_rule_next(&schedule->rule, 0, now_ms);
	schedule->next_ms = schedule->planned_ms;
	log_info("schedule %s: the clock was set back; its turns are planned anew",
	    schedule->name);
	if (put(sup, schedule, &err) == -1)
		log_warn("schedule %s: cannot be stored: %s", schedule->name, err.text);
}

/* --- a turn --- */

static void
note_skip(struct supervisor *sup, struct schedule *schedule, const char *id)
{
	char text[SCHEDULE_NAME_MAX + 80];
	struct err err;

	if (strcmp(schedule->noted_id, id) == 0)
		return;
	(void)str_copy(schedule->noted_id, TID_SIZE, str_from(id));
	(void)snprintf(text, sizeof(text), "the schedule %s had its turn meanwhile and "
	    "skips until this has ended", schedule->name);
	log_info("op %s: %s", id, text);
	if (ops_note(sup->ops, str_from(id), OP_EVENT_LOG, str_from(text),
	    clock_wall_ms(), NULL, NULL, &err) == -1)
		log_warn("op %s: that cannot be noted: %s", id, err.text);
}

static int
trigger(struct supervisor *sup, const struct schedule *schedule, char id_out[TID_SIZE],
    struct opctl_error *error)
{
	char by[SCHEDULE_NAME_MAX + 16];
	struct op request = {
		.type = str_from(schedule->type), .did = str_from(schedule->did),
		.pds_url = str_from(schedule->pds_url), .uri = str_from(schedule->uri),
		.tier = str_from(schedule->tier), .batch_size = schedule->batch_size,
	};

	(void)snprintf(by, sizeof(by), "schedule %s", schedule->name);
	request.started_by = str_from(by);
	return opctl_trigger(sup, &request, id_out, error);
}

/* The operation and when the next is due reach the disk together or not at all. */
static int
take_turn(struct supervisor *sup, struct schedule *schedule, int64_t now_ms,
    struct err *err)
{
	struct opctl_error error;
	char id[TID_SIZE];

	if (ops_group_begin(sup->ops, err) == -1)
		return -1;
	if (trigger(sup, schedule, id, &error) == 0) {
		(void)str_copy(schedule->last_id, TID_SIZE, str_from(id));
		schedule->last_ms = now_ms;
	} else {
		schedule->skipped_ms = now_ms;
		if (strcmp(error.name, "BackfillInProgress") == 0)
			note_skip(sup, schedule, error.id);
		else
			log_warn("schedule %s: its turn is skipped: %s", schedule->name,
			    error.text);
	}
	schedule->planned_ms = schedule_rule_next(&schedule->rule, schedule->planned_ms,
	    now_ms);
	if (put(sup, schedule, err) == 0)
		return ops_group_commit(sup->ops, err);
	ops_group_abort(sup->ops);
	return -1;
}

static void
run_due(struct supervisor *sup, struct schedule *schedule, int64_t now_ms)
{
	struct schedule before = *schedule;
	struct err err;

	if (take_turn(sup, schedule, now_ms, &err) == 0) {
		schedule->next_ms = schedule->planned_ms;
		return;
	}
	log_warn("schedule %s: %s; trying again in %d s", schedule->name, err.text,
	    RETRY_MS / 1000);
	*schedule = before;
	schedule->next_ms = now_ms + RETRY_MS;
}

static void
arm(struct supervisor *sup)
{
	int64_t now_ms = clock_wall_ms(), wait_ms = LOOK_MS;

	ev_timer_stop(sup->loop, &sup->schedule_turn);
	if (sup->schedules->count == 0 || sup->phase != PHASE_RUNNING)
		return;
	for (size_t i = 0; i < sup->schedules->count; i++)
		if (sup->schedules->list[i].next_ms - now_ms < wait_ms)
			wait_ms = sup->schedules->list[i].next_ms - now_ms;
	if (wait_ms < LEAST_MS)
		wait_ms = LEAST_MS;
	ev_timer_set(&sup->schedule_turn, (double)wait_ms / 1000, 0.);
	ev_timer_start(sup->loop, &sup->schedule_turn);
}

static void
on_turn(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;
	int64_t now_ms = clock_wall_ms();

	for (size_t i = 0; i < sup->schedules->count && sup->phase == PHASE_RUNNING; i++) {
		struct schedule *schedule = &sup->schedules->list[i];

		if (schedule_rule_is_off(&schedule->rule, schedule->planned_ms, now_ms))
			plan_anew(sup, schedule, now_ms);
		if (schedule->next_ms <= now_ms)
			run_due(sup, schedule, now_ms);
	}
	arm(sup);
}

/* --- life --- */

void
schedule_take(struct supervisor *sup, struct schedules *schedules)
{
	schedules_clear(sup->schedules);
	*sup->schedules = *schedules;
	*schedules = (struct schedules){ 0 };
	for (size_t i = 0; i < sup->schedules->count; i++)
		plan(sup, &sup->schedules->list[i]);
	arm(sup);
}

void
schedule_init(struct supervisor *sup)
{
	ev_timer_init(&sup->schedule_turn, on_turn, 0., 0.);
	sup->schedule_turn.data = sup;
}

void
schedule_send_all(struct control_client *client, uint64_t req)
{
	const struct schedules *schedules = client->sup->schedules;

	for (size_t i = 0; i < schedules->count; i++) {
		const struct schedule *schedule = &schedules->list[i];
		struct msg msg = { .type = MSG_TYPE_SCHEDULE };

		msg.schedule = (struct msg_schedule){
			.req = req, .name = str_from(schedule->name),
			.type = str_from(schedule->type),
			.rule = str_from(schedule->rule.text),
			.next_ms = (uint64_t)schedule->next_ms,
			.last_ms = (uint64_t)schedule->last_ms,
			.last_id = str_from(schedule->last_id),
			.skipped_ms = (uint64_t)schedule->skipped_ms,
		};
		channel_send(client->channel, &msg);
	}
	client_send_end_list(client, req, STR_NONE);
}

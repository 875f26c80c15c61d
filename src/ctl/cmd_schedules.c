#include "ctl/command.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/human.h"
#include "common/json.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
	{ "NAME", false, 12 },
	{ "TYPE", false, 0 },
	{ "WHEN", false, 0 },
	{ "NEXT", false, 0 },
	{ "LAST", false, 0 },
	{ "OPERATION", false, 0 },
	{ "SKIPPED", false, 0 },
};

static void
print_json(const struct msg_schedule *schedule)
{
	struct buf line = BUF_INIT;
	struct json json = json_to(&line);

	json_object_begin(&json);
	json_member_str(&json, STR("name"), schedule->name);
	json_member_str(&json, STR("type"), schedule->type);
	json_member_str(&json, STR("rule"), schedule->rule);
	json_member_datetime(&json, STR("nextAt"), (int64_t)schedule->next_ms);
	if (schedule->last_ms != 0)
		json_member_datetime(&json, STR("lastAt"), (int64_t)schedule->last_ms);
	if (!str_is_empty(schedule->last_id))
		json_member_str(&json, STR("lastId"), schedule->last_id);
	if (schedule->skipped_ms != 0)
		json_member_datetime(&json, STR("skippedAt"), (int64_t)schedule->skipped_ms);
	json_object_end(&json);
	buf_add_byte(&line, '\n');
	term_write(&line);
	buf_clear(&line);
}

static void
add_ago(struct table *table, uint64_t at_ms, int64_t now_ms)
{
	char text[HUMAN_SIZE] = "";

	if (at_ms != 0)
		human_ago((int64_t)at_ms, now_ms, text);
	table_add(table, str_from(text));
}

static void
add_row(struct table *table, const struct msg_schedule *schedule, int64_t now_ms)
{
	char duration[HUMAN_SIZE], next[HUMAN_SIZE + 8];

	human_duration((int64_t)schedule->next_ms > now_ms ?
	    (int64_t)schedule->next_ms - now_ms : 0, duration);
	(void)snprintf(next, sizeof(next), "in %s", duration);
	table_add(table, schedule->name);
	table_add(table, schedule->type);
	table_add(table, schedule->rule);
	table_add(table, str_from(next));
	add_ago(table, schedule->last_ms, now_ms);
	table_add(table, schedule->last_id);
	add_ago(table, schedule->skipped_ms, now_ms);
}

static int
read_all(struct ctl *ctl, struct table *table, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_SCHEDULES };
	int64_t now_ms = clock_wall_ms();

	if (ctl_ask(ctl, &msg, err) == -1)
		return -1;
	for (;;) {
		if (ctl_answer(ctl, CTL_ANSWER_TIMEOUT_MS, &msg, err) == -1)
			return -1;
		if (msg.type == MSG_TYPE_END_LIST)
			return 0;
		if (msg.type != MSG_TYPE_SCHEDULE)
			return ctl_unexpected(&msg, err);
		if (ctl->is_json)
			print_json(&msg.schedule);
		else
			add_row(table, &msg.schedule, now_ms);
	}
}

static int
run(struct ctl *ctl, const struct args *args BF_UNUSED)
{
	struct table *table = table_new(columns, BF_ARRAY_LEN(columns));
	struct buf text = BUF_INIT;
	struct err err;
	int rc = read_all(ctl, table, &err);

	if (rc == 0 && !ctl->is_json && table_rows(table) == 0) {
		(void)fprintf(stderr, "No schedules: see backfilld.conf(5).\n");
	} else if (rc == 0 && !ctl->is_json) {
		table_format(table, &ctl->term, ctl->term.is_tty ? term_columns() :
		    TABLE_NO_WIDTH, &text);
		term_write(&text);
	}
	buf_clear(&text);
	table_free(&table);
	return rc == 0 ? EXIT_OK : ctl_fail(ctl, &err);
}

const struct command command_schedules = {
	.name = "schedules",
	.operands = "",
	.summary = "what runs by the clock: the next turns and the last",
	.run = run,
};

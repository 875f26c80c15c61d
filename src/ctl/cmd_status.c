#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/human.h"
#include "common/json.h"
#include "ctl/text.h"

static void
print_json(const struct msg_daemon *daemon)
{
	struct buf line = BUF_INIT;
	struct json json = json_to(&line);

	json_object_begin(&json);
	json_member_str(&json, STR("version"), daemon->version);
	json_member_u64(&json, STR("pid"), daemon->pid);
	json_member_datetime(&json, STR("startedAt"), (int64_t)daemon->started_ms);
	json_member_u64(&json, STR("queued"), daemon->queued);
	json_member_u64(&json, STR("running"), daemon->running);
	json_member_u64(&json, STR("maxWorkers"), daemon->max_workers);
	json_member_u64(&json, STR("apiPid"), daemon->api_pid);
	json_member_u64(&json, STR("indexerPid"), daemon->indexer_pid);
	json_member_str(&json, STR("httpAddress"), daemon->http_address);
	json_member_str(&json, STR("stateDir"), daemon->state_dir);
	json_object_end(&json);
	buf_add_byte(&line, '\n');
	term_write(&line);
	buf_clear(&line);
}

static void
add_child(const struct term *term, const char *name, uint64_t pid, struct buf *to)
{
	buf_printf(to, "%-11s", name);
	if (pid != 0) {
		buf_printf(to, "pid %" PRIu64 "\n", pid);
		return;
	}
	term_colour_on(term, TERM_RED, to);
	buf_add_str(to, STR("not running; the daemon is starting it again"));
	term_colour_off(term, TERM_RED, to);
	buf_add_byte(to, '\n');
}

static void
print_text(const struct ctl *ctl, const struct msg_daemon *daemon)
{
	char uptime[HUMAN_SIZE], queued[HUMAN_SIZE];
	struct buf text = BUF_INIT;

	human_duration(clock_wall_ms() - (int64_t)daemon->started_ms, uptime);
	human_count(daemon->queued, queued);
	buf_printf(&text, "%-11s%.*s, pid %" PRIu64 ", up %s\n", "backfilld",
	    STR_FMT(daemon->version), daemon->pid, uptime);
	buf_printf(&text, "%-11s%" PRIu64 " of %" PRIu64 " running, %s queued\n",
	    "operations", daemon->running, daemon->max_workers, queued);
	add_child(&ctl->term, "indexer", daemon->indexer_pid, &text);
	add_child(&ctl->term, "API", daemon->api_pid, &text);
	if (!str_is_empty(daemon->http_address))
		buf_printf(&text, "%-11shttp://%.*s\n", "address",
		    STR_FMT(daemon->http_address));
	buf_printf(&text, "%-11s", "state in");
	(void)text_add(&text, daemon->state_dir, TEXT_UNCUT, ctl->term.is_utf8);
	buf_add_byte(&text, '\n');
	term_write(&text);
	buf_clear(&text);
}

static int
run(struct ctl *ctl, const struct args *args BF_UNUSED)
{
	struct msg msg = { .type = MSG_TYPE_STATUS };
	struct err err;

	if (ctl_ask(ctl, &msg, &err) == -1 || ctl_answer_with(ctl, CTL_ANSWER_TIMEOUT_MS,
	    MSG_TYPE_DAEMON, &msg, &err) == -1)
		return ctl_fail(ctl, &err);
	if (ctl->is_json)
		print_json(&msg.daemon);
	else
		print_text(ctl, &msg.daemon);
	return EXIT_OK;
}

const struct command command_status = {
	.name = "status",
	.operands = "",
	.summary = "say how the daemon and its processes are",
	.run = run,
};

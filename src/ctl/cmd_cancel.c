#include "ctl/command.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/human.h"
#include "common/json.h"
#include "common/limits.h"
#include "ctl/text.h"

static void
print_json(const char *id, const struct msg_cancelled *answer, int64_t took_ms)
{
	struct buf line = BUF_INIT;
	struct json json = json_to(&line);

	json_object_begin(&json);
	json_member_str(&json, STR("id"), str_from(id));
	json_member_bool(&json, STR("success"), answer->success);
	json_member_str(&json, STR("status"), answer->status);
	json_member_str(&json, STR("text"), answer->text);
	json_member_u64(&json, STR("tookMs"), (uint64_t)took_ms);
	json_object_end(&json);
	buf_add_byte(&line, '\n');
	term_write(&line);
	buf_clear(&line);
}

static void
print_text(const struct ctl *ctl, const struct msg_cancelled *answer, int64_t took_ms)
{
	struct buf line = BUF_INIT;
	char took[HUMAN_SIZE];

	human_duration(took_ms, took);
	(void)text_add(&line, answer->text, TEXT_UNCUT, ctl->term.is_utf8);
	if (answer->success)
		buf_printf(&line, " (%s)", took);
	buf_add_byte(&line, '\n');
	term_write(&line);
	buf_clear(&line);
}

static int
run(struct ctl *ctl, const struct args *args)
{
	const char *id = args->operands[0];
	struct msg msg = { .type = MSG_TYPE_CANCEL };
	int64_t asked_ms = clock_mono_ms(), took_ms;
	struct err err;

	msg.cancel = (struct msg_cancel){
		.id = str_from(id), .reason = str_from(args_value(args, "reason")),
	};
	if (msg.cancel.reason.len > LIMIT_OP_TEXT_BYTES)
		return ctl_usage(ctl, "--reason is longer than %d bytes",
		    LIMIT_OP_TEXT_BYTES);
	/* No deadline: the daemon answers once the process is gone, and bounds that. */
	if (ctl_ask(ctl, &msg, &err) == -1 ||
	    ctl_answer_with(ctl, -1, MSG_TYPE_CANCELLED, &msg, &err) == -1)
		return ctl_fail(ctl, &err);
	took_ms = clock_mono_ms() - asked_ms;
	if (ctl->is_json)
		print_json(id, &msg.cancelled, took_ms);
	else
		print_text(ctl, &msg.cancelled, took_ms);
	return msg.cancelled.success ? EXIT_OK : EXIT_FAILED;
}

static const struct args_option options[] = {
	{ "reason", 0, "TEXT", "kept with the operation, for those who wonder later" },
	{ 0 },
};

const struct command command_cancel = {
	.name = "cancel",
	.operands = "ID",
	.summary = "stop an operation and say what happened",
	.details =
	    "Answers when the operation's process is gone: it is asked to stop, and\n"
	    "killed after the grace period (cancel_grace_ms).  The exit status is 0 if\n"
	    "it is cancelled, 1 if it had ended in another way before.\n",
	.options = options,
	.operands_least = 1,
	.operands_most = 1,
	.run = run,
};

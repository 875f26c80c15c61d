/*
 * cmd_pause.c - pause and resume: two commands that differ in a word.
 */
#include "ctl/command.h"

#include "op/op_progress.h"

static int
ask(struct ctl *ctl, struct msg *msg)
{
	struct buf line = BUF_INIT;
	struct err err;

	if (ctl_ask(ctl, msg, &err) == -1 || ctl_answer_with(ctl, CTL_ANSWER_TIMEOUT_MS,
	    MSG_TYPE_OP, msg, &err) == -1)
		return ctl_fail(ctl, &err);
	if (ctl->is_json) {
		ctl_print_json_op(&msg->op.op);
		return EXIT_OK;
	}
	buf_printf(&line, "the operation is %s\n", op_condition(&msg->op.op));
	term_write(&line);
	buf_clear(&line);
	return EXIT_OK;
}

static int
run_pause(struct ctl *ctl, const struct args *args)
{
	struct msg msg = { .type = MSG_TYPE_PAUSE };

	msg.pause.id = str_from(args->operands[0]);
	return ask(ctl, &msg);
}

static int
run_resume(struct ctl *ctl, const struct args *args)
{
	struct msg msg = { .type = MSG_TYPE_RESUME };

	msg.resume.id = str_from(args->operands[0]);
	return ask(ctl, &msg);
}

const struct command command_pause = {
	.name = "pause",
	.operands = "ID",
	.summary = "let an operation rest until it is resumed",
	.details =
	    "One that waits is not started.  One that runs stops between two items,\n"
	    "which may take as long as the item does, and keeps its checkpoint; its\n"
	    "place is free for others.  A restart of the daemon changes nothing.\n",
	.operands_least = 1,
	.operands_most = 1,
	.run = run_pause,
};

const struct command command_resume = {
	.name = "resume",
	.operands = "ID",
	.summary = "let a paused operation go on from its checkpoint",
	.operands_least = 1,
	.operands_most = 1,
	.run = run_resume,
};

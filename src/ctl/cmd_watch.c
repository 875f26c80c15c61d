#include "ctl/command.h"

#include <stdio.h>

#include "ctl/follow.h"
#include "ctl/heading.h"

/* The newest operation in that state, or an empty id. */
static int
find_newest(struct ctl *ctl, struct str status, char id_out[TID_SIZE], struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_LIST, .list = { .status = status, .limit = 1 } };

	id_out[0] = '\0';
	if (ctl_ask(ctl, &msg, err) == -1)
		return -1;
	for (;;) {
		if (ctl_answer(ctl, CTL_ANSWER_TIMEOUT_MS, &msg, err) == -1)
			return -1;
		if (msg.type == MSG_TYPE_END_LIST)
			return 0;
		if (msg.type != MSG_TYPE_OP)
			return ctl_unexpected(&msg, err);
		(void)str_copy(id_out, TID_SIZE, msg.op.op.id);
	}
}

static int
run(struct ctl *ctl, const struct args *args)
{
	const char *id = args->operands[0];
	char newest[TID_SIZE];
	struct err err;

	if (id == NULL) {
		if (find_newest(ctl, STR("running"), newest, &err) == -1 ||
		    (newest[0] == '\0' &&
		    find_newest(ctl, STR("queued"), newest, &err) == -1))
			return ctl_fail(ctl, &err);
		if (newest[0] == '\0') {
			(void)err_set(&err, ERR_NOT_FOUND, "nothing is running or queued; "
			    "'backfillctl list' shows what has been");
			return ctl_fail(ctl, &err);
		}
		id = newest;
	}
	if (!ctl->is_json && heading_print(ctl, str_from(id), &err) == -1)
		return ctl_fail(ctl, &err);
	return follow(ctl, str_from(id), FOLLOW_LIVE);
}

const struct command command_watch = {
	.name = "watch",
	.operands = "[ID]",
	.summary = "show an operation live until it ends; without ID the newest one",
	.details =
	    "The exit status is the outcome: 0 completed, 1 failed or cancelled.  ^C\n"
	    "ends the watching, not the operation.  Where standard output is no\n"
	    "terminal, it prints a line per change; with --json a document per change.\n",
	.operands_most = 1,
	.run = run,
};

#include "ctl/command.h"

#include "ctl/start.h"
#include "op/op_type.h"

static int
run(struct ctl *ctl, const struct args *args)
{
	struct msg msg = { .type = MSG_TYPE_TRIGGER };
	struct op op = { 0 };
	struct err err;

	if (!args_has(args, "failed"))
		return ctl_usage(ctl, "say --failed: a retry runs the items that failed; to "
		    "run all of it, trigger it again");
	op.items_of = str_from(args->operands[0]);
	if (op_params_fit(&op, &err) == -1)
		return ctl_usage(ctl, "%s", err.text);
	msg.trigger.items_of = op.items_of;
	if (start_ask(ctl, &msg, &err) == -1)
		return ctl_fail(ctl, &err);
	return start_announce(ctl, args, &msg.op.op);
}

static const struct args_option options[] = {
	{ "failed", 0, NULL, "only the items that failed in it" },
	START_OPTIONS,
	{ 0 },
};

const struct command command_retry = {
	.name = "retry",
	.operands = "ID",
	.summary = "start an operation for what failed in an earlier one",
	.details =
	    "The new operation has the type and the parameters of the operation ID,\n"
	    "which has ended, and works on the items that failed in it, as shown by\n"
	    "`backfillctl show --items`.  The first 1000 of them are known.\n",
	.options = options,
	.operands_least = 1,
	.operands_most = 1,
	.run = run,
};

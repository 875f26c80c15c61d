#include "ctl/start.h"

#include <stdio.h>

#include "ctl/follow.h"
#include "ctl/heading.h"

static void
print(const struct ctl *ctl, const struct op *op, bool is_watched)
{
	struct buf line = BUF_INIT;

	if (is_watched)
		heading_format(op, &ctl->term, &line);
	else
		buf_add_str(&line, op->id);
	buf_add_byte(&line, '\n');
	term_write(&line);
	(void)fflush(stdout);
	buf_clear(&line);
}

int
start_ask(struct ctl *ctl, struct msg *msg, struct err *err)
{
	if (ctl_ask(ctl, msg, err) == -1)
		return -1;
	return ctl_answer_with(ctl, CTL_ANSWER_TIMEOUT_MS, MSG_TYPE_OP, msg, err);
}

int
start_announce(struct ctl *ctl, const struct args *args, const struct op *op)
{
	bool is_watched = args_has(args, "watch"), is_waited = args_has(args, "wait");
	char id[TID_SIZE];

	(void)str_copy(id, sizeof(id), op->id);
	if (!ctl->is_json)
		print(ctl, op, is_watched);
	else if (!is_watched && !is_waited)
		ctl_print_json_op(op);
	if (!is_watched && !is_waited)
		return EXIT_OK;
	return follow(ctl, str_from(id), is_watched ? FOLLOW_LIVE : FOLLOW_SILENTLY);
}

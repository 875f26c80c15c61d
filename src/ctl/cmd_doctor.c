#include "ctl/command.h"

#include <stdio.h>

#include "common/json.h"
#include "ctl/text.h"

static void
print_json(const struct msg_check *check)
{
	struct buf line = BUF_INIT;
	struct json json = json_to(&line);

	json_object_begin(&json);
	json_member_str(&json, STR("check"), check->what);
	json_member_str(&json, STR("verdict"), check->verdict);
	json_member_str(&json, STR("found"), check->found);
	if (!str_is_empty(check->advice))
		json_member_str(&json, STR("advice"), check->advice);
	json_object_end(&json);
	buf_add_byte(&line, '\n');
	term_write(&line);
	buf_clear(&line);
}

static bool
is_wrong(const struct msg_check *check)
{
	return str_eq(check->verdict, STR("wrong"));
}

static void
print_text(const struct ctl *ctl, const struct msg_check *check)
{
	enum term_colour colour = is_wrong(check) ? TERM_RED : TERM_YELLOW;
	bool is_ok = str_eq(check->verdict, STR("ok"));
	bool is_utf8 = ctl->term.is_utf8;
	struct buf line = BUF_INIT;

	if (!is_ok)
		term_colour_on(&ctl->term, colour, &line);
	text_add_left(&line, check->verdict, 7, is_utf8);
	if (!is_ok)
		term_colour_off(&ctl->term, colour, &line);
	text_add_left(&line, check->what, 31, is_utf8);
	buf_add_byte(&line, ' ');
	(void)text_add(&line, check->found, TEXT_UNCUT, is_utf8);
	buf_add_byte(&line, '\n');
	if (!str_is_empty(check->advice)) {
		text_add_blanks(&line, 39);
		(void)text_add(&line, check->advice, TEXT_UNCUT, is_utf8);
		buf_add_byte(&line, '\n');
	}
	term_write(&line);
	buf_clear(&line);
}

/* Sets whether anything was wrong. */
static int
print_all(struct ctl *ctl, bool *is_wrong_out, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_DOCTOR };

	*is_wrong_out = false;
	if (ctl_ask(ctl, &msg, err) == -1)
		return -1;
	for (;;) {
		if (ctl_answer(ctl, CTL_ANSWER_TIMEOUT_MS, &msg, err) == -1)
			return -1;
		if (msg.type == MSG_TYPE_END_LIST)
			return 0;
		if (msg.type != MSG_TYPE_CHECK)
			return ctl_unexpected(&msg, err);
		*is_wrong_out |= is_wrong(&msg.check);
		if (ctl->is_json)
			print_json(&msg.check);
		else
			print_text(ctl, &msg.check);
	}
}

static int
run(struct ctl *ctl, const struct args *args BF_UNUSED)
{
	struct err err;
	bool is_any_wrong;

	if (print_all(ctl, &is_any_wrong, &err) == -1)
		return ctl_fail(ctl, &err);
	return is_any_wrong ? EXIT_FAILED : EXIT_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "look for what is wrong with the daemon and its machine",
	.details = "The exit status is 1 if anything is wrong; what is weak works, with less\n"
	    "room or protection than it could have.\n",
	.run = run,
};

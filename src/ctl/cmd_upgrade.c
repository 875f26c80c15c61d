#include "ctl/command.h"

#include <inttypes.h>

#include "common/json.h"
#include "ctl/text.h"

static void
print(const struct ctl *ctl, const struct msg_daemon *daemon)
{
	struct buf line = BUF_INIT;
	struct json json = json_to(&line);

	if (ctl->is_json) {
		json_object_begin(&json);
		json_member_str(&json, STR("version"), daemon->version);
		json_member_u64(&json, STR("pid"), daemon->pid);
		json_member_u64(&json, STR("running"), daemon->running);
		json_object_end(&json);
		buf_add_byte(&line, '\n');
	} else {
		buf_printf(&line, "version %.*s has taken over; %" PRIu64 " operations go on\n",
		    STR_FMT(daemon->version), daemon->running);
	}
	term_write(&line);
	buf_clear(&line);
}

static int
run(struct ctl *ctl, const struct args *args BF_UNUSED)
{
	struct msg msg = { .type = MSG_TYPE_UPGRADE };
	struct err err;

	if (ctl_ask(ctl, &msg, &err) == -1 || ctl_answer_with(ctl, CTL_ANSWER_TIMEOUT_MS,
	    MSG_TYPE_DAEMON, &msg, &err) == -1)
		return ctl_fail(ctl, &err);
	print(ctl, &msg.daemon);
	return EXIT_OK;
}

const struct command command_upgrade = {
	.name = "upgrade",
	.operands = "",
	.summary = "let the installed backfilld take over, while operations go on",
	.details =
	    "The daemon executes its own file again, as SIGUSR2 makes it do.  Workers,\n"
	    "services and connections stay.  If the file does not run or does not accept\n"
	    "the configuration, nothing changes.  The indexer, the API and the resolver\n"
	    "go on as they are; they are renewed at their next start.\n",
	.run = run,
};

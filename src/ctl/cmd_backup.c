#include "ctl/command.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/buf.h"

/* The daemon has another working directory. */
static void
make_absolute(const char *dir, struct buf *to)
{
	char *here;

	if (dir[0] != '/' && (here = getcwd(NULL, 0)) != NULL) {
		buf_printf(to, "%s/", here);
		free(here);
	}
	buf_add_str(to, str_from(dir));
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct msg msg = { .type = MSG_TYPE_BACKUP };
	struct buf dir = BUF_INIT;
	struct err err;
	int rc;

	make_absolute(args->operands[0], &dir);
	msg.backup.dir = buf_str(&dir);
	/* No deadline: it takes as long as the stores are large. */
	rc = ctl_ask(ctl, &msg, &err);
	if (rc == 0)
		rc = ctl_answer_with(ctl, -1, MSG_TYPE_BACKED_UP, &msg, &err);
	buf_clear(&dir);
	return rc == 0 ? EXIT_OK : ctl_fail(ctl, &err);
}

const struct command command_backup = {
	.name = "backup",
	.operands = "DIR",
	.summary = "copy the stores into a new directory, while the daemon runs",
	.details =
	    "DIR must not be there; the daemon makes it, with operations/ and records/\n"
	    "as they are now.  To restore one, stop the daemon and put the two in the\n"
	    "place of those in state_dir.\n",
	.operands_least = 1,
	.operands_most = 1,
	.run = run,
};

#include "supervisor/pause.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/utf8.h"
#include "supervisor/child.h"
#include "supervisor/queue.h"

struct wish {
	struct str by;
	int64_t now_ms;		/* 0: to go on */
};

static void
edit_wish(struct op *op, void *arg)
{
	const struct wish *wish = arg;

	op->paused_ms = (uint64_t)wish->now_ms;
	op->paused_by = wish->by;
}

/* Is it so already? */
static int
look(struct supervisor *sup, struct str id, bool wants_pause, bool *is_so_out,
    struct opctl_error *error)
{
	struct ops_read *read;
	struct err err;
	struct op op;
	int rc = 0;

	if (ops_read_begin(sup->ops, &read, &err) == -1)
		return opctl_fail_store(error, &err);
	if (ops_get(read, id, &op, &err) == -1)
		rc = opctl_fail_store(error, &err);
	else if (op_status_is_terminal(op_status(&op)))
		rc = opctl_fail(error, "InvalidRequest", "operation %.*s is %s",
		    STR_FMT(id), op_status_word(op_status(&op)));
	else
		*is_so_out = (op.paused_ms != 0) == wants_pause;
	ops_read_end(&read);
	return rc;
}

static int
change(struct supervisor *sup, struct str id, struct str by, bool wants_pause,
    struct opctl_error *error)
{
	int64_t now_ms = clock_wall_ms();
	struct wish wish = { wants_pause ? by : STR_NONE, wants_pause ? now_ms : 0 };
	char text[64], id_text[TID_SIZE];
	bool is_so = false;
	struct err err;

	if (look(sup, id, wants_pause, &is_so, error) == -1)
		return -1;
	if (is_so)
		return 0;
	(void)str_copy(id_text, sizeof(id_text), id);
	(void)snprintf(text, sizeof(text), "by %.*s", STR_FMT(utf8_cut(by, 48)));
	if (ops_note(sup->ops, id, wants_pause ? OP_EVENT_PAUSE : OP_EVENT_RESUME,
	    str_from(text), now_ms, edit_wish, &wish, &err) == -1)
		return opctl_fail_store(error, &err);
	log_info("op %s: %s %s", id_text, wants_pause ? "pause asked for" : "resumed", text);
	supervisor_op_changed(sup, id_text);
	return 0;
}

int
opctl_pause(struct supervisor *sup, struct str id, struct str by,
    struct opctl_error *error)
{
	struct child *child = child_find_op(sup->children, id);

	if (change(sup, id, by, true, error) == -1)
		return -1;
	if (child != NULL) {
		child->wants_pause = true;
		pause_tell(child);
	}
	return 0;
}

/* A worker that has been told ends all the same, and the operation goes on in
 * another one. */
int
opctl_resume(struct supervisor *sup, struct str id, struct str by,
    struct opctl_error *error)
{
	struct child *child = child_find_op(sup->children, id);

	if (change(sup, id, by, false, error) == -1)
		return -1;
	if (child != NULL)
		child->wants_pause = false;
	queue_wake(sup);
	return 0;
}

void
pause_tell(struct child *child)
{
	struct msg msg = { .type = MSG_TYPE_PAUSE };

	if (!child->wants_pause || child->told_to_pause ||
	    child->state != CHILD_RUNNING || child->channel == NULL)
		return;
	child->told_to_pause = true;
	msg.pause.id = str_from(child->id);
	channel_send(child->channel, &msg);
}

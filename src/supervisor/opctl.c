#include "supervisor/opctl.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/utf8.h"
#include "supervisor/child.h"
#include "supervisor/leftovers.h"

int
opctl_fail(struct opctl_error *error, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	error->name = name;
	error->id[0] = '\0';
	return -1;
}

int
opctl_fail_store(struct opctl_error *error, const struct err *err)
{
	if (err->code == ERR_LIMIT || err->code == ERR_INVALID)
		return opctl_fail(error, "InvalidRequest", "%s", err->text);
	if (err->code == ERR_NOT_FOUND)
		return opctl_fail(error, "OperationNotFound", "%s", err->text);
	if (err->code == ERR_DISK_FULL)
		return opctl_fail(error, "DiskFull", "the disk is full: nothing can be "
		    "recorded until there is space again (%s)", err->text);
	log_error("store: %s", err->text);
	if (err->code == ERR_UNAVAILABLE)
		return opctl_fail(error, "StoreUnavailable",
		    "the store cannot be read now; see the daemon's log");
	return opctl_fail(error, "InternalServerError",
	    "the store failed; see the daemon's log");
}

struct cancel {		/* what a cancel writes into the record */
	struct str by, reason;
	int64_t now_ms;
};

static void
edit_cancel(struct op *op, void *arg)
{
	const struct cancel *cancel = arg;

	if (op->cancel_asked_ms != 0)
		return;
	op->cancelled_by = cancel->by;
	op->cancel_reason = cancel->reason;
	op->cancel_asked_ms = (uint64_t)cancel->now_ms;
}

static void
cancel_running(struct supervisor *sup, struct child *child, struct cancel *cancel)
{
	char text[64];
	struct err err;

	if (child->end.stop_reason == STOP_CANCEL)
		return;		/* somebody asked before */
	(void)snprintf(text, sizeof(text), "by %.*s", STR_FMT(utf8_cut(cancel->by, 48)));

	/*
	 * On disk first: if we die now, the next start finishes the cancel.  But a
	 * full disk, perhaps of this worker's making, must not keep it running.
	 */
	if (ops_note(sup->ops, str_from(child->id), OP_EVENT_CANCEL_ASKED, str_from(text),
	    cancel->now_ms, edit_cancel, cancel, &err) == -1)
		log_warn("op %s: the cancel cannot be stored yet: %s", child->id, err.text);
	crashpoint(CRASHPOINT_CANCEL_STORED);
	(void)str_copy(child->cancelled_by, sizeof(child->cancelled_by),
	    utf8_cut(cancel->by, sizeof(child->cancelled_by) - 1));
	log_info("op %s %s: cancel asked for %s", child->id, child->type, text);
	child_stop(child, STOP_CANCEL);
	crashpoint(CRASHPOINT_CANCEL_SENT);
	supervisor_op_changed(sup, child->id);
}

int
opctl_cancel(struct supervisor *sup, struct str id, struct str by,
    struct str reason, enum opctl_cancel *result_out, enum op_status *status_out,
    struct opctl_error *error)
{
	struct cancel cancel = { .by = by, .reason = reason, .now_ms = clock_wall_ms() };
	struct child *child = child_find_op(sup->children, id);
	enum op_status status = OP_RUNNING;
	struct err err;
	char id_text[TID_SIZE];

	cancel.reason = utf8_cut(cancel.reason, LIMIT_OP_TEXT_BYTES);
	if (child != NULL && child->end.stop_reason != STOP_STORE) {
		cancel_running(sup, child, &cancel);
		*result_out = CANCEL_UNDER_WAY;
		*status_out = OP_RUNNING;
		return 0;
	}
	if (ops_change(sup->ops, id, OP_EVENT_CANCEL, STR("it was not running"),
	    cancel.now_ms, edit_cancel, &cancel, &status, &err) == 0) {
		(void)str_copy(id_text, sizeof(id_text), id);
		log_info("op %s: cancelled while it was queued, by %.*s", id_text, STR_FMT(by));
		leftovers_remove(sup, id_text);
		supervisor_op_settled(sup, id_text, status);
		*result_out = CANCEL_DONE;
	} else if (err.code == ERR_CONFLICT) {
		*result_out = status == OP_CANCELLED ? CANCEL_DONE : CANCEL_TOO_LATE;
	} else {
		return opctl_fail_store(error, &err);
	}
	*status_out = status;
	return 0;
}

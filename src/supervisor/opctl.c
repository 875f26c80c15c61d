#include "supervisor/opctl.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/utf8.h"
#include "op/op_type.h"
#include "supervisor/child.h"
#include "supervisor/queue.h"

static int
fail(struct opctl_error *error, const char *name, const char *text)
{
	error->name = name;
	(void)str_copy(error->text, sizeof(error->text), str_from(text));
	error->id[0] = '\0';
	return -1;
}

/* A failure of the store, in words that say what to do. */
static int
fail_store(struct opctl_error *error, const struct err *err)
{
	if (err->code == ERR_LIMIT || err->code == ERR_INVALID)
		return fail(error, "InvalidRequest", err->text);
	if (err->code == ERR_DISK_FULL)
		return fail(error, "DiskFull", "the disk is full: nothing can be recorded "
		    "until there is space again");
	log_error("store: %s", err->text);
	return fail(error, "InternalServerError", "the store failed; see the daemon's log");
}

/* --- trigger --- */

static bool
is_installed(const struct supervisor *sup, struct str name)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%.*s", sup->settings.libexec_dir,
	    STR_FMT(name));
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* An operator's own type: a worker that is not in our table.  The services live
 * in the same directory. */
static bool
is_operators_own(const struct supervisor *sup, struct str name)
{
	return op_type_is_plain_name(name) &&
	    !str_starts_with(name, STR("backfill-")) && is_installed(sup, name);
}

/* Find the type, put its kebab spelling into op, check the parameters. */
static int
check_request(struct supervisor *sup, struct op *op, struct opctl_error *error)
{
	const struct op_type *type = op_type_find(op->type);
	struct err err;
	char text[ERR_TEXT_SIZE];

	if (type != NULL)
		op->type = str_from(type->kebab);
	if (type == NULL && !is_operators_own(sup, op->type)) {
		(void)snprintf(text, sizeof(text), "Invalid backfill type: %.*s",
		    STR_FMT(utf8_cut(op->type, 100)));
		return fail(error, "InvalidBackfillType", text);
	}
	if (type != NULL && op_params_check(op, type, &err) == -1)
		return fail(error, "InvalidRequest", err.text);
	if (!is_installed(sup, op->type)) {
		(void)snprintf(text, sizeof(text), "no worker for %.*s is installed in %s",
		    STR_FMT(op->type), sup->settings.libexec_dir);
		return fail(error, "MethodNotImplemented", text);
	}
	return 0;
}

static int
check_room(struct supervisor *sup, struct opctl_error *error)
{
	uint64_t counts[OP_STATUS_COUNT + 1];
	struct ops_read *read;
	struct err err;
	char text[ERR_TEXT_SIZE];
	int rc;

	if (sup->phase != PHASE_RUNNING)
		return fail(error, "ShuttingDown", "backfilld is stopping; trigger again "
		    "once it has started");
	if (ops_read_begin(sup->ops, &read, &err) == -1)
		return fail_store(error, &err);
	rc = ops_count(read, counts, &err);
	ops_read_end(&read);
	if (rc == -1)
		return fail_store(error, &err);
	if (counts[OP_QUEUED] >= sup->settings.max_queued) {
		(void)snprintf(text, sizeof(text), "the queue is full: %llu operations wait "
		    "(setting max_queued)", (unsigned long long)counts[OP_QUEUED]);
		return fail(error, "QueueFull", text);
	}
	return 0;
}

int
opctl_trigger(struct supervisor *sup, const struct op *request,
    char id_out[TID_SIZE], struct opctl_error *error)
{
	struct op op = *request;
	uint64_t id = tid_next(sup->last_id, clock_wall_us(), sup->clock_id);
	struct err err;
	char active_id[TID_SIZE], text[ERR_TEXT_SIZE];

	if (check_request(sup, &op, error) == -1 || check_room(sup, error) == -1)
		return -1;
	tid_format(id, id_out);
	op.id = str_from(id_out);
	op.created_ms = (uint64_t)clock_wall_ms();
	if (ops_create(sup->ops, &op, active_id, &err) == -1) {
		if (err.code != ERR_EXISTS)
			return fail_store(error, &err);
		(void)snprintf(text, sizeof(text), "operation %s of type %.*s does the same "
		    "and has not ended", active_id, STR_FMT(op.type));
		(void)fail(error, "BackfillInProgress", text);
		memcpy(error->id, active_id, sizeof(error->id));
		return -1;
	}
	sup->last_id = id;
	log_info("op %s %.*s: triggered by %.*s", id_out, STR_FMT(op.type),
	    STR_FMT(op.started_by));
	queue_wake(sup);
	return 0;
}

/* --- cancel --- */

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
	(void)str_copy(child->cancelled_by, sizeof(child->cancelled_by),
	    utf8_cut(cancel->by, sizeof(child->cancelled_by) - 1));
	log_info("op %s %s: cancel asked for %s", child->id, child->type, text);
	child_stop(child, STOP_CANCEL);
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
	char text[ERR_TEXT_SIZE], id_text[TID_SIZE];

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
		supervisor_op_settled(sup, id_text, status);
		*result_out = CANCEL_DONE;
	} else if (err.code == ERR_CONFLICT) {
		*result_out = status == OP_CANCELLED ? CANCEL_DONE : CANCEL_TOO_LATE;
	} else if (err.code == ERR_NOT_FOUND) {
		(void)snprintf(text, sizeof(text), "there is no operation %.*s",
		    STR_FMT(utf8_cut(id, 64)));
		return fail(error, "OperationNotFound", text);
	} else {
		return fail_store(error, &err);
	}
	*status_out = status;
	return 0;
}

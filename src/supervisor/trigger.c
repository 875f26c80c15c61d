#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/utf8.h"
#include "op/op_type.h"
#include "supervisor/opctl.h"
#include "supervisor/queue.h"
#include "supervisor/retry.h"

static bool
is_installed(const struct supervisor *sup, struct str name)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%.*s", sup->settings.libexec_dir,
	    STR_FMT(name));
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* An operator's own type: a worker that is not in our table.  The services and the
 * helper of citation-extraction live in the same directory. */
static bool
is_operators_own(const struct supervisor *sup, struct str name)
{
	return op_type_is_plain_name(name) &&
	    !str_starts_with(name, STR("backfill")) && !str_eq(name, STR("pdf-text")) &&
	    is_installed(sup, name);
}

/* Find the type, put its kebab spelling into op, check the parameters. */
static int
check_request(struct supervisor *sup, struct op *op, struct opctl_error *error)
{
	const struct op_type *type = op_type_find(op->type);
	struct err err;

	if (type != NULL)
		op->type = str_from(type->kebab);
	if (type == NULL && !is_operators_own(sup, op->type))
		return opctl_fail(error, "InvalidBackfillType", "Invalid backfill type: %.*s",
		    STR_FMT(utf8_cut(op->type, 100)));
	if (type != NULL && op_params_check(op, type, &err) == -1)
		return opctl_fail(error, "InvalidRequest", "%s", err.text);
	if (!is_installed(sup, op->type))
		return opctl_fail(error, "MethodNotImplemented", "no worker for %.*s is "
		    "installed in %s", STR_FMT(op->type), sup->settings.libexec_dir);
	return 0;
}

static int
check_room(struct supervisor *sup, struct opctl_error *error)
{
	uint64_t counts[OP_STATUS_COUNT + 1];
	struct ops_read *read;
	struct err err;
	int rc;

	if (sup->phase != PHASE_RUNNING)
		return opctl_fail(error, "ShuttingDown", "backfilld is stopping; trigger "
		    "again once it has started");
	if (ops_read_begin(sup->ops, &read, &err) == -1)
		return opctl_fail_store(error, &err);
	rc = ops_count(read, counts, &err);
	ops_read_end(&read);
	if (rc == -1)
		return opctl_fail_store(error, &err);
	if (counts[OP_QUEUED] >= sup->settings.max_queued)
		return opctl_fail(error, "QueueFull", "the queue is full: %llu operations "
		    "wait (setting max_queued)", (unsigned long long)counts[OP_QUEUED]);
	return 0;
}

static int
create(struct supervisor *sup, struct op *op, char id_out[TID_SIZE],
    struct opctl_error *error)
{
	uint64_t id = tid_next(sup->last_id, clock_wall_us(), sup->clock_id);
	char active_id[TID_SIZE];
	struct err err;

	tid_format(id, id_out);
	op->id = str_from(id_out);
	op->created_ms = (uint64_t)clock_wall_ms();
	crashpoint(CRASHPOINT_TRIGGER_HEARD);
	if (ops_create(sup->ops, op, active_id, &err) == -1) {
		if (err.code != ERR_EXISTS)
			return opctl_fail_store(error, &err);
		(void)opctl_fail(error, "BackfillInProgress", "operation %s of type %.*s "
		    "does the same and has not ended", active_id, STR_FMT(op->type));
		memcpy(error->id, active_id, sizeof(error->id));
		return -1;
	}
	crashpoint(CRASHPOINT_TRIGGER_STORED);
	sup->last_id = id;
	log_info("op %s %.*s: triggered by %.*s", id_out, STR_FMT(op->type),
	    STR_FMT(op->started_by));
	supervisor_op_changed(sup, id_out);
	queue_wake(sup);
	return 0;
}

/* Somebody waits for one account; the rest takes its time anyway. */
static uint64_t
priority_of(const struct op *op)
{
	return str_eq(op->type, STR("did-sync")) &&
	    !str_starts_with(op->started_by, STR("schedule ")) ?
	    OP_PRIORITY_INTERACTIVE : OP_PRIORITY_BULK;
}

/* 1: the request was made before, and id_out is what came of it. */
static int
find_earlier(struct supervisor *sup, const struct op *op, char id_out[TID_SIZE],
    struct opctl_error *error)
{
	struct ops_read *read;
	struct str id;
	struct err err;
	int rc;

	if (!str_is_visible(op->idempotency_key))
		return opctl_fail(error, "InvalidRequest", "idempotencyKey: has to be of "
		    "visible characters");
	if (ops_read_begin(sup->ops, &read, &err) == -1)
		return opctl_fail_store(error, &err);
	rc = ops_find_key(read, op, &id, &err);
	if (rc == 0 && !str_is_empty(id)) {
		(void)str_copy(id_out, TID_SIZE, id);
		rc = 1;
	}
	ops_read_end(&read);
	if (rc != -1)
		return rc;
	return err.code != ERR_CONFLICT ? opctl_fail_store(error, &err) :
	    opctl_fail(error, "IdempotencyKeyReused", "%s", err.text);
}

int
opctl_trigger(struct supervisor *sup, const struct op *request,
    char id_out[TID_SIZE], struct opctl_error *error)
{
	struct op op = *request;
	struct buf texts = BUF_INIT;
	struct err err;
	int rc = 0;

	if (op_params_fit(&op, &err) == -1)
		return opctl_fail(error, "InvalidRequest", "%s", err.text);
	if (!str_is_empty(op.items_of))
		rc = retry_complete(sup, &op, &texts, error);
	if (rc == 0)
		rc = check_request(sup, &op, error);
	if (rc == 0)
		rc = find_earlier(sup, &op, id_out, error);
	if (rc == 0) {
		op.priority = priority_of(&op);
		rc = check_room(sup, error);
		if (rc == 0)
			rc = create(sup, &op, id_out, error);
	}
	buf_clear(&texts);
	return rc == -1 ? -1 : 0;
}

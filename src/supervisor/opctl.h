/*
 * opctl.h - trigger and cancel, whoever asks; pause.h has the other verbs.
 *
 * Called by on_client.c for the control socket and the API alike, and by
 * schedule.c.  Errors carry an XRPC error name, since that is what every client
 * shows.
 */
#ifndef BF_SUPERVISOR_OPCTL_H
#define BF_SUPERVISOR_OPCTL_H

#include "supervisor/supervisor.h"

struct opctl_error {
	const char *name;	/* static: "InvalidRequest", "BackfillInProgress", ... */
	char text[ERR_TEXT_SIZE];
	char id[TID_SIZE];	/* of the operation it is about, or empty */
};

/* For the files of the verbs: fill in an error; both return -1.  A failure of the
 * store becomes OperationNotFound, InvalidRequest or DiskFull, or is logged and
 * becomes StoreUnavailable or InternalServerError. */
int opctl_fail(struct opctl_error *error, const char *name, const char *fmt, ...)
    BF_PRINTF(3, 4);
int opctl_fail_store(struct opctl_error *error, const struct err *err);

/*
 * Queue an operation: `request` has type (either spelling), parameters and
 * started_by; with items_of it is a retry of an earlier one (retry.h).  On disk when
 * it returns 0; it may already be starting.  Errors: those of the store, and
 * InvalidBackfillType, MethodNotImplemented (known, but no worker is installed),
 * IdempotencyKeyReused (for another request), BackfillInProgress (with id),
 * QueueFull, ShuttingDown.
 */
int opctl_trigger(struct supervisor *sup, const struct op *request,
    char id_out[TID_SIZE], struct opctl_error *error) BF_MUSTCHECK;

enum opctl_cancel {
	CANCEL_DONE,		/* it is cancelled now */
	CANCEL_TOO_LATE,	/* it is in another terminal state */
	CANCEL_UNDER_WAY,	/* its worker is told; control_op_settled() follows */
};

/*
 * Cancel an operation.  `by` and `reason` go into the record of the first who
 * asks.  *status_out is the state it is in now.  Errors: those of the store.
 */
int opctl_cancel(struct supervisor *sup, struct str id, struct str by,
    struct str reason, enum opctl_cancel *result_out, enum op_status *status_out,
    struct opctl_error *error) BF_MUSTCHECK;

#endif

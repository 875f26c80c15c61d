/*
 * h_pause.c - pauseBackfill and resumeBackfill: {id} -> {operation}.
 */
#include "api/api.h"
#include "api/handlers.h"
#include "api/input.h"
#include "api/request.h"
#include "common/tid.h"

#define PAUSE_TIMEOUT_MS	5000

static void
on_op(struct request *request, const struct msg *msg)
{
	struct json json = reply_json(&request->reply, 200);

	json_object_begin(&json);
	json_name(&json, STR("operation"));
	op_json(&json, &msg->op.op, request->api->spelling);
	json_object_end(&json);
}

/* False if the answer is given already. */
static bool
take_id(struct request *request, struct str *id_out)
{
	struct err err;

	if (input_text(request->input, "id", id_out, &err) == -1) {
		reply_error(&request->reply, XRPC_INVALID_REQUEST, "%s", err.text);
		return false;
	}
	if (str_is_empty(*id_out)) {
		reply_error(&request->reply, XRPC_INVALID_REQUEST,
		    "Input must have the property \"id\"");
		return false;
	}
	if (!tid_is_valid(*id_out)) {
		reply_error(&request->reply, XRPC_OPERATION_NOT_FOUND,
		    "There is no operation with this id");
		return false;
	}
	return true;
}

void
h_pause(struct request *request)
{
	struct msg msg = { .type = MSG_TYPE_PAUSE };

	if (!take_id(request, &msg.pause.id))
		return;
	msg.pause.by = request->caller;
	request_ask(request, &msg, PAUSE_TIMEOUT_MS, MSG_TYPE_OP, on_op);
}

void
h_resume(struct request *request)
{
	struct msg msg = { .type = MSG_TYPE_RESUME };

	if (!take_id(request, &msg.resume.id))
		return;
	msg.resume.by = request->caller;
	request_ask(request, &msg, PAUSE_TIMEOUT_MS, MSG_TYPE_OP, on_op);
}

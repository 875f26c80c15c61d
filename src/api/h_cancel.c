/*
 * h_cancel.c - cancelBackfill: answers when the outcome is known.
 */
#include "api/api.h"
#include "api/handlers.h"
#include "api/input.h"
#include "api/request.h"
#include "common/limits.h"
#include "common/tid.h"

#define MARGIN_MS	5000	/* beyond the grace period: SIGKILL, reaping, the commit */

/* The lexicon says `id`; the reference dashboard sends `operationId`. */
static int
parse_id(const struct json_t *input, struct str *id_out, struct err *err)
{
	struct str id, other;

	if (input_text(input, "id", &id, err) == -1 ||
	    input_text(input, "operationId", &other, err) == -1)
		return -1;
	if (str_is_empty(id) && str_is_empty(other))
		return err_set(err, ERR_INVALID,
		    "Input must have the property \"id\"");
	if (!str_is_empty(id) && !str_is_empty(other) && !str_eq(id, other))
		return err_set(err, ERR_INVALID,
		    "Input/id and Input/operationId are not the same");
	*id_out = str_is_empty(id) ? other : id;
	return 0;
}

static int
parse_reason(const struct json_t *input, struct str *reason_out, struct err *err)
{
	if (input_text(input, "reason", reason_out, err) == -1)
		return -1;
	if (reason_out->len > LIMIT_OP_TEXT_BYTES)
		return err_set(err, ERR_LIMIT, "Input/reason is longer than %d bytes",
		    LIMIT_OP_TEXT_BYTES);
	return 0;
}

static void
on_cancelled(struct request *request, const struct msg *msg)
{
	const struct msg_cancelled *cancelled = &msg->cancelled;
	struct json json = reply_json(&request->reply, 200);

	json_object_begin(&json);
	json_member_bool(&json, STR("success"), cancelled->success);
	json_member_str(&json, STR("id"), str_from(request->op_id));
	json_member_str(&json, STR("status"), cancelled->status);
	json_member_str(&json, STR("message"), cancelled->text);
	json_object_end(&json);
}

void
h_cancel(struct request *request)
{
	struct msg msg = { .type = MSG_TYPE_CANCEL };
	struct str id, reason;
	struct err err;

	if (parse_id(request->input, &id, &err) == -1 ||
	    parse_reason(request->input, &reason, &err) == -1) {
		reply_error(&request->reply, XRPC_INVALID_REQUEST, "%s", err.text);
		return;
	}
	if (!tid_is_valid(id)) {
		reply_error(&request->reply, XRPC_OPERATION_NOT_FOUND,
		    "There is no operation with this id");
		return;
	}
	(void)str_copy(request->op_id, sizeof(request->op_id), id);
	msg.cancel = (struct msg_cancel){
		.id = id,
		.by = request->caller,
		.reason = reason,
	};
	request_ask(request, &msg,
	    (int64_t)request->api->settings.cancel_grace_ms + MARGIN_MS,
	    MSG_TYPE_CANCELLED, on_cancelled);
}

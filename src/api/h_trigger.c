/*
 * h_trigger.c - triggerBackfill and the triggers of one type.
 *
 * The input is checked here, to the lexicon's types and formats, and handed to
 * the supervisor, which says whether the operation may start.
 */
#include "api/api.h"
#include "api/h_trigger.h"
#include "api/handlers.h"
#include "api/input.h"
#include "api/request.h"
#include "common/limits.h"

static int
parse_params(const struct json_t *input, struct op *op, struct err *err)
{
	/* Too long comes before malformed: a DID of 60 KB is both. */
	if (input_text(input, "did", &op->did, err) == -1 ||
	    input_text(input, "pdsUrl", &op->pds_url, err) == -1 ||
	    input_text(input, "uri", &op->uri, err) == -1 ||
	    input_integer(input, "batchSize", 1, INT64_MAX, &op->batch_size, err) == -1 ||
	    input_text(input, "tier", &op->tier, err) == -1 ||
	    input_text(input, "itemsOf", &op->items_of, err) == -1 ||
	    input_text(input, "idempotencyKey", &op->idempotency_key, err) == -1 ||
	    op_params_fit(op, err) == -1)
		return -1;
	return input_did(input, "did", &op->did, err) == -1 ||
	    input_url(input, "pdsUrl", &op->pds_url, err) == -1 ||
	    input_aturi(input, "uri", &op->uri, err) == -1 ? -1 : 0;
}

/* type is NULL for one of an operator's own, which takes what it likes. */
static int
check_params(const struct op_type *type, const struct op *params, struct err *err)
{
	if (type == NULL)
		return 0;
	/* The earlier operation's parameters come along. */
	if (!str_is_empty(params->items_of))
		return 0;
	if ((type->needs & OP_PARAM_DID) != 0 && str_is_empty(params->did))
		return err_set(err, ERR_INVALID,
		    "Input must have the property \"did\"");
	return op_params_check(params, type, err);
}

static void
on_started(struct request *request, const struct msg *msg)
{
	const struct op *op = &msg->op.op;
	struct json json = reply_json(&request->reply, 200);

	json_object_begin(&json);
	if (request->route->op_type != NULL)
		json_member_str(&json, STR("operationId"), op->id);
	json_name(&json, STR("operation"));
	op_json(&json, op, request->api->spelling);
	json_object_end(&json);
}

int
trigger_parse(const struct json_t *input, struct str name, struct msg_trigger *trigger_out,
    struct err *err)
{
	const struct op_type *type = op_type_find(name);
	struct op params = { 0 };

	if (parse_params(input, &params, err) == -1 ||
	    check_params(type, &params, err) == -1)
		return -1;
	*trigger_out = (struct msg_trigger){
		.type = type != NULL ? str_from(type->kebab) : name,
		.did = params.did,
		.pds_url = params.pds_url,
		.uri = params.uri,
		.batch_size = params.batch_size,
		.tier = params.tier,
		.items_of = params.items_of,
		.idempotency_key = params.idempotency_key,
	};
	return 0;
}

static void
start(struct request *request, struct str name)
{
	struct msg msg = { .type = MSG_TYPE_TRIGGER };
	struct err err;

	if (trigger_parse(request->input, name, &msg.trigger, &err) == -1) {
		reply_error(&request->reply, XRPC_INVALID_REQUEST, "%s", err.text);
		return;
	}
	msg.trigger.started_by = request->caller;
	request_ask(request, &msg, TRIGGER_TIMEOUT_MS, MSG_TYPE_OP, on_started);
}

void
h_trigger(struct request *request)
{
	struct str name;
	struct err err;

	if (input_text(request->input, "type", &name, &err) == -1) {
		reply_error(&request->reply, XRPC_INVALID_REQUEST, "%s", err.text);
		return;
	}
	if (str_is_empty(name)) {
		reply_error(&request->reply, XRPC_INVALID_REQUEST,
		    "Input must have the property \"type\"");
		return;
	}
	if (op_type_find(name) == NULL && !op_type_is_plain_name(name)) {
		reply_error(&request->reply, XRPC_INVALID_BACKFILL_TYPE,
		    "\"%.*s\" is no type of operation", STR_FMT(name));
		return;
	}
	start(request, name);
}

void
h_trigger_type(struct request *request)
{
	start(request, str_from(request->route->op_type));
}

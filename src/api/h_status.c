/*
 * h_status.c - getBackfillStatus and getBackfillHistory, from operations/.
 */
#include "api/api.h"
#include "api/handlers.h"
#include "api/request.h"
#include "common/log.h"
#include "store/ops.h"

int
h_status_params(struct request *request, struct err *err)
{
	return op_query_parse(&request->params, &request->query, err);
}

int
h_history_params(struct request *request, struct err *err)
{
	if (op_query_parse(&request->params, &request->query, err) == -1)
		return -1;
	if (request->query.status != 0 &&
	    !op_status_is_terminal(request->query.status))
		return err_set(err, ERR_INVALID,
		    "status must be one of (completed|failed|cancelled)");
	return 0;
}

static void
reply_store_error(struct request *request, const struct err *err)
{
	log_error("operations: %s", err->text);
	reply_error(&request->reply, XRPC_STORE_UNAVAILABLE,
	    "The operations cannot be read now");
}

/* --- one --- */

static void
reply_operation(struct request *request, const struct op *op)
{
	struct json json = reply_json(&request->reply, 200);

	request->reply.is_tagged = true;
	json_object_begin(&json);
	json_name(&json, STR("operation"));
	op_json(&json, op, request->api->spelling);
	json_object_end(&json);
}

static void
show_one(struct request *request, struct ops_read *read)
{
	struct err err;
	struct op op;

	if (ops_get(read, request->query.id, &op, &err) == 0)
		reply_operation(request, &op);
	else if (err.code == ERR_NOT_FOUND)
		reply_error(&request->reply, XRPC_OPERATION_NOT_FOUND,
		    "There is no operation with this id");
	else
		reply_store_error(request, &err);
}

/* --- many --- */

struct page {
	struct json json;
	enum op_spelling spelling;
	uint64_t left;			/* to write */
	char last_id[TID_SIZE];		/* written */
	bool has_more;
};

static bool
on_operation(const struct op *op, void *arg)
{
	struct page *page = arg;

	if (page->left == 0) {
		page->has_more = true;
		return false;
	}
	op_json(&page->json, op, page->spelling);
	(void)str_copy(page->last_id, sizeof(page->last_id), op->id);
	page->left--;
	return true;
}

static void
show_list(struct request *request, struct ops_read *read, bool finished_only)
{
	const struct op_query *query = &request->query;
	struct ops_filter filter = {
		.status = query->status,
		.finished_only = finished_only && query->status == 0,
		.type = query->type,
		.before_id = query->cursor,
	};
	struct page page = {
		.json = reply_json(&request->reply, 200),
		.spelling = request->api->spelling,
		.left = query->limit,
	};
	struct err err;

	request->reply.is_tagged = true;
	json_object_begin(&page.json);
	json_name(&page.json, STR("operations"));
	json_array_begin(&page.json);
	if (ops_list(read, &filter, on_operation, &page, &err) == -1) {
		reply_store_error(request, &err);
		return;
	}
	json_array_end(&page.json);
	if (page.has_more)
		json_member_str(&page.json, STR("cursor"), str_from(page.last_id));
	json_object_end(&page.json);
}

void
h_status(struct request *request)
{
	struct ops_read *read;
	struct err err;

	if (ops_read_begin(request->api->ops, &read, &err) == -1) {
		reply_store_error(request, &err);
		return;
	}
	if (!str_is_empty(request->query.id))
		show_one(request, read);
	else
		show_list(request, read, false);
	ops_read_end(&read);
}

void
h_history(struct request *request)
{
	struct ops_read *read;
	struct err err;

	if (ops_read_begin(request->api->ops, &read, &err) == -1) {
		reply_store_error(request, &err);
		return;
	}
	show_list(request, read, true);
	ops_read_end(&read);
}

/*
 * h_forms.c - the dashboard's forms that start, pause or cancel an operation.
 *
 * They do what the XRPC methods do, and end in a page.  Where
 * starting costs much, a page asks first; app.js asks by itself.
 */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/h_forms.h"
#include "api/h_trigger.h"
#include "api/handlers.h"
#include "api/input.h"
#include "api/page.h"
#include "api/request.h"
#include "api/type_info.h"
#include "op/op_type.h"

#define CANCEL_MARGIN_MS	5000

static void
go_to_operation(struct request *request, struct str id, const char *told)
{
	char where[TID_SIZE + 32];

	(void)snprintf(where, sizeof(where), "/op/%.*s?told=%s", STR_FMT(id), told);
	reply_redirect(&request->reply, where);
}

/* --- start --- */

static void
on_started(struct request *request, const struct msg *msg)
{
	go_to_operation(request, msg->op.op.id, "started");
}

static struct str
field(struct request *request, const char *name)
{
	struct str value = STR_NONE;
	struct err err;

	(void)!params_text(&request->params, str_from(name), &value, &err);
	return value;
}

static void
hidden_field(struct buf *to, const struct param *param)
{
	html(to, "<input type=\"hidden\" name=\"");
	html_text(to, param->name);
	html(to, "\" value=\"");
	html_text(to, param->value);
	html(to, "\">");
}

/* Everything that was sent, to be sent once more. */
static void
ask_first(struct request *request, const char *cost)
{
	struct page page = page_begin(request, 200, "Start it?");
	struct buf *to = page.to;

	html(to, "<section class=\"empty lone\"><h1>Start it?</h1><p>");
	html_text(to, str_from(cost));
	html(to, "</p><form method=\"post\" action=\"/start\" class=\"actions\">");
	for (size_t i = 0; i < request->params.count; i++)
		hidden_field(to, &request->params.list[i]);
	html(to, "<input type=\"hidden\" name=\"sure\" value=\"yes\">"
	    "<a class=\"button\" href=\"/\">Go back</a>"
	    "<button class=\"primary\">Start</button></form></section>\n");
	page_end(&page);
}

static int
parse_form(struct request *request, struct msg_trigger *trigger_out, struct err *err)
{
	struct str type = field(request, "type");

	if (op_type_find(type) == NULL && !op_type_is_plain_name(type))
		return err_set(err, ERR_INVALID, "That is no type of operation.");
	if (input_from_form(&request->params, &request->input, err) == -1)
		return -1;
	return trigger_parse(request->input, type, trigger_out, err);
}

void
h_start(struct request *request)
{
	struct msg msg = { .type = MSG_TYPE_TRIGGER };
	const struct msg_trigger *trigger = &msg.trigger;
	const char *cost;
	struct err err;

	if (parse_form(request, &msg.trigger, &err) == -1) {
		/* "Input/did: ..." is for programs. */
		page_message(request, 400, "It was not started", strncmp(err.text, "Input/",
		    strlen("Input/")) == 0 ? err.text + strlen("Input/") : err.text);
		input_free(&request->input);
		return;
	}
	cost = type_info_cost(trigger);
	msg.trigger.started_by = request->caller;
	if (cost != NULL && !str_eq(field(request, "sure"), STR("yes")))
		ask_first(request, cost);
	else
		request_ask(request, &msg, TRIGGER_TIMEOUT_MS, MSG_TYPE_OP, on_started);
	input_free(&request->input);
}

/* --- pause and resume --- */

static void
on_paused(struct request *request, const struct msg *msg)
{
	go_to_operation(request, msg->op.op.id,
	    msg->op.op.paused_ms != 0 ? "paused" : "resumed");
}

void
h_pause_form(struct request *request)
{
	struct msg msg = { .type = MSG_TYPE_PAUSE };

	msg.pause = (struct msg_pause){ .id = request->path_arg, .by = request->caller };
	request_ask(request, &msg, TRIGGER_TIMEOUT_MS, MSG_TYPE_OP, on_paused);
}

void
h_resume_form(struct request *request)
{
	struct msg msg = { .type = MSG_TYPE_RESUME };

	msg.resume = (struct msg_resume){ .id = request->path_arg, .by = request->caller };
	request_ask(request, &msg, TRIGGER_TIMEOUT_MS, MSG_TYPE_OP, on_paused);
}

/* --- cancel --- */

static void
on_cancelled(struct request *request, const struct msg *msg)
{
	enum op_status status;

	if (op_status_parse(msg->cancelled.status, &status) == -1)
		status = OP_RUNNING;
	go_to_operation(request, str_from(request->op_id), op_status_word(status));
}

void
h_cancel_form(struct request *request)
{
	struct msg msg = { .type = MSG_TYPE_CANCEL };

	if (!tid_is_valid(request->path_arg)) {
		page_message(request, 404, "There is no such operation", "");
		return;
	}
	(void)str_copy(request->op_id, sizeof(request->op_id), request->path_arg);
	msg.cancel = (struct msg_cancel){
		.id = request->path_arg, .by = request->caller,
	};
	request_ask(request, &msg, (int64_t)request->api->settings.cancel_grace_ms +
	    CANCEL_MARGIN_MS, MSG_TYPE_CANCELLED, on_cancelled);
}

void
forms_error(struct request *request, unsigned status, struct str message, struct str id)
{
	char text[ERR_TEXT_SIZE];

	if (!str_is_empty(id) && tid_is_valid(id)) {
		go_to_operation(request, id, "busy");
		return;
	}
	(void)str_copy(text, sizeof(text), message);
	page_message(request, status, "That did not work", text);
}

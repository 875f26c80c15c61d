#include "api/request.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/h_forms.h"
#include "api/h_session.h"
#include "api/http.h"
#include "api/input.h"
#include "api/page.h"
#include "api/session.h"
#include "common/limits.h"
#include "common/log.h"

#define KEEP_BYTES	(4 * 1024)	/* of a buffer, for the next request */

void
request_init(struct request *request, struct api *api, struct http_conn *conn,
    struct str target)
{
	request->api = api;
	request->conn = conn;
	buf_add_str(&request->target, target);
}

void
request_reset(struct request *request)
{
	struct buf target = request->target, body = request->body, lxm = request->lxm;
	struct reply reply = request->reply;

	link_wait_stop(&request->wait);
	caller_clear(&request->from);
	feed_reader_stop(&request->reader);
	session_release(&request->session);
	buf_reset(&target);
	buf_shrink(&target, KEEP_BYTES);
	buf_reset(&body);
	buf_shrink(&body, KEEP_BYTES);
	reply_reset(&reply);
	buf_reset(&lxm);
	memset(request, 0, offsetof(struct request, params.list));
	request->target = target;
	request->body = body;
	request->lxm = lxm;
	request->reply = reply;
}

void
request_clear(struct request *request)
{
	link_wait_stop(&request->wait);
	feed_reader_stop(&request->reader);
	session_release(&request->session);
	caller_clear(&request->from);
	buf_clear(&request->lxm);
	buf_clear(&request->target);
	buf_clear(&request->body);
	reply_clear(&request->reply);
}

/* --- before the body: each step answers 0, or -1 with the reply written --- */

static int
find_route(struct request *request, struct str path)
{
	struct str authority = str_from(request->api->settings.authority);

	switch (route_find(path, authority, &request->route, &request->path_arg)) {
	case ROUTE_FOUND:
		return 0;
	case ROUTE_BAD_PATH:
		reply_error(&request->reply, XRPC_INVALID_REQUEST,
		    "invalid xrpc path");
		return -1;
	case ROUTE_UNKNOWN_METHOD:
		reply_error(&request->reply, XRPC_NOT_IMPLEMENTED,
		    "Method Not Implemented");
		return -1;
	case ROUTE_NOTHING_THERE:
		reply_error(&request->reply, XRPC_NOT_SUPPORTED,
		    "There is nothing at this path");
		return -1;
	}
	return -1;
}

/* Who comes by GET to where a form leads, by the address bar for one, sees its page. */
static void
show_form_page(struct request *request)
{
	char where[TID_SIZE + 8] = "/";

	if (tid_is_valid(request->path_arg))
		(void)snprintf(where, sizeof(where), "/op/%.*s",
		    STR_FMT(request->path_arg));
	reply_redirect(&request->reply, where);
}

static int
check_method(struct request *request, struct str method)
{
	enum route_kind kind = request->route->kind;
	bool is_query = kind == ROUTE_QUERY || kind == ROUTE_PAGE;
	bool is_get = str_eq(method, STR("GET")) || str_eq(method, STR("HEAD"));

	if (is_query ? is_get : str_eq(method, STR("POST")))
		return 0;
	if (kind == ROUTE_FORM && is_get) {
		show_form_page(request);
		return -1;
	}
	/* 400 and not 405, as the reference server has it. */
	reply_error(&request->reply, XRPC_INVALID_REQUEST,
	    "Incorrect HTTP method (%.*s) expected %s", STR_FMT(method),
	    is_query ? "GET" : "POST");
	return -1;
}

static int
check_params(struct request *request, char *query, size_t len)
{
	struct err err;

	if (params_parse(query, len, &request->params, &err) == 0 &&
	    (request->route->params == NULL ||
	    request->route->params(request, &err) == 0))
		return 0;
	reply_error(&request->reply, XRPC_INVALID_REQUEST,
	    "Invalid %s.%s params: %s", request->api->settings.authority,
	    request->route->name, err.text);
	return -1;
}

/* 0: it is in; -1: it is refused, with the reply written; 1: there is no session. */
static int
check_session(struct request *request)
{
	enum route_kind kind = request->route->kind;

	switch (session_admit(request)) {
	case SESSION_ADMITTED:
		return 0;
	case SESSION_FORGED:
		reply_error(&request->reply, XRPC_ADMIN_REQUIRED, "The request does not come "
		    "from a page of this server, or without its X-Form-Token");
		return -1;
	case SESSION_VIEWER:
		reply_error(&request->reply, XRPC_ADMIN_REQUIRED,
		    "This account may look on, not change anything");
		return -1;
	case SESSION_NONE:
		break;
	}
	/* Forms take no other credentials: a browser sends those without being asked. */
	if (kind == ROUTE_FORM || (kind == ROUTE_PAGE &&
	    str_is_empty(request->head.authorization))) {
		session_ask_login(request);
		return -1;
	}
	return 1;
}

static int
check_role(struct request *request)
{
	request->caller = request->from.name;
	if (request->route->access == ROUTE_READ || request->from.role == ROLE_ADMIN)
		return 0;
	reply_error(&request->reply, XRPC_ADMIN_REQUIRED,
	    "%.*s may look on, but not change anything", STR_FMT(request->caller));
	return -1;
}

static void handle(struct request *request);

/* The key of who signed the token is there, or will not come; the body may not be
 * there yet. */
static void
on_caller(struct caller *caller BF_UNUSED, enum caller_next next, void *arg)
{
	struct request *request = arg;

	if (next == CALLER_KNOWN)
		(void)!check_role(request);
	if (!request->is_complete)
		return;
	if (request->reply.status == 0)
		handle(request);
	if (request->reply.status != 0)
		http_resume(request->conn);
}

enum caller_next
request_look(struct request *request, struct str authorization, caller_cb *on_known)
{
	const char *method = route_method(request->route);
	struct caller_claim claim = {
		.authorization = authorization,
		.address = http_conn_address(request->conn),
		.reply = &request->reply,
		.on_known = on_known,
		.arg = request,
	};

	if (method != NULL) {
		buf_reset(&request->lxm);
		buf_add_str(&request->lxm, str_from(request->api->settings.authority));
		buf_add_byte(&request->lxm, '.');
		buf_add_str(&request->lxm, str_from(method));
		claim.lxm = buf_str(&request->lxm);
	}
	return caller_look(&request->from, &request->api->auth, &claim);
}

/* 0 as well while it is not known: request_end() waits for on_caller(). */
static int
check_caller(struct request *request)
{
	int rc;

	if (request->route->access == ROUTE_PUBLIC)
		return 0;
	rc = check_session(request);
	if (rc != 1)
		return rc;
	switch (request_look(request, request->head.authorization, on_caller)) {
	case CALLER_KNOWN:
		return check_role(request);
	case CALLER_REFUSED:
		return -1;
	case CALLER_WAITS:
		return 0;
	}
	return -1;
}

static int
check_input_head(struct request *request)
{
	const struct head *head = &request->head;

	if (head->content_length == 0)
		reply_error(&request->reply, XRPC_INVALID_REQUEST,
		    "A request body is expected but none was provided");
	else if (str_is_empty(head->content_type))
		reply_error(&request->reply, XRPC_INVALID_REQUEST,
		    "Request encoding (Content-Type) required but not provided");
	else if (!head_type_is(head->content_type, STR("application/json")))
		reply_error(&request->reply, XRPC_INVALID_REQUEST,
		    "Wrong request encoding (Content-Type): %.*s",
		    STR_FMT(head->content_type));
	else if (!str_is_empty(head->content_encoding) &&
	    !head_type_is(head->content_encoding, STR("identity")))
		reply_error(&request->reply, XRPC_UNSUPPORTED_MEDIA_TYPE,
		    "unsupported content-encoding");
	else
		return 0;
	return -1;
}

/* What the headers already say about the body. */
static int
check_body_head(struct request *request)
{
	const struct head *head = &request->head;
	enum route_kind kind = request->route->kind;

	if ((kind == ROUTE_QUERY || kind == ROUTE_PAGE) && head->content_length > 0)
		reply_error(&request->reply, XRPC_INVALID_REQUEST,
		    "A request body was provided when none was expected");
	else if (kind == ROUTE_PROCEDURE && check_input_head(request) == -1)
		return -1;
	else if (head->content_length > LIMIT_HTTP_BODY_BYTES)
		reply_error(&request->reply, XRPC_PAYLOAD_TOO_LARGE,
		    "request entity too large");
	else
		return 0;
	return -1;
}

static int
check_head(struct request *request, struct str method)
{
	struct str path = buf_str(&request->target);
	const char *mark = memchr(path.ptr, '?', path.len);
	size_t path_len = mark != NULL ? (size_t)(mark - path.ptr) : path.len;
	size_t query_at = mark != NULL ? path_len + 1 : path_len;
	char *query = (char *)buf_data(&request->target) + query_at;

	/* Before the path, as the reference server has it: a page of another site is
	 * then told that there is no such method. */
	if (str_eq(method, STR("OPTIONS"))) {
		request->reply.status = 204;
		request->reply.allows_methods = true;
		return -1;
	}
	if (find_route(request, (struct str){ path.ptr, path_len }) == -1 ||
	    check_method(request, method) == -1 ||
	    check_params(request, query, path.len - query_at) == -1 ||
	    check_caller(request) == -1 ||
	    check_body_head(request) == -1)
		return -1;
	return 0;
}

enum request_next
request_begin(struct request *request, struct str method,
    const struct err *untrusted)
{
	const struct head *head = &request->head;

	if (untrusted != NULL) {
		reply_error(&request->reply, XRPC_INVALID_REQUEST, "%s",
		    untrusted->text);
		request->reply.closes = true;
		return REQUEST_ANSWER;
	}
	/* Chunks are the other way to disagree about where a request ends, and
	 * none of our bodies needs them. */
	if (head->is_chunked) {
		reply_error(&request->reply, XRPC_LENGTH_REQUIRED,
		    "Send the body with a Content-Length");
		request->reply.closes = true;
		return REQUEST_ANSWER;
	}
	if (check_head(request, method) == 0)
		return REQUEST_READ;

	/* A client that asks before it sends, or sends very much, is told now. */
	if (head->expects_continue ||
	    head->content_length > LIMIT_HTTP_DISCARD_BYTES) {
		request->reply.closes = true;
		return REQUEST_ANSWER;
	}
	return REQUEST_READ;
}

/* --- the body and after --- */

void
request_body(struct request *request, struct bytes part)
{
	if (request->reply.status == 0)
		buf_add(&request->body, part.ptr, part.len);
}

static void
handle_form(struct request *request)
{
	struct err err;

	if (params_parse((char *)buf_data(&request->body), buf_len(&request->body),
	    &request->params, &err) == -1)
		page_message(request, 400, "The form cannot be read", err.text);
	else if (!session_form_is_ours(request))
		page_message(request, 403, "That form is not of this page",
		    "Load the page again and repeat what you did.");
	else
		request->route->handler(request);
}

static void
handle(struct request *request)
{
	struct err err;

	if (request->route->kind == ROUTE_FORM) {
		handle_form(request);
		return;
	}
	if (request->route->kind != ROUTE_PROCEDURE) {
		request->route->handler(request);
		return;
	}
	if (input_parse(buf_str(&request->body), &request->input, &err) == -1) {
		reply_error(&request->reply, XRPC_INVALID_REQUEST, "%s", err.text);
		return;
	}
	request->route->handler(request);
	input_free(&request->input);
}

enum request_next
request_end(struct request *request)
{
	request->is_complete = true;
	if (caller_is_waiting(&request->from))
		return REQUEST_WAIT;
	if (request->reply.status == 0)
		handle(request);
	return request->reply.status != 0 ? REQUEST_ANSWER : REQUEST_WAIT;
}

/* --- asking the supervisor --- */

static void
reply_message(struct request *request, const struct msg *msg)
{
	const struct msg_error *error = &msg->error;

	if (msg->type == MSG_TYPE_OP)
		(void)str_copy(request->op_id, sizeof(request->op_id), msg->op.op.id);
	if (msg->type == request->expected) {
		request->on_answer(request, msg);
		return;
	}
	if (msg->type == MSG_TYPE_ERROR &&
	    xrpc_error_find(error->name) != XRPC_INTERNAL) {
		reply_error_about(&request->reply, xrpc_error_find(error->name),
		    error->text, error->id);
		return;
	}
	/* The reason of an internal error is for the log, not for the client. */
	if (msg->type == MSG_TYPE_ERROR)
		log_error("%s: the supervisor answered %.*s: %.*s",
		    request->route->name, STR_FMT(error->name),
		    STR_FMT(error->text));
	else
		log_error("%s: the supervisor answered with the message %s",
		    request->route->name, msg_name(msg->type));
	reply_error(&request->reply, XRPC_INTERNAL, "Internal Server Error");
}

/* A form's handler writes pages; what was written here is an error for a program. */
static void
turn_into_page(struct request *request)
{
	struct reply *reply = &request->reply;
	struct json_t *error;
	struct str message = STR_NONE, id = STR_NONE;
	struct err err;

	if (reply->content_type != NULL || reply->location != NULL ||
	    input_parse(buf_str(&reply->body), &error, &err) == -1)
		return;
	(void)!input_text(error, "message", &message, &err);
	(void)!input_text(error, "id", &id, &err);
	forms_error(request, reply->status, message, id);
	input_free(&error);
}

static void
on_link_answer(enum link_outcome outcome, const struct msg *msg, void *arg)
{
	struct request *request = arg;

	switch (outcome) {
	case LINK_ANSWERED:
		reply_message(request, msg);
		break;
	case LINK_GONE:
		reply_error(&request->reply, XRPC_SUPERVISOR_UNAVAILABLE,
		    "The supervisor went away before it answered: "
		    "getBackfillStatus tells what became of the request");
		break;
	case LINK_TIMEOUT:
		reply_error(&request->reply, XRPC_UPSTREAM_TIMEOUT,
		    "The supervisor does not answer: "
		    "getBackfillStatus tells what became of the request");
		break;
	}
	if (request->route->kind == ROUTE_FORM)
		turn_into_page(request);
	http_resume(request->conn);
}

void
request_ask(struct request *request, struct msg *msg, int64_t timeout_ms,
    enum msg_type expected, request_answer_cb *on_answer)
{
	request->expected = expected;
	request->on_answer = on_answer;
	if (supervisor_link_ask(request->api->link, msg, timeout_ms, on_link_answer,
	    request, &request->wait) == -1)
		reply_error(&request->reply, XRPC_SUPERVISOR_UNAVAILABLE,
		    "The supervisor is not running: nothing was changed");
	if (request->reply.status != 0 && request->route->kind == ROUTE_FORM)
		turn_into_page(request);
}

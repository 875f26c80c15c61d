/*
 * h_events.c - /events: what happens to operations, as server-sent events.
 */
#include "api/api.h"
#include "api/feed.h"
#include "api/handlers.h"
#include "api/http.h"
#include "api/request.h"

static void
on_event(void *arg)
{
	struct request *request = arg;

	http_resume(request->conn);
}

/* `id` is the only operation wanted; nobody has to send it. */
void
h_events(struct request *request)
{
	struct reply *reply = &request->reply;
	struct err err;
	struct str id;

	if (params_text(&request->params, STR("id"), &id, &err) == -1) {
		reply_error(reply, XRPC_INVALID_REQUEST, "%s", err.text);
		return;
	}
	(void)reply_text(reply, 200, "text/event-stream; charset=utf-8");
	reply->is_stream = true;
	feed_reader_start(&request->reader, request->api->feed,
	    request->head.last_event_id, id, on_event, request);
}

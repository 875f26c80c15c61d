#include "supervisor/on_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crashpoint.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/utf8.h"
#include "op/op_type.h"
#include "proto/fdlayout.h"
#include "supervisor/audit.h"
#include "supervisor/api_link.h"
#include "supervisor/child.h"
#include "supervisor/doctor.h"
#include "supervisor/handshake.h"
#include "supervisor/indexer_link.h"
#include "supervisor/opctl.h"
#include "supervisor/pause.h"
#include "supervisor/schedule.h"
#include "supervisor/service.h"

#define DEFAULT_PAGE	50

/* --- answers --- */

void
client_send_error(struct control_client *client, uint64_t req, const char *name,
    const char *text, const char *id)
{
	struct msg msg = { .type = MSG_TYPE_ERROR };
	char clean[ERR_TEXT_SIZE];

	/* It may have been cut within a character, which the client would not take. */
	(void)str_copy(clean, sizeof(clean), str_from(text));
	msg.error = (struct msg_error){
		.req = req, .name = str_from(name), .id = str_from(id),
		.text = { clean, utf8_clean(clean, strlen(clean)) },
	};
	channel_send(client->channel, &msg);
}

void
client_send_store_error(struct control_client *client, uint64_t req,
    const struct err *err)
{
	struct opctl_error error;

	(void)opctl_fail_store(&error, err);
	client_send_error(client, req, error.name, error.text, NULL);
}

static void
send_too_many(struct control_client *client, uint64_t req)
{
	client_send_error(client, req, "TooManyRequests",
	    "too many requests wait for an answer on this connection", NULL);
}

void
client_send_end_list(struct control_client *client, uint64_t req, struct str cursor)
{
	struct msg msg = { .type = MSG_TYPE_END_LIST };

	msg.end_list = (struct msg_end_list){ .req = req, .cursor = cursor };
	channel_send(client->channel, &msg);
}

static const char *
cancelled_text(enum op_status status)
{
	switch (status) {
	case OP_CANCELLED:
		return "the operation is cancelled";
	case OP_COMPLETED:
		return "the operation had already completed";
	case OP_FAILED:
		return "the operation had already failed";
	case OP_QUEUED:
		return "the operation was interrupted and is queued again";
	case OP_RUNNING:
		return "the operation is still running";
	}
	return "";
}

void
client_send_cancelled(struct control_client *client, uint64_t req, enum op_status status)
{
	struct msg msg = { .type = MSG_TYPE_CANCELLED };

	msg.cancelled = (struct msg_cancelled){
		.req = req, .success = status == OP_CANCELLED,
		.status = str_from(op_status_word(status)),
		.text = str_from(cancelled_text(status)),
	};
	channel_send(client->channel, &msg);
}

void
client_send_op(struct control_client *client, uint64_t req, struct str id)
{
	struct msg msg = { .type = MSG_TYPE_OP };
	struct ops_read *read;
	struct err err;

	if (ops_read_begin(client->sup->ops, &read, &err) == -1) {
		client_send_store_error(client, req, &err);
		return;
	}
	msg.op.req = req;
	if (ops_get(read, id, &msg.op.op, &err) == -1)
		client_send_store_error(client, req, &err);
	else
		channel_send(client->channel, &msg);
	ops_read_end(&read);
}

/* --- requests --- */

static void
on_trigger(struct control_client *client, const struct msg_trigger *trigger)
{
	struct op request = {
		.type = trigger->type, .did = trigger->did, .pds_url = trigger->pds_url,
		.uri = trigger->uri, .batch_size = trigger->batch_size,
		.tier = trigger->tier,
		.items_of = trigger->items_of,
		.idempotency_key = trigger->idempotency_key,
		.started_by = client->is_api ? trigger->started_by : str_from(client->who),
	};
	struct opctl_error error;
	char id[TID_SIZE];

	if (opctl_trigger(client->sup, &request, id, &error) == -1) {
		client_send_error(client, trigger->req, error.name, error.text, error.id);
	} else {
		audit_control(client, "trigger", str_from(id));
		client_send_op(client, trigger->req, str_from(id));
	}
	crashpoint(CRASHPOINT_TRIGGER_ANSWERED);
}

static void
on_cancel(struct control_client *client, const struct msg_cancel *cancel)
{
	struct str by = client->is_api ? cancel->by : str_from(client->who);
	struct opctl_error error;
	enum opctl_cancel result;
	enum op_status status;

	audit_control(client, "cancel", cancel->id);
	if (opctl_cancel(client->sup, cancel->id, by, cancel->reason, &result, &status,
	    &error) == -1)
		client_send_error(client, cancel->req, error.name, error.text, error.id);
	else if (result != CANCEL_UNDER_WAY)
		client_send_cancelled(client, cancel->req, status);
	else if (!client_wait(client, PENDING_CANCEL, cancel->req, cancel->id))
		send_too_many(client, cancel->req);
}

static void
on_pause(struct control_client *client, const struct msg_pause *pause)
{
	struct str by = client->is_api ? pause->by : str_from(client->who);
	struct opctl_error error;

	audit_control(client, "pause", pause->id);
	if (opctl_pause(client->sup, pause->id, by, &error) == -1)
		client_send_error(client, pause->req, error.name, error.text, error.id);
	else
		client_send_op(client, pause->req, pause->id);
}

static void
on_resume(struct control_client *client, const struct msg_resume *resume)
{
	struct str by = client->is_api ? resume->by : str_from(client->who);
	struct opctl_error error;

	audit_control(client, "resume", resume->id);
	if (opctl_resume(client->sup, resume->id, by, &error) == -1)
		client_send_error(client, resume->req, error.name, error.text, error.id);
	else
		client_send_op(client, resume->req, resume->id);
}

static void
on_watch(struct control_client *client, const struct msg_watch *watch)
{
	struct ops_read *read;
	enum op_status status = OP_QUEUED;
	struct op op;
	struct err err;

	if (ops_read_begin(client->sup->ops, &read, &err) == -1) {
		client_send_store_error(client, watch->req, &err);
		return;
	}
	if (ops_get(read, watch->id, &op, &err) == -1) {
		ops_read_end(&read);
		client_send_store_error(client, watch->req, &err);
		return;
	}
	status = op_status(&op);
	ops_read_end(&read);
	if (!op_status_is_terminal(status) &&
	    !client_wait(client, PENDING_WATCH, watch->req, watch->id)) {
		send_too_many(client, watch->req);
		return;
	}
	client_send_op(client, watch->req, watch->id);
	if (op_status_is_terminal(status))
		client_send_end_list(client, watch->req, STR_NONE);
}

/* A list that is being sent. */
struct sending {
	struct control_client *client;
	uint64_t req;
	uint64_t left;			/* of the page */
	char last_id[TID_SIZE];
	bool has_more;
};

static bool
send_listed(const struct op *op, void *arg)
{
	struct sending *sending = arg;
	struct msg msg = { .type = MSG_TYPE_OP };

	if (sending->left == 0) {
		sending->has_more = true;
		return false;
	}
	sending->left--;
	msg.op.req = sending->req;
	msg.op.op = *op;
	channel_send(sending->client->channel, &msg);
	(void)str_copy(sending->last_id, sizeof(sending->last_id), op->id);
	return true;
}

static int
parse_filter(const struct msg_list *list, struct ops_filter *filter_out,
    const char **why_out)
{
	const struct op_type *type = op_type_find(list->type);

	*filter_out = (struct ops_filter){
		.before_id = list->cursor,
		.type = type != NULL ? str_from(type->kebab) : list->type,
	};
	*why_out = "cursor: is not one that a list gave";
	if (!str_is_empty(list->cursor) && !tid_is_valid(list->cursor))
		return -1;
	*why_out = "limit: has to be from 1 to 100";
	if (list->limit > LIMIT_LIST_PAGE)
		return -1;
	*why_out = "status: has to be queued, running, completed, failed or cancelled";
	return str_is_empty(list->status) ||
	    op_status_parse(list->status, &filter_out->status) == 0 ? 0 : -1;
}

static void
on_list(struct control_client *client, const struct msg_list *list)
{
	struct sending sending = {
		.client = client, .req = list->req,
		.left = list->limit > 0 ? list->limit : DEFAULT_PAGE,
	};
	struct ops_filter filter;
	struct ops_read *read;
	struct err err;
	const char *why;
	int rc;

	if (parse_filter(list, &filter, &why) == -1) {
		client_send_error(client, list->req, "InvalidRequest", why, NULL);
		return;
	}
	if (ops_read_begin(client->sup->ops, &read, &err) == -1) {
		client_send_store_error(client, list->req, &err);
		return;
	}
	rc = ops_list(read, &filter, send_listed, &sending, &err);
	ops_read_end(&read);
	if (rc == -1)
		client_send_store_error(client, list->req, &err);
	else
		client_send_end_list(client, list->req, sending.has_more ?
		    str_from(sending.last_id) : STR_NONE);
}

static bool
send_event(const struct ops_event *event, void *arg)
{
	struct sending *sending = arg;
	struct msg msg = { .type = MSG_TYPE_EVENT };

	msg.event = (struct msg_event){
		.req = sending->req, .at_ms = (uint64_t)event->at_ms,
		.event = str_from(op_event_word(event->event)), .text = event->text,
	};
	channel_send(sending->client->channel, &msg);
	return true;
}

static bool
send_item(const struct ops_item *item, void *arg)
{
	struct sending *sending = arg;
	struct msg msg = { .type = MSG_TYPE_ITEM };

	msg.item = (struct msg_item){
		.req = sending->req, .at_ms = (uint64_t)item->at_ms, .item = item->item,
		.class = item->class, .text = item->text,
	};
	channel_send(sending->client->channel, &msg);
	return true;
}

/* Events, or failed items, of one operation. */
static void
send_history(struct control_client *client, uint64_t req, struct str id, bool items)
{
	struct sending sending = { .client = client, .req = req };
	struct ops_read *read;
	struct op op;
	struct err err;
	int rc;

	if (ops_read_begin(client->sup->ops, &read, &err) == -1) {
		client_send_store_error(client, req, &err);
		return;
	}
	rc = ops_get(read, id, &op, &err);
	if (rc == 0)
		rc = items ? ops_items(read, id, send_item, &sending, &err) :
		    ops_events(read, id, send_event, &sending, &err);
	ops_read_end(&read);
	if (rc == -1)
		client_send_store_error(client, req, &err);
	else
		client_send_end_list(client, req, STR_NONE);
}

static void
on_open_records(struct control_client *client, const struct msg_open_records *open)
{
	struct msg msg = { .type = MSG_TYPE_RECORDS_OPENED };
	struct err err;
	int fd;

	if (indexer_open_reader(client->sup, &fd, &err) == -1) {
		client_send_error(client, open->req, "NotEnoughResources", err.text, NULL);
		return;
	}
	msg.records_opened.req = open->req;
	channel_send_fd(client->channel, &msg, fd);
}

static void
on_watch_all(struct control_client *client, const struct msg_watch_all *watch)
{
	if (!client_wait(client, PENDING_WATCH_ALL, watch->req, STR_NONE))
		send_too_many(client, watch->req);
}

static void
on_measure(struct control_client *client, const struct msg_measure *measure)
{
	struct supervisor *sup = client->sup;
	struct msg msg = { .type = MSG_TYPE_MEASURES };

	msg.measures = (struct msg_measures){
		.req = measure->req, .started_ms = (uint64_t)sup->started_ms,
		.workers = sup->children->count,
		.max_workers = sup->settings.max_workers,
		.worker_starts = sup->children->starts,
		.api_starts = service_starts(sup->api),
		.indexer_starts = service_starts(sup->indexer),
		.has_indexer = service_pid(sup->indexer) != 0,
	};
	channel_send(client->channel, &msg);
}

static void
on_hello(struct control_client *client, const struct msg_hello *hello)
{
	if (hello->version != PROTO_VERSION) {
		client_send_error(client, 0, "InvalidRequest", "backfilld speaks another "
		    "version of the protocol: use the backfillctl of its release", NULL);
		return;
	}
	client->said_hello = true;
	if (client->is_api)
		api_link_ready(client->sup);
	else
		handshake_send(client->channel, &client->sup->settings, 0);
}

/* What changes something.  False: it is another message. */
static bool
on_verb(struct control_client *client, const struct msg *msg)
{
	switch (msg->type) {
	case MSG_TYPE_TRIGGER:
		on_trigger(client, &msg->trigger);
		return true;
	case MSG_TYPE_CANCEL:
		on_cancel(client, &msg->cancel);
		return true;
	case MSG_TYPE_PAUSE:
		on_pause(client, &msg->pause);
		return true;
	case MSG_TYPE_RESUME:
		on_resume(client, &msg->resume);
		return true;
	case MSG_TYPE_UPGRADE:
	case MSG_TYPE_BACKUP:
		client_local_verb(client, msg);
		return true;
	case MSG_TYPE_DOCTOR:
		doctor_send(client, msg->doctor.req);
		return true;
	default:
		return false;
	}
}

void
on_client_msg(struct channel *channel BF_UNUSED, const struct msg *msg, void *arg)
{
	struct control_client *client = arg;

	if (!client->said_hello && msg->type != MSG_TYPE_HELLO) {
		client_send_error(client, 0, "InvalidRequest",
		    "the first message has to be hello", NULL);
		return;
	}
	if (on_verb(client, msg))
		return;
	switch (msg->type) {
	case MSG_TYPE_HELLO:
		on_hello(client, &msg->hello);
		break;
	case MSG_TYPE_PONG:
	case MSG_TYPE_CONFINED:
		if (client->is_api)
			api_link_said(client->sup, msg);
		break;
	case MSG_TYPE_SCHEDULES:
		schedule_send_all(client, msg->schedules.req);
		break;
	case MSG_TYPE_GET:
		client_send_op(client, msg->get.req, msg->get.id);
		break;
	case MSG_TYPE_WATCH:
		on_watch(client, &msg->watch);
		break;
	case MSG_TYPE_LIST:
		on_list(client, &msg->list);
		break;
	case MSG_TYPE_EVENTS:
		send_history(client, msg->events.req, msg->events.id, false);
		break;
	case MSG_TYPE_ITEMS:
		send_history(client, msg->items.req, msg->items.id, true);
		break;
	case MSG_TYPE_OPEN_RECORDS:
		on_open_records(client, &msg->open_records);
		break;
	case MSG_TYPE_STATUS:
		client_send_daemon(client, msg->status.req);
		break;
	case MSG_TYPE_WATCH_ALL:
		on_watch_all(client, &msg->watch_all);
		break;
	case MSG_TYPE_MEASURE:
		on_measure(client, &msg->measure);
		break;
	default:	/* the channel accepts nothing else from a client */
		abort();
	}
}

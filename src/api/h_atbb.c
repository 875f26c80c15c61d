/*
 * h_atbb.c - atBB's routes: POST /api/admin/backfill, GET .../:id, GET .../:id/errors.
 *
 * Its ids are whole numbers written as text: here an operation's TID as the number
 * that it stands for (common/tid.h).  Its states are three: what is queued is in
 * progress, and what was cancelled has failed.  Its `force` is ignored unless it is
 * one of its two words.
 */
#include <inttypes.h>
#include <stdio.h>

#include "api/api.h"
#include "api/h_trigger.h"
#include "api/handlers.h"
#include "api/request.h"
#include "common/clock.h"
#include "common/log.h"
#include "op/gap.h"
#include "rows/cursor_row.h"
#include "rows/row_table.h"
#include "store/ops.h"
#include "store/records.h"

#define HOUR_MS		(60 * 60 * 1000ll)
#define NUMBER_SIZE	24

static void
format_number(struct str id, char text_out[NUMBER_SIZE])
{
	uint64_t tid = 0;

	(void)!tid_parse(id, &tid);
	(void)snprintf(text_out, NUMBER_SIZE, "%" PRIu64, tid);
}

static void
reply_store_error(struct request *request, const struct err *err)
{
	log_error("%s: %s", request->route->name, err->text);
	reply_error(&request->reply, XRPC_INTERNAL, "Internal Server Error");
}

/* --- POST: is one needed, and which? --- */

static bool
on_active(const struct op *op, void *arg)
{
	(void)str_copy(arg, TID_SIZE, op->id);
	return false;
}

/* An active operation of one of the two types; an empty id if there is none. */
static int
find_active(struct api *api, char id_out[TID_SIZE], struct err *err)
{
	static const enum op_status statuses[] = { OP_QUEUED, OP_RUNNING };
	static const enum gap gaps[] = { GAP_CATCH_UP, GAP_FULL_SYNC };
	struct ops_read *read;
	int rc = 0;

	id_out[0] = '\0';
	if (ops_read_begin(api->ops, &read, err) == -1)
		return -1;
	for (size_t i = 0; rc == 0 && i < 4 && id_out[0] == '\0'; i++) {
		struct ops_filter filter = {
			.status = statuses[i / 2],
			.type = str_from(gap_op_type(gaps[i % 2])),
		};

		rc = ops_list(read, &filter, on_active, id_out, err);
	}
	ops_read_end(&read);
	return rc;
}

/* How far the configured relay has been read; nothing if it never was. */
static int
read_position(const struct api *api, struct records_read *read,
    struct gap_facts *facts, struct err *err)
{
	struct buf key = BUF_INIT;
	struct cursor_row row;
	struct bytes value;
	int rc;

	if (*api->settings.relay_url == '\0')
		return 0;
	cursor_row_relay_key(&key, str_from(api->settings.relay_url));
	rc = records_get_row(read, ROW_CURSOR, buf_bytes(&key), &value, err);
	if (rc == 0 && cursor_row_decode(buf_bytes(&key), value, &row) == 0) {
		facts->has_position = true;
		facts->position_ms = (int64_t)row.time_ms;
	}
	buf_clear(&key);
	return rc == -1 && err->code != ERR_NOT_FOUND ? -1 : 0;
}

static int
read_facts(struct api *api, struct gap_facts *facts, struct err *err)
{
	struct records *records = api_records(api);
	struct records_count count;
	struct records_read *read;
	int rc;

	if (records == NULL)
		return err_set(err, ERR_UNAVAILABLE, "records/ cannot be opened");
	if (records_read_begin(records, &read, err) == -1)
		return -1;
	rc = records_get_count(read, STR_NONE, &count, err);
	if (rc == 0)
		rc = read_position(api, read, facts, err);
	records_read_end(&read);
	if (rc == -1)
		return -1;
	facts->index_is_empty = count.repos == 0;
	facts->now_ms = clock_wall_ms();
	facts->max_age_ms = (int64_t)api->settings.backfill_cursor_max_age_hours * HOUR_MS;
	return 0;
}

static void
on_started(struct request *request, const struct msg *msg)
{
	const struct op *op = &msg->op.op;
	bool is_catch_up = str_eq(op->type, str_from(gap_op_type(GAP_CATCH_UP)));
	struct json json = reply_json(&request->reply, 202);
	char number[NUMBER_SIZE];

	format_number(op->id, number);
	json_object_begin(&json);
	json_member_str(&json, STR("message"), STR("Backfill started"));
	json_member_str(&json, STR("type"),
	    str_from(gap_force_word(is_catch_up ? GAP_CATCH_UP : GAP_FULL_SYNC)));
	json_member_str(&json, STR("status"), STR("in_progress"));
	json_member_str(&json, STR("id"), str_from(number));
	json_member_str(&json, STR("operationId"), op->id);
	json_object_end(&json);
}

static void
reply_not_needed(struct request *request)
{
	struct json json = reply_json(&request->reply, 200);

	json_object_begin(&json);
	json_member_str(&json, STR("message"), STR("No backfill needed. Use "
	    "?force=catch_up or ?force=full_sync to override."));
	json_object_end(&json);
}

static void
start(struct request *request, enum gap gap)
{
	struct msg msg = { .type = MSG_TYPE_TRIGGER };

	msg.trigger.type = str_from(gap_op_type(gap));
	msg.trigger.started_by = request->caller;
	request_ask(request, &msg, TRIGGER_TIMEOUT_MS, MSG_TYPE_OP, on_started);
}

void
h_atbb_start(struct request *request)
{
	struct gap_facts facts = { .has_position = false };
	char active[TID_SIZE], number[NUMBER_SIZE];
	enum gap gap = GAP_NONE;
	struct str force;
	struct err err;

	if (params_text(&request->params, STR("force"), &force, &err) == -1)
		force = STR_NONE;
	if (find_active(request->api, active, &err) == -1) {
		reply_store_error(request, &err);
		return;
	}
	if (active[0] != '\0') {
		format_number(str_from(active), number);
		reply_error_about(&request->reply, XRPC_BACKFILL_IN_PROGRESS,
		    STR("A backfill is already in progress"), str_from(number));
		return;
	}
	if (!gap_parse_force(force, &gap)) {
		if (read_facts(request->api, &facts, &err) == -1) {
			reply_store_error(request, &err);
			return;
		}
		gap = gap_decide(&facts);
	}
	if (gap == GAP_NONE)
		reply_not_needed(request);
	else
		start(request, gap);
}

/* --- GET --- */

/* "did-sync" as "did_sync". */
static void
write_type(struct json *json, struct str type)
{
	char text[LIMIT_OP_TYPE_BYTES + 1];

	(void)str_copy(text, sizeof(text), type);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '-')
			*c = '_';
	json_member_str(json, STR("type"), str_from(text));
}

static void
write_status(struct json *json, const struct op *op)
{
	static const char *const words[] = {
		[OP_QUEUED] = "in_progress",
		[OP_RUNNING] = "in_progress",
		[OP_COMPLETED] = "completed",
		[OP_FAILED] = "failed",
		[OP_CANCELLED] = "failed",
	};

	json_member_str(json, STR("status"), str_from(words[op_status(op)]));
}

static void
write_or_null(struct json *json, struct str name, struct str text)
{
	json_name(json, name);
	if (str_is_empty(text))
		json_null(json);
	else
		json_str(json, text);
}

static void
write_end(struct json *json, const struct op *op)
{
	bool is_cancelled = op_status(op) == OP_CANCELLED;

	if (op->completed_ms > 0) {
		json_member_datetime(json, STR("completedAt"), (int64_t)op->completed_ms);
	} else {
		json_name(json, STR("completedAt"));
		json_null(json);
	}
	write_or_null(json, STR("errorMessage"), is_cancelled ? STR("cancelled") :
	    op->error_text);
}

static void
show(struct request *request, struct ops_read *read BF_UNUSED, const struct op *op)
{
	struct json json = reply_json(&request->reply, 200);
	char number[NUMBER_SIZE];

	format_number(op->id, number);
	json_object_begin(&json);
	json_member_str(&json, STR("id"), str_from(number));
	write_status(&json, op);
	write_type(&json, op->type);
	json_member_u64(&json, STR("didsTotal"), op->records_total);
	json_member_u64(&json, STR("didsProcessed"), op->records_processed);
	json_member_u64(&json, STR("recordsIndexed"), op->records_created +
	    op->records_updated);
	json_member_u64(&json, STR("errorCount"), op->items_failed);
	json_member_datetime(&json, STR("startedAt"), (int64_t)op->created_ms);
	write_end(&json, op);
	json_member_str(&json, STR("operationId"), op->id);
	json_object_end(&json);
}

struct errors {
	struct json json;
	unsigned count;
};

static struct str
cut_segment(struct str *rest)
{
	const char *slash = memchr(rest->ptr, '/', rest->len);
	size_t n = slash != NULL ? (size_t)(slash - rest->ptr) : rest->len;
	struct str segment = { rest->ptr, n };

	n += slash != NULL;
	*rest = (struct str){ rest->ptr + n, rest->len - n };
	return segment;
}

/* An item is a DID, an AT-URI, or the name of a server. */
static bool
write_item(const struct ops_item *item, void *arg)
{
	struct errors *errors = arg;
	struct json *json = &errors->json;
	struct str did = item->item, collection = STR_NONE;
	char number[NUMBER_SIZE];

	if (str_starts_with(item->item, STR("at://"))) {
		collection = (struct str){ item->item.ptr + 5, item->item.len - 5 };
		did = cut_segment(&collection);
		collection = cut_segment(&collection);
	}
	(void)snprintf(number, sizeof(number), "%u", ++errors->count);
	json_object_begin(json);
	json_member_str(json, STR("id"), str_from(number));
	json_member_str(json, STR("did"), did);
	write_or_null(json, STR("collection"), collection);
	json_member_str(json, STR("errorMessage"), item->text);
	json_member_datetime(json, STR("createdAt"), item->at_ms);
	json_object_end(json);
	return true;
}

static void
show_errors(struct request *request, struct ops_read *read, const struct op *op)
{
	struct errors errors = { .json = reply_json(&request->reply, 200) };
	struct err err;

	json_object_begin(&errors.json);
	json_name(&errors.json, STR("errors"));
	json_array_begin(&errors.json);
	if (ops_items(read, op->id, write_item, &errors, &err) == -1) {
		reply_store_error(request, &err);
		return;
	}
	json_array_end(&errors.json);
	json_object_end(&errors.json);
}

typedef void show_fn(struct request *request, struct ops_read *read,
    const struct op *op);

/* Find the operation that the path names and let `fn` show it. */
static void
find_and_show(struct request *request, show_fn *fn)
{
	struct ops_read *read;
	char id[TID_SIZE];
	uint64_t number;
	struct err err;
	struct op op;

	if (str_to_u64(request->path_arg, &number) == -1) {
		reply_error(&request->reply, XRPC_INVALID_REQUEST,
		    "The id of a backfill is a whole number");
		return;
	}
	if (ops_read_begin(request->api->ops, &read, &err) == -1) {
		reply_store_error(request, &err);
		return;
	}
	tid_format(number, id);
	if (number <= INT64_MAX && ops_get(read, str_from(id), &op, &err) == 0)
		fn(request, read, &op);
	else if (number > INT64_MAX || err.code == ERR_NOT_FOUND)
		reply_error(&request->reply, XRPC_NOT_FOUND, "There is no such backfill");
	else
		reply_store_error(request, &err);
	ops_read_end(&read);
}

void
h_atbb_show(struct request *request)
{
	find_and_show(request, show);
}

void
h_atbb_errors(struct request *request)
{
	find_and_show(request, show_errors);
}

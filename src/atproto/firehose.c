#include "atproto/firehose.h"

#include "atproto/datetime.h"
#include "atproto/did.h"
#include "atproto/rkey.h"
#include "common/limits.h"
#include "common/tid.h"

/* What is being read, and where it begins in the frame. */
struct reader {
	struct dagcbor map;
	uint64_t offset;
	struct fault *fault;
};

static int
bad_field(const struct reader *r, const char *name)
{
	return fault_set_detail(r->fault, FAULT_FRAME_FIELD, r->offset, str_from(name));
}

static bool
has_value(const struct reader *r, const char *name, struct dagcbor_item *item_out)
{
	struct dagcbor value;

	if (!dagcbor_find(r->map, str_from(name), &value))
		return false;
	*item_out = dagcbor_next(&value);
	return item_out->type != DAGCBOR_NULL;
}

static int
need_text(const struct reader *r, const char *name, struct str *text_out)
{
	struct dagcbor_item item;

	if (!has_value(r, name, &item) || item.type != DAGCBOR_TEXT)
		return bad_field(r, name);
	*text_out = item.text;
	return 0;
}

/* Absent and null are the empty text. */
static int
take_text(const struct reader *r, const char *name, struct str *text_out)
{
	struct dagcbor_item item;

	*text_out = STR_NONE;
	return has_value(r, name, &item) ? need_text(r, name, text_out) : 0;
}

/* Absent is false: `tooBig` is deprecated. */
static int
take_bool(const struct reader *r, const char *name, bool *value_out)
{
	struct dagcbor_item item = { .type = DAGCBOR_BOOL };

	if (has_value(r, name, &item) && item.type != DAGCBOR_BOOL)
		return bad_field(r, name);
	*value_out = item.boolean;
	return 0;
}

static int
need_bytes(const struct reader *r, const char *name, struct bytes *bytes_out)
{
	struct dagcbor_item item;

	if (!has_value(r, name, &item) || item.type != DAGCBOR_BYTES)
		return bad_field(r, name);
	if (item.bytes.len > LIMIT_EVENT_BLOCKS_BYTES)
		return fault_set(r->fault, FAULT_FRAME_BLOCKS, r->offset);
	*bytes_out = item.bytes;
	return 0;
}

/* Absent and null: false in *has_out. */
static int
take_link(const struct reader *r, const char *name, bool *has_out, struct cid *cid_out)
{
	struct dagcbor_item item;

	*has_out = has_value(r, name, &item);
	if (*has_out && (item.type != DAGCBOR_LINK ||
	    cid_unpack(item.bytes, cid_out) < 0 || cid_codec(cid_out) != CID_DAG_CBOR))
		return bad_field(r, name);
	return 0;
}

/* --- operations --- */

static bool
action_parse(struct str word, enum firehose_action *action_out)
{
	if (str_eq(word, STR("create")))
		*action_out = FIREHOSE_CREATE;
	else if (str_eq(word, STR("update")))
		*action_out = FIREHOSE_UPDATE;
	else if (str_eq(word, STR("delete")))
		*action_out = FIREHOSE_DELETE;
	else
		return false;
	return true;
}

/* A link, or absent or null: then has_out is false.  -1 for anything else. */
static int
op_link(struct dagcbor map, struct str name, bool *has_out, struct cid *cid_out)
{
	struct dagcbor value;
	struct dagcbor_item item;

	*has_out = false;
	if (!dagcbor_find(map, name, &value))
		return 0;
	item = dagcbor_next(&value);
	if (item.type == DAGCBOR_NULL)
		return 0;
	*has_out = true;
	return item.type == DAGCBOR_LINK ? cid_unpack(item.bytes, cid_out) : -1;
}

static int
op_read(struct dagcbor map, struct firehose_op *op)
{
	struct dagcbor_item action, path;
	bool has_cid;

	if (!dagcbor_find_item(map, STR("action"), DAGCBOR_TEXT, &action) ||
	    !action_parse(action.text, &op->action) ||
	    !dagcbor_find_item(map, STR("path"), DAGCBOR_TEXT, &path) ||
	    path_parse(path.text, &op->collection, &op->rkey) < 0 ||
	    op_link(map, STR("cid"), &has_cid, &op->cid) < 0 ||
	    op_link(map, STR("prev"), &op->has_prev, &op->prev) < 0)
		return -1;
	op->path = path.text;
	if (has_cid != (op->action != FIREHOSE_DELETE))
		return -1;
	return op->action == FIREHOSE_CREATE && op->has_prev ? -1 : 0;
}

void
firehose_next_op(struct dagcbor *ops, struct firehose_op *op_out)
{
	struct firehose_op op = { .action = FIREHOSE_CREATE };

	(void)!op_read(*ops, &op);	/* was checked by firehose_read() */
	*op_out = op;
	dagcbor_skip(ops);
}

static int
check_ops(const struct reader *r, struct firehose_event *event)
{
	struct dagcbor_item head;
	struct dagcbor at;

	if (!dagcbor_find(r->map, STR("ops"), &at))
		return bad_field(r, "ops");
	head = dagcbor_next(&at);
	if (head.type != DAGCBOR_ARRAY)
		return bad_field(r, "ops");
	if (head.count > LIMIT_EVENT_OPS)
		return fault_set(r->fault, FAULT_FRAME_OPS, r->offset);
	event->op_count = head.count;
	event->ops = at;
	for (uint64_t i = 0; i < head.count; i++) {
		struct firehose_op op;

		if (op_read(at, &op) < 0)
			return fault_set(r->fault, FAULT_FRAME_OP, r->offset);
		dagcbor_skip(&at);
	}
	return 0;
}

/* --- the types of event --- */

static int
read_seq(const struct reader *r, struct firehose_event *event)
{
	struct dagcbor_item item;

	if (!has_value(r, "seq", &item) || item.type != DAGCBOR_INT)
		return bad_field(r, "seq");
	if (item.integer < 1 || item.integer > FIREHOSE_SEQ_MAX)
		return fault_set(r->fault, FAULT_FRAME_SEQ, r->offset);
	event->seq = (uint64_t)item.integer;
	return 0;
}

/* What all events about an account have. */
static int
read_common(const struct reader *r, const char *did_name, struct firehose_event *event)
{
	struct str time;

	if (read_seq(r, event) < 0 || need_text(r, did_name, &event->did) < 0 ||
	    need_text(r, "time", &time) < 0)
		return -1;
	if (!did_is_valid(event->did))
		return bad_field(r, did_name);
	if (datetime_parse(time, &event->time_ms) < 0)
		return bad_field(r, "time");
	return 0;
}

static int
read_rev(const struct reader *r, struct firehose_event *event)
{
	if (need_text(r, "rev", &event->rev) < 0)
		return -1;
	return tid_is_valid(event->rev) ? 0 : bad_field(r, "rev");
}

static int
read_commit(const struct reader *r, struct firehose_event *event)
{
	bool has_commit;

	if (read_common(r, "repo", event) < 0 || read_rev(r, event) < 0 ||
	    take_text(r, "since", &event->since) < 0 ||
	    take_bool(r, "tooBig", &event->too_big) < 0 ||
	    take_link(r, "commit", &has_commit, &event->commit) < 0 ||
	    take_link(r, "prevData", &event->has_prev_data, &event->prev_data) < 0 ||
	    need_bytes(r, "blocks", &event->blocks) < 0 || check_ops(r, event) < 0)
		return -1;
	return has_commit ? 0 : bad_field(r, "commit");
}

static int
read_sync(const struct reader *r, struct firehose_event *event)
{
	if (read_common(r, "did", event) < 0 || read_rev(r, event) < 0)
		return -1;
	return need_bytes(r, "blocks", &event->blocks);
}

static int
read_identity(const struct reader *r, struct firehose_event *event)
{
	return read_common(r, "did", event);
}

static int
read_account(const struct reader *r, struct firehose_event *event)
{
	struct dagcbor_item item;

	if (read_common(r, "did", event) < 0 ||
	    take_text(r, "status", &event->status) < 0)
		return -1;
	if (!has_value(r, "active", &item) || item.type != DAGCBOR_BOOL)
		return bad_field(r, "active");
	event->active = item.boolean;
	return 0;
}

static int
read_info(const struct reader *r, struct firehose_event *event)
{
	if (need_text(r, "name", &event->name) < 0)
		return -1;
	return take_text(r, "message", &event->message);
}

static int
read_error(const struct reader *r, struct firehose_event *event)
{
	if (need_text(r, "error", &event->name) < 0)
		return -1;
	return take_text(r, "message", &event->message);
}

/* An event of a later version still moves the position, if it has one. */
static int
read_other(const struct reader *r, struct firehose_event *event)
{
	struct dagcbor_item item;
	struct str time;

	if (!has_value(r, "seq", &item) || item.type != DAGCBOR_INT ||
	    item.integer < 1 || item.integer > FIREHOSE_SEQ_MAX)
		return 0;
	event->seq = (uint64_t)item.integer;
	if (take_text(r, "time", &time) < 0 ||
	    datetime_parse(time, &event->time_ms) < 0)
		event->time_ms = 0;
	return 0;
}

typedef int read_fn(const struct reader *r, struct firehose_event *event);

static const struct {
	const char *t;
	enum firehose_type type;
	read_fn *read;
} types[] = {
	{ "#commit", FIREHOSE_COMMIT, read_commit },
	{ "#sync", FIREHOSE_SYNC, read_sync },
	{ "#identity", FIREHOSE_IDENTITY, read_identity },
	{ "#account", FIREHOSE_ACCOUNT, read_account },
	{ "#info", FIREHOSE_INFO, read_info },
};

#define OP_MESSAGE	1
#define OP_ERROR	(-1)

static int
read_header(struct bytes header, struct firehose_event *event, read_fn **read_out,
    struct fault *fault)
{
	struct dagcbor map = dagcbor_read(header);
	struct dagcbor_item op, t;

	if (!dagcbor_find_item(map, STR("op"), DAGCBOR_INT, &op))
		return fault_set(fault, FAULT_FRAME_HEADER, 0);
	event->type = FIREHOSE_OTHER;
	*read_out = read_other;
	if (op.integer == OP_ERROR) {
		event->type = FIREHOSE_ERROR;
		*read_out = read_error;
		return 0;
	}
	if (op.integer != OP_MESSAGE)
		return 0;
	if (!dagcbor_find_item(map, STR("t"), DAGCBOR_TEXT, &t))
		return fault_set(fault, FAULT_FRAME_HEADER, 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(types); i++) {
		if (str_eq(t.text, str_from(types[i].t))) {
			event->type = types[i].type;
			*read_out = types[i].read;
		}
	}
	return 0;
}

int
firehose_read(struct bytes frame, struct firehose_event *event_out, struct fault *fault)
{
	struct firehose_event event = { .type = FIREHOSE_OTHER };
	struct reader r = { .fault = fault };
	struct bytes body;
	read_fn *read;
	size_t len;

	if (frame.len > LIMIT_FRAME_BYTES)
		return fault_set(fault, FAULT_FRAME_SIZE, LIMIT_FRAME_BYTES);
	if (dagcbor_check_first(frame, &len, fault) < 0)
		return -1;
	if (len > LIMIT_FRAME_HEADER_BYTES)
		return fault_set(fault, FAULT_FRAME_HEADER, 0);
	if (read_header((struct bytes){ frame.ptr, len }, &event, &read, fault) < 0)
		return -1;
	body = (struct bytes){ frame.ptr + len, frame.len - len };
	r.offset = len;
	if (dagcbor_check(body, fault) < 0) {
		fault->offset += len;
		return -1;
	}
	r.map = dagcbor_read(body);
	if (read(&r, &event) < 0)
		return -1;
	*event_out = event;
	return 0;
}

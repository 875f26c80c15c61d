#include <stdlib.h>

#include "common/limits.h"
#include "common/mem.h"
#include "workers/records_link_impl.h"
#include "workers/rows_link.h"

struct link_question {
	struct link_slot slot;		/* once it is sent */
	bool is_waiting;
	TAILQ_ENTRY(link_question) of_waiting;

	/* The message, whose text and bytes are in `kept` until it is sent. */
	struct msg msg;
	struct buf kept;		/* owned */

	/* What came of it; those that its kind can get. */
	link_state_cb *on_state;
	link_tally_cb *on_tally;
	link_count_cb *on_count;
	link_row_cb *on_row;
	link_record_cb *on_record;
	link_repo_cb *on_repo;
	link_end_cb *on_end;
	void *arg;
};

static struct link_question *
question_of(struct link_slot *slot)
{
	return (struct link_question *)(void *)slot;
}

static void
free_question(struct link_question *question)
{
	buf_clear(&question->kept);
	free(question);
}

static void
free_slot(struct link_slot *slot)
{
	free_question(question_of(slot));
}

/* --- sending --- */

static bool on_question_msg(struct link_slot *slot, const struct msg *msg);

static const struct link_slot_kind question_kind = { on_question_msg, NULL, free_slot };

/* Every question starts with its lane. */
static void
set_lane(struct msg *msg, uint64_t lane)
{
	switch ((int)msg->type) {
	case MSG_TYPE_LOOK:
		msg->look.lane = lane;
		break;
	case MSG_TYPE_TALLY:
		msg->tally.lane = lane;
		break;
	case MSG_TYPE_COUNT:
		msg->count.lane = lane;
		break;
	case MSG_TYPE_ROWS:
		msg->rows.lane = lane;
		break;
	case MSG_TYPE_ROW_GET:
		msg->row_get.lane = lane;
		break;
	case MSG_TYPE_RECORDS:
		msg->records.lane = lane;
		break;
	case MSG_TYPE_REPOS:
		msg->repos.lane = lane;
		break;
	}
}

/* Send as many of those that wait as the indexer takes. */
static void
send_waiting(struct records_link *link)
{
	struct link_question *question;

	while (link->asked < LIMIT_QUESTIONS &&
	    (question = TAILQ_FIRST(&link->waiting)) != NULL) {
		TAILQ_REMOVE(&link->waiting, question, of_waiting);
		question->is_waiting = false;
		link->asked++;
		link_slot_add(link, &question->slot, &question_kind);
		set_lane(&question->msg, question->slot.id);
		link_slot_send(&question->slot, &question->msg);
		buf_clear(&question->kept);
	}
}

/* It is answered, or not wanted any more. */
static void
end_question(struct link_question *question)
{
	question->slot.link->asked--;
	link_slot_remove(&question->slot);
}

void
link_question_cancel(struct link_question **question_at)
{
	struct link_question *question = *question_at;
	struct records_link *link;

	if (question == NULL)
		return;
	*question_at = NULL;
	link = question->slot.link;
	if (question->is_waiting) {
		TAILQ_REMOVE(&link->waiting, question, of_waiting);
	} else {
		link_slot_abort(&question->slot);
		end_question(question);
		send_waiting(link);
	}
	free_question(question);
}

void
link_questions_clear(struct records_link *link)
{
	struct link_question *question;

	while ((question = TAILQ_FIRST(&link->waiting)) != NULL) {
		TAILQ_REMOVE(&link->waiting, question, of_waiting);
		free_question(question);
	}
}

/* --- answers --- */

/* A part of an answer; false: not of this one. */
static bool
tell_part(struct link_question *question, const struct msg *msg)
{
	if (msg->type == MSG_TYPE_ROW && question->on_row != NULL)
		question->on_row(msg->row.key, msg->row.value, question->arg);
	else if (msg->type == MSG_TYPE_RECORD && question->on_record != NULL)
		question->on_record(&msg->record, question->arg);
	else if (msg->type == MSG_TYPE_REPO && question->on_repo != NULL)
		question->on_repo(&msg->repo, question->arg);
	else
		return false;
	return true;
}

static bool
is_end(const struct link_question *question, enum msg_type type)
{
	return type == MSG_TYPE_REFUSE ||
	    (type == MSG_TYPE_END && question->on_end != NULL) ||
	    (type == MSG_TYPE_STATE && question->on_state != NULL) ||
	    (type == MSG_TYPE_ACK && question->on_tally != NULL) ||
	    (type == MSG_TYPE_COUNTED && question->on_count != NULL);
}

static void
tell_end(struct link_question *question, const struct msg *msg)
{
	const struct msg_refuse *why = msg->type == MSG_TYPE_REFUSE ? &msg->refuse : NULL;

	if (question->on_state != NULL)
		question->on_state(why == NULL ? &msg->state : NULL, why, question->arg);
	else if (question->on_tally != NULL)
		question->on_tally(why == NULL ? &msg->ack : NULL, why, question->arg);
	else if (question->on_count != NULL)
		question->on_count(why == NULL ? &msg->counted : NULL, why, question->arg);
	else
		question->on_end(why, question->arg);
}

static bool
on_question_msg(struct link_slot *slot, const struct msg *msg)
{
	struct link_question *question = question_of(slot);
	struct records_link *link = slot->link;

	if (!is_end(question, msg->type))
		return tell_part(question, msg);
	end_question(question);
	tell_end(question, msg);
	free_question(question);
	send_waiting(link);
	return true;
}

/* --- asking --- */

static struct bytes
keep(struct link_question *question, struct bytes from)
{
	struct bytes to = { buf_data(&question->kept) + buf_len(&question->kept), from.len };

	buf_add(&question->kept, from.ptr, from.len);
	return to;
}

static struct bytes
bytes_of(struct str text)
{
	return (struct bytes){ (const uint8_t *)text.ptr, text.len };
}

static struct str
keep_str(struct link_question *question, struct str from)
{
	struct bytes to = keep(question, bytes_of(from));

	return (struct str){ (const char *)to.ptr, to.len };
}

/* kept_bytes: room for all that will be kept, so that none of it moves. */
static struct link_question *
make(enum msg_type type, size_t kept_bytes, void *arg)
{
	struct link_question *question = xcalloc(1, sizeof(*question));

	question->msg.type = type;
	question->arg = arg;
	(void)buf_reserve(&question->kept, kept_bytes + 1);
	return question;
}

static struct link_question *
ask(struct records_link *link, struct link_question *question)
{
	question->slot.link = link;
	question->is_waiting = true;
	TAILQ_INSERT_TAIL(&link->waiting, question, of_waiting);
	send_waiting(link);
	return question;
}

struct link_question *
records_look(struct records_link *link, struct str did, link_state_cb *on_state,
    void *arg)
{
	struct link_question *question = make(MSG_TYPE_LOOK, did.len, arg);

	question->on_state = on_state;
	question->msg.look = (struct msg_look){ .did = keep_str(question, did) };
	return ask(link, question);
}

struct link_question *
records_tally(struct records_link *link, link_tally_cb *on_tally, void *arg)
{
	struct link_question *question = make(MSG_TYPE_TALLY, 0, arg);

	question->on_tally = on_tally;
	question->msg.tally = (struct msg_tally){ 0 };
	return ask(link, question);
}

struct link_question *
records_count(struct records_link *link, struct str collection, link_count_cb *on_count,
    void *arg)
{
	struct link_question *question = make(MSG_TYPE_COUNT, collection.len, arg);

	question->on_count = on_count;
	question->msg.count = (struct msg_count){
		.collection = keep_str(question, collection),
	};
	return ask(link, question);
}

struct link_question *
rows_read(struct records_link *link, unsigned table, struct bytes prefix,
    struct bytes after, uint64_t limit, link_row_cb *on_row, link_end_cb *on_end,
    void *arg)
{
	struct link_question *question = make(MSG_TYPE_ROWS, prefix.len + after.len, arg);

	question->on_row = on_row;
	question->on_end = on_end;
	question->msg.rows = (struct msg_rows){
		.table = table,
		.prefix = keep(question, prefix),
		.after = keep(question, after),
		.limit = limit,
	};
	return ask(link, question);
}

struct link_question *
rows_get(struct records_link *link, unsigned table, struct bytes key,
    link_row_cb *on_row, link_end_cb *on_end, void *arg)
{
	struct link_question *question = make(MSG_TYPE_ROW_GET, key.len, arg);

	question->on_row = on_row;
	question->on_end = on_end;
	question->msg.row_get = (struct msg_row_get){
		.table = table, .key = keep(question, key),
	};
	return ask(link, question);
}

struct link_question *
records_walk(struct records_link *link, const struct records_walk *walk,
    link_record_cb *on_record, link_end_cb *on_end, void *arg)
{
	struct link_question *question = make(MSG_TYPE_RECORDS, walk->did.len +
	    walk->collection.len + walk->after_did.len + walk->after_path.len, arg);

	question->on_record = on_record;
	question->on_end = on_end;
	question->msg.records = (struct msg_records){
		.did = keep_str(question, walk->did),
		.collection = keep_str(question, walk->collection),
		.after_did = keep_str(question, walk->after_did),
		.after_path = keep_str(question, walk->after_path),
		.limit = walk->limit,
	};
	return ask(link, question);
}

struct link_question *
repos_walk(struct records_link *link, enum repos_order order, struct bytes after,
    uint64_t limit, link_repo_cb *on_repo, link_end_cb *on_end, void *arg)
{
	struct link_question *question = make(MSG_TYPE_REPOS, after.len, arg);

	question->on_repo = on_repo;
	question->on_end = on_end;
	question->msg.repos = (struct msg_repos){
		.order = order, .after = keep(question, after), .limit = limit,
	};
	return ask(link, question);
}

#include "ctl/command.h"

#include <inttypes.h>

#include "common/clock.h"
#include "common/human.h"
#include "ctl/heading.h"
#include "ctl/outcome.h"
#include "ctl/text.h"
#include "op/op_json.h"
#include "op/op_progress.h"

#define EVENTS_SHOWN	8	/* the last ones, without --events */
#define ITEMS_SHOWN	5	/* the first ones, without --items */

/* --- for people --- */

static void
add_label(struct buf *to, const char *label)
{
	buf_printf(to, "  %-11s ", label);
}

static void
add_line(struct buf *to, const char *label, struct str text, const struct term *term)
{
	if (str_is_empty(text))
		return;
	add_label(to, label);
	(void)text_add(to, text, TEXT_UNCUT, term->is_utf8);
	buf_add_byte(to, '\n');
}

static void
add_time(struct buf *to, const char *label, uint64_t wall_ms)
{
	char time[HUMAN_SIZE], ago[HUMAN_SIZE];

	human_time((int64_t)wall_ms, time);
	human_ago((int64_t)wall_ms, clock_wall_ms(), ago);
	add_label(to, label);
	buf_printf(to, "%s (%s)", time, ago);
}

static void
add_status(struct buf *to, const struct op *op, const struct term *term)
{
	enum term_colour colour = term_status_colour(op_status(op));

	add_label(to, "status");
	term_colour_on(term, colour, to);
	buf_add_str(to, str_from(op_status_word(op_status(op))));
	term_colour_off(term, colour, to);
	if (op_is_being_cancelled(op))
		buf_add_str(to, STR(", being cancelled"));
	else if (op_is_paused(op))
		buf_printf(to, ", %s", op_condition(op));
	else if (op_status(op) == OP_RUNNING && !str_is_empty(op->stage)) {
		buf_add_str(to, STR(": "));
		(void)text_add(to, op->stage, TEXT_UNCUT, term->is_utf8);
	}
	buf_add_byte(to, '\n');
}

static void
add_times(struct buf *to, const struct op *op, const struct term *term)
{
	char took[HUMAN_SIZE];

	add_time(to, "accepted", op->created_ms);
	if (!str_is_empty(op->started_by)) {
		buf_add_str(to, STR(", by "));
		(void)text_add(to, op->started_by, TEXT_UNCUT, term->is_utf8);
	}
	buf_add_byte(to, '\n');
	if (op->started_ms != 0) {
		add_time(to, "started", op->started_ms);
		if (op->attempt > 1)
			buf_printf(to, ", attempt %" PRIu64, op->attempt);
		if (op_status(op) == OP_RUNNING && op->worker_pid != 0)
			buf_printf(to, ", pid %" PRIu64, op->worker_pid);
		buf_add_byte(to, '\n');
	}
	if (op_is_paused(op)) {
		add_time(to, "paused", op->paused_ms);
		buf_add_str(to, STR(", by "));
		(void)text_add(to, op->paused_by, TEXT_UNCUT, term->is_utf8);
		buf_add_byte(to, '\n');
	}
	if (op->completed_ms != 0) {
		human_duration(outcome_took_ms(op), took);
		add_time(to, "ended", op->completed_ms);
		buf_printf(to, ", after %s\n", took);
	}
	if (op->cancel_asked_ms != 0) {
		add_time(to, "cancelled", op->cancel_asked_ms);
		buf_add_str(to, STR(", by "));
		(void)text_add(to, op->cancelled_by, TEXT_UNCUT, term->is_utf8);
		buf_add_byte(to, '\n');
	}
}

static void
add_progress(struct buf *to, const struct op *op)
{
	char done[HUMAN_SIZE], figure[HUMAN_SIZE];
	struct op_progress is = op_progress(op);
	uint64_t eta_secs;
	unsigned percent;

	human_count(op->records_processed, done);
	add_label(to, "records");
	buf_add_str(to, str_from(done));
	if (is.is_of_stage) {
		human_count(is.done, done);
		buf_printf(to, "\n");
		add_label(to, "this stage");
		buf_add_str(to, str_from(done));
	}
	if (op_percent(op, &percent)) {
		human_count(is.total, figure);
		buf_printf(to, " of %s, %u%%", figure, percent);
	}
	if (op_status(op) == OP_RUNNING && op->rate_milli > 0) {
		human_rate(op->rate_milli, figure);
		buf_printf(to, ", %s", figure);
	}
	if (op_eta_secs(op, &eta_secs)) {
		human_duration((int64_t)eta_secs * 1000, figure);
		buf_printf(to, ", %s to go", figure);
	}
	buf_add_byte(to, '\n');
	if (op->items_failed > 0) {
		human_count(op->items_failed, done);
		add_label(to, "failed");
		buf_printf(to, "%s %s\n", done, op->items_failed == 1 ? "item" : "items");
	}
}

static void
add_results(struct buf *to, const struct op *op)
{
	char cpu[HUMAN_SIZE], memory[HUMAN_SIZE], fetched[HUMAN_SIZE];

	if (op_status(op) == OP_COMPLETED) {
		add_label(to, "index");
		outcome_format_changes(op, to);
		buf_add_byte(to, '\n');
	}
	if (op->bytes_fetched > 0) {
		human_bytes(op->bytes_fetched, fetched);
		add_label(to, "fetched");
		buf_printf(to, "%s\n", fetched);
	}
	if (op->max_rss_kib > 0) {
		human_duration((int64_t)op->cpu_ms, cpu);
		human_bytes(op->max_rss_kib * 1024, memory);
		add_label(to, "used");
		buf_printf(to, "%s of CPU, %s of memory at most\n", cpu, memory);
	}
	if (op->exit_status != 0) {
		add_label(to, "process");
		outcome_format_exit(op, to);
		buf_add_byte(to, '\n');
	}
}

static void
add_op(struct buf *to, const struct op *op, const struct term *term)
{
	heading_format(op, term, to);
	buf_add_str(to, STR("\n\n"));
	add_status(to, op, term);
	add_line(to, "error", op->error_text, term);
	add_line(to, "class", op->error_class, term);
	add_line(to, "reason", op->cancel_reason, term);
	add_times(to, op, term);
	add_progress(to, op);
	add_results(to, op);
}

static void
add_event(struct buf *to, const struct msg_event *event, const struct term *term)
{
	char time[HUMAN_SIZE];

	human_time((int64_t)event->at_ms, time);
	buf_printf(to, "  %s.%03u  %-12.*s  ", time, (unsigned)(event->at_ms % 1000),
	    STR_FMT(event->event));
	(void)text_add(to, event->text, TEXT_UNCUT, term->is_utf8);
	buf_add_byte(to, '\n');
}

static void
add_item(struct buf *to, const struct msg_item *item, const struct term *term)
{
	buf_add_str(to, STR("  "));
	(void)text_add(to, item->item, TEXT_UNCUT, term->is_utf8);
	buf_add_str(to, STR("  "));
	(void)text_add(to, item->class, TEXT_UNCUT, term->is_utf8);
	buf_add_str(to, STR(": "));
	(void)text_add(to, item->text, TEXT_UNCUT, term->is_utf8);
	buf_add_byte(to, '\n');
}

/* --- asking --- */

typedef void on_entry_cb(const struct msg *msg, void *arg);

/* Ask for a list that belongs to the operation and hand out its entries. */
static int
each_entry(struct ctl *ctl, struct msg question, enum msg_type type,
    on_entry_cb *on_entry, void *arg, struct err *err)
{
	struct msg msg;

	if (ctl_ask(ctl, &question, err) == -1)
		return -1;
	for (;;) {
		if (ctl_answer(ctl, CTL_ANSWER_TIMEOUT_MS, &msg, err) == -1)
			return -1;
		if (msg.type == MSG_TYPE_END_LIST)
			return 0;
		if (msg.type != type)
			return ctl_unexpected(&msg, err);
		on_entry(&msg, arg);
	}
}

static int
each_event(struct ctl *ctl, const char *id, on_entry_cb *on_entry, void *arg,
    struct err *err)
{
	struct msg question = { .type = MSG_TYPE_EVENTS, .events = { .id = str_from(id) } };

	return each_entry(ctl, question, MSG_TYPE_EVENT, on_entry, arg, err);
}

static int
each_item(struct ctl *ctl, const char *id, on_entry_cb *on_entry, void *arg,
    struct err *err)
{
	struct msg question = { .type = MSG_TYPE_ITEMS, .items = { .id = str_from(id) } };

	return each_entry(ctl, question, MSG_TYPE_ITEM, on_entry, arg, err);
}

struct excerpt {
	const struct term *term;
	struct buf lines;
	size_t starts[EVENTS_SHOWN];	/* of the last ones, in lines; a ring */
	size_t count, most;		/* seen; shown at most */
};

static void
collect_event(const struct msg *msg, void *arg)
{
	struct excerpt *excerpt = arg;

	excerpt->starts[excerpt->count++ % EVENTS_SHOWN] = buf_len(&excerpt->lines);
	add_event(&excerpt->lines, &msg->event, excerpt->term);
}

static void
collect_item(const struct msg *msg, void *arg)
{
	struct excerpt *excerpt = arg;

	if (excerpt->count++ < excerpt->most)
		add_item(&excerpt->lines, &msg->item, excerpt->term);
}

static int
show_events(struct ctl *ctl, const char *id, bool all, struct buf *to, struct err *err)
{
	struct excerpt excerpt = { .term = &ctl->term, .lines = BUF_INIT };
	int rc = each_event(ctl, id, collect_event, &excerpt, err);

	if (rc == 0 && !all && excerpt.count > EVENTS_SHOWN) {
		buf_consume(&excerpt.lines, excerpt.starts[excerpt.count % EVENTS_SHOWN]);
		buf_printf(to, "\nThe last %d of %zu events (all: --events):\n",
		    EVENTS_SHOWN, excerpt.count);
	} else if (rc == 0 && excerpt.count > 0) {
		buf_add_str(to, STR("\nEvents:\n"));
	}
	if (rc == 0)
		buf_add_str(to, buf_str(&excerpt.lines));
	buf_clear(&excerpt.lines);
	return rc;
}

static int
show_items(struct ctl *ctl, const char *id, bool all, struct buf *to, struct err *err)
{
	struct excerpt excerpt = { .term = &ctl->term, .lines = BUF_INIT,
	    .most = all ? SIZE_MAX : ITEMS_SHOWN };
	int rc = each_item(ctl, id, collect_item, &excerpt, err);

	if (rc == 0 && excerpt.count > excerpt.most)
		buf_printf(to, "\nThe first %d of %zu failed items (all: --items):\n",
		    ITEMS_SHOWN, excerpt.count);
	else if (rc == 0 && excerpt.count > 0)
		buf_add_str(to, STR("\nFailed items:\n"));
	if (rc == 0)
		buf_add_str(to, buf_str(&excerpt.lines));
	buf_clear(&excerpt.lines);
	return rc;
}

/* --- for programs --- */

static void
write_event(const struct msg *msg, void *arg)
{
	op_json_event(arg, (int64_t)msg->event.at_ms, msg->event.event, msg->event.text);
}

static void
write_item(const struct msg *msg, void *arg)
{
	op_json_item(arg, (int64_t)msg->item.at_ms, msg->item.item, msg->item.class,
	    msg->item.text);
}

static int
show_json(struct ctl *ctl, const struct args *args, const struct op *op,
    struct buf *to, struct err *err)
{
	const char *id = args->operands[0];
	struct json json = json_to(to);

	json_object_begin(&json);
	op_json_members(&json, op, OP_KEBAB);
	if (args_has(args, "events")) {
		json_name(&json, STR("events"));
		json_array_begin(&json);
		if (each_event(ctl, id, write_event, &json, err) == -1)
			return -1;
		json_array_end(&json);
	}
	if (args_has(args, "items")) {
		json_name(&json, STR("items"));
		json_array_begin(&json);
		if (each_item(ctl, id, write_item, &json, err) == -1)
			return -1;
		json_array_end(&json);
	}
	json_object_end(&json);
	buf_add_byte(to, '\n');
	return 0;
}

static int
show_text(struct ctl *ctl, const struct args *args, const struct op *op,
    struct buf *to, struct err *err)
{
	const char *id = args->operands[0];
	bool all_events = args_has(args, "events"), all_items = args_has(args, "items");

	add_op(to, op, &ctl->term);
	if (show_events(ctl, id, all_events, to, err) == -1)
		return -1;
	return show_items(ctl, id, all_items, to, err);
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct msg msg = { .type = MSG_TYPE_GET };
	struct buf text = BUF_INIT;
	struct err err;
	int rc;

	msg.get.id = str_from(args->operands[0]);
	rc = ctl_ask(ctl, &msg, &err);
	if (rc == 0)
		rc = ctl_answer_with(ctl, CTL_ANSWER_TIMEOUT_MS, MSG_TYPE_OP, &msg, &err);
	if (rc == 0)
		rc = ctl->is_json ? show_json(ctl, args, &msg.op.op, &text, &err) :
		    show_text(ctl, args, &msg.op.op, &text, &err);
	if (rc == 0)
		term_write(&text);
	buf_clear(&text);
	return rc == 0 ? EXIT_OK : ctl_fail(ctl, &err);
}

static const struct args_option options[] = {
	{ "events", 0, NULL, "its whole history" },
	{ "items", 0, NULL, "all items that could not be done" },
	{ 0 },
};

const struct command command_show = {
	.name = "show",
	.operands = "ID",
	.summary = "show all about one operation",
	.details =
	    "Without options it ends with the last events and the first items that\n"
	    "could not be done.  With --json these are there only if asked for.\n",
	.options = options,
	.operands_least = 1,
	.operands_most = 1,
	.run = run,
};

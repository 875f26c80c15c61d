#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/human.h"
#include "common/limits.h"
#include "ctl/heading.h"
#include "ctl/outcome.h"
#include "ctl/suggest.h"
#include "ctl/table.h"
#include "op/op_progress.h"
#include "op/op_type.h"

#define DEFAULT_LIMIT	20

static const struct table_column columns[] = {
	{ "ID", false, 0 },
	{ "TYPE", false, 0 },
	{ "STATUS", false, 0 },
	{ "RECORDS", true, 0 },
	{ "DONE", true, 0 },
	{ "STARTED", false, 0 },
	{ "TOOK", true, 0 },
	{ "SUBJECT", false, 12 },
	{ "ERROR", false, 8 },
};

struct listing {
	struct ctl *ctl;
	struct table *table;	/* owned */
	uint64_t left;		/* how many more are wanted */
	char cursor[128];	/* where the next page starts; empty: that was all */
};

static void
add_times(struct table *table, const struct op *op, const struct term *term,
    int64_t now_ms)
{
	char text[HUMAN_SIZE];
	char date[DATETIME_SIZE];
	int64_t took_ms = -1;

	if (term->is_tty) {
		human_ago((int64_t)op->created_ms, now_ms, text);
		table_add(table, str_from(text));
	} else {
		datetime_format((int64_t)op->created_ms, date);
		table_add(table, str_from(date));
	}
	text[0] = '\0';
	if (op_status_is_terminal(op_status(op)))
		took_ms = outcome_took_ms(op);
	else if (op_status(op) == OP_RUNNING)
		took_ms = now_ms - (int64_t)op->started_ms;
	if (took_ms >= 0)
		human_clock((uint64_t)took_ms / 1000, text);
	table_add(table, str_from(text));
}

static void
add_progress(struct table *table, const struct op *op, const struct term *term)
{
	char text[HUMAN_SIZE];
	unsigned percent;

	if (term->is_tty)
		human_count(op->records_processed, text);
	else
		(void)snprintf(text, sizeof(text), "%" PRIu64, op->records_processed);
	table_add(table, str_from(text));
	text[0] = '\0';
	if (op_percent(op, &percent))
		(void)snprintf(text, sizeof(text), "%u%%", percent);
	table_add(table, str_from(text));
}

static void
add_row(struct table *table, const struct op *op, const struct term *term,
    int64_t now_ms)
{
	enum op_status status = op_status(op);
	struct buf text = BUF_INIT;

	table_add(table, op->id);
	table_add(table, op->type);
	table_add_coloured(table, str_from(op_condition(op)), term_status_colour(status));
	add_progress(table, op, term);
	add_times(table, op, term, now_ms);
	heading_format_subject(op, &text);
	table_add(table, buf_str(&text));
	buf_reset(&text);
	if (status == OP_CANCELLED)
		buf_add_str(&text, op->cancel_reason);
	else if (!str_is_empty(op->error_text))
		buf_add_str(&text, op->error_text);
	else if (op->items_failed > 0)
		buf_printf(&text, "%" PRIu64 " items", op->items_failed);
	table_add_coloured(table, buf_str(&text), status == OP_FAILED ? TERM_RED :
	    TERM_PLAIN);
	buf_clear(&text);
}

static int
read_page(struct listing *listing, const struct msg_list *filter, struct err *err)
{
	struct ctl *ctl = listing->ctl;
	struct msg msg = { .type = MSG_TYPE_LIST, .list = *filter };
	int64_t now_ms = clock_wall_ms();

	msg.list.cursor = str_from(listing->cursor);
	msg.list.limit = listing->left < LIMIT_LIST_PAGE ? listing->left : LIMIT_LIST_PAGE;
	if (ctl_ask(ctl, &msg, err) == -1)
		return -1;
	for (;;) {
		if (ctl_answer(ctl, CTL_ANSWER_TIMEOUT_MS, &msg, err) == -1)
			return -1;
		if (msg.type == MSG_TYPE_END_LIST)
			break;
		if (msg.type != MSG_TYPE_OP)
			return ctl_unexpected(&msg, err);
		if (ctl->is_json)
			ctl_print_json_op(&msg.op.op);
		else
			add_row(listing->table, &msg.op.op, &ctl->term, now_ms);
		if (listing->left > 0)
			listing->left--;
	}
	(void)str_copy(listing->cursor, sizeof(listing->cursor), msg.end_list.cursor);
	return 0;
}

static void
print_table(const struct listing *listing)
{
	const struct term *term = &listing->ctl->term;
	struct buf text = BUF_INIT;

	if (table_rows(listing->table) == 0) {
		(void)fprintf(stderr, "No operations.\n");
		return;
	}
	table_format(listing->table, term, term->is_tty ? term_columns() : TABLE_NO_WIDTH, &text);
	term_write(&text);
	buf_clear(&text);
	if (listing->cursor[0] != '\0' && term->is_tty)
		(void)fprintf(stderr, "There are more: --limit N or --all shows them.\n");
}

/* -1 with an err that names what can be asked for. */
static int
fill_filter(const struct args *args, struct msg_list *filter, struct err *err)
{
	const char *status = args_value(args, "status"), *type = args_value(args, "type");
	const struct op_type *known = op_type_find(str_from(type));
	enum op_status parsed;

	*filter = (struct msg_list){ .status = str_from(status), .type = str_from(type) };
	if (known != NULL)
		filter->type = str_from(known->kebab);
	if (status != NULL && op_status_parse(filter->status, &parsed) == -1)
		return err_set(err, ERR_INVALID, "--status %s: has to be queued, running, "
		    "completed, failed or cancelled", status);
	return 0;
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct listing listing = { .ctl = ctl };
	struct msg_list filter;
	struct err err;
	int rc;

	if (fill_filter(args, &filter, &err) == -1 || args_number(args, "limit",
	    DEFAULT_LIMIT, 1, UINT32_MAX, &listing.left, &err) == -1)
		return ctl_usage(ctl, "%s", err.text);
	if (args_has(args, "all"))
		listing.left = UINT64_MAX;
	listing.table = table_new(columns, BF_ARRAY_LEN(columns));
	do {
		rc = read_page(&listing, &filter, &err);
	} while (rc == 0 && listing.left > 0 && listing.cursor[0] != '\0');
	if (rc == 0 && !ctl->is_json)
		print_table(&listing);
	table_free(&listing.table);
	return rc == 0 ? EXIT_OK : ctl_fail(ctl, &err);
}

static const struct args_option options[] = {
	{ "status", 0, "S", "only queued, running, completed, failed or cancelled ones" },
	{ "type", 0, "TYPE", "only of this type" },
	{ "limit", 0, "N", "at most so many (20)" },
	{ "all", 0, NULL, "all there are" },
	{ 0 },
};

const struct command command_list = {
	.name = "list",
	.operands = "",
	.summary = "list operations, the newest first",
	.options = options,
	.run = run,
};

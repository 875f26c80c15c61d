/*
 * h_operation.c - the dashboard's page of one operation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "api/api.h"
#include "api/chart.h"
#include "api/handlers.h"
#include "api/items.h"
#include "api/page.h"
#include "api/request.h"
#include "api/type_info.h"
#include "common/human.h"
#include "op/op_progress.h"
#include "op/op_type.h"
#include "store/ops.h"

/* --- figures --- */

static void
figure_begin(struct buf *to, const char *label)
{
	buf_printf(to, "<div><dt>%s</dt><dd>", label);
}

static void
figure_count(struct buf *to, const char *label, uint64_t number)
{
	figure_begin(to, label);
	html_count(to, number);
	html(to, "</dd></div>");
}

static void
figure_text(struct buf *to, const char *label, struct str text)
{
	figure_begin(to, label);
	html_text(to, text);
	html(to, "</dd></div>");
}

static void
figure_time(struct page *page, const char *label, uint64_t at_ms)
{
	if (at_ms == 0)
		return;
	figure_begin(page->to, label);
	html_ago(page->to, (int64_t)at_ms, page->now_ms);
	html(page->to, "</dd></div>");
}

static void
write_exit(struct buf *to, const struct op *op)
{
	int status = (int)(op->exit_status - 1);
	const char *word;
	char text[64];

	if (op->exit_status == 0)
		return;
	if (!WIFSIGNALED(status)) {
		(void)snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(status));
	} else {
		word = sigabbrev_np(WTERMSIG(status));
		(void)snprintf(text, sizeof(text), "SIG%s%s", word != NULL ? word : "?",
		    op->was_killed ? ", as it did not stop" : "");
	}
	figure_text(to, "Process", str_from(text));
}

static void
write_usage(struct buf *to, const struct op *op)
{
	char text[HUMAN_SIZE];

	if (op->attempt == 0)
		return;
	human_bytes(op->bytes_fetched, text);
	figure_text(to, "Fetched", str_from(text));
	if (op->cpu_ms > 0) {
		human_duration((int64_t)op->cpu_ms, text);
		figure_text(to, "CPU time", str_from(text));
		human_bytes(op->max_rss_kib * 1024, text);
		figure_text(to, "Peak memory", str_from(text));
	}
	figure_count(to, "Attempt", op->attempt);
}

static void
write_figures(struct page *page, const struct op *op)
{
	struct buf *to = page->to;

	html(to, "<dl class=\"facts\">");
	/* While it runs, they stand beside its bar. */
	if (op_status(op) != OP_RUNNING) {
		figure_count(to, "Processed", op->records_processed);
		if (op->records_total > 0)
			figure_count(to, "Total", op->records_total);
		figure_begin(to, "Failed");
		html_failed(to, op->items_failed);
		html(to, "</dd></div>");
	}
	figure_count(to, "Created", op->records_created);
	figure_count(to, "Updated", op->records_updated);
	figure_count(to, "Deleted", op->records_deleted);
	write_usage(to, op);
	figure_begin(to, op_status(op) == OP_RUNNING ? "Running for" : "Took");
	page_duration(page, op);
	html(to, "</dd></div>");
	figure_text(to, "Started by", op->started_by);
	figure_time(page, "Accepted", op->created_ms);
	figure_time(page, "Ended", op->completed_ms);
	if (!str_is_empty(op->cancelled_by))
		figure_text(to, "Cancelled by", op->cancelled_by);
	if (!str_is_empty(op->tier))
		figure_text(to, "Tier", op->tier);
	if (op->batch_size > 0)
		figure_count(to, "Batch size", op->batch_size);
	write_exit(to, op);
	html(to, "</dl>\n");
}

/* --- its story --- */

static bool
on_event(const struct ops_event *event, void *arg)
{
	struct page *page = arg;
	struct buf *to = page->to;

	buf_printf(to, "<li class=\"%s\"><span class=\"what\">%s</span>",
	    op_event_word(event->event), op_event_word(event->event));
	if (!str_is_empty(event->text)) {
		html(to, "<span class=\"text\">");
		html_text(to, event->text);
		html(to, "</span>");
	}
	html_ago(to, event->at_ms, page->now_ms);
	html(to, "</li>\n");
	return true;
}

static int
write_events(struct page *page, struct ops_read *read, struct str id, struct err *err)
{
	html(page->to, "<section aria-labelledby=\"events-h\"><h2 id=\"events-h\">What happened"
	    "</h2><ol class=\"events\">\n");
	if (ops_events(read, id, on_event, page, err) == -1)
		return -1;
	html(page->to, "</ol></section>\n");
	return 0;
}

static void
write_chart(struct page *page, const struct op *op)
{
	struct samples_view view;

	if (!samples_get(page->request->api->samples, op->id, &view) || view.count < 2 ||
	    view.most <= 0)
		return;
	html(page->to, "<section id=\"chart\">");
	chart_write(page->to, &view);
	html(page->to, "</section>\n");
}

/* --- what can be done --- */

static void
hidden(struct buf *to, const char *name, struct str value)
{
	if (str_is_empty(value))
		return;
	buf_printf(to, "<input type=\"hidden\" name=\"%s\" value=\"", name);
	html_text(to, value);
	html(to, "\">");
}

static void
write_again(struct page *page, const struct op *op)
{
	struct buf *to = page->to;

	html(to, "<form method=\"post\" action=\"/start\">");
	page_form_token(page);
	hidden(to, "type", op->type);
	hidden(to, "did", op->did);
	hidden(to, "pdsUrl", op->pds_url);
	hidden(to, "uri", op->uri);
	hidden(to, "tier", op->tier);
	hidden(to, "itemsOf", op->items_of);
	if (op->batch_size > 0)
		buf_printf(to, "<input type=\"hidden\" name=\"batchSize\" value=\"%llu\">",
		    (unsigned long long)op->batch_size);
	html(to, "<button>Run again</button></form>");
}

static void
write_retry(struct page *page, const struct op *op)
{
	const struct op_type *type = op_type_find(op->type);

	if (type == NULL || type->retry == OP_RETRY_NONE || op->items_failed == 0)
		return;
	html(page->to, "<form method=\"post\" action=\"/start\">");
	page_form_token(page);
	hidden(page->to, "type", op->type);
	hidden(page->to, "itemsOf", op->id);
	html(page->to, "<button class=\"primary\">Retry what failed</button></form>");
}

static void
write_actions(struct page *page, const struct op *op)
{
	if (!page->may_change)
		return;
	html(page->to, "<div class=\"actions\">");
	if (op_status_is_terminal(op_status(op))) {
		write_retry(page, op);
		write_again(page, op);
	} else {
		page_pause_form(page, op);
		page_cancel_form(page, op);
	}
	html(page->to, "</div>");
}

/* --- the page --- */

static void
write_top(struct page *page, const struct op *op)
{
	struct buf *to = page->to;

	html(to, "<div class=\"title one\"><div><h1>");
	page_type(page, op->type);
	html(to, "</h1>");
	page_badge(page, op);
	html(to, "</div>");
	write_actions(page, op);
	html(to, "</div>\n<p class=\"subtitle\">");
	page_target(page, op);
	html(to, "<code class=\"id\">");
	html_text(to, op->id);
	html(to, "</code></p>\n");
	if (!str_is_empty(op->error_text)) {
		html(to, "<p class=\"notice bad\"><strong>");
		html_text(to, str_is_empty(op->error_class) ? STR("failed") : op->error_class);
		html(to, "</strong> ");
		html_text(to, op->error_text);
		html(to, "</p>\n");
	}
	if (!str_is_empty(op->cancel_reason)) {
		html(to, "<p class=\"notice\"><strong>Reason to cancel:</strong> ");
		html_text(to, op->cancel_reason);
		html(to, "</p>\n");
	}
	if (op_status(op) == OP_RUNNING)
		page_progress(page, op);
}

/* What a form of ours says it did, after its redirect. */
static void
write_told(struct page *page)
{
	static const struct {
		const char *word, *text;
	} texts[] = {
		{ "started", "It is accepted." },
		{ "cancelled", "It is cancelled: its process has ended." },
		{ "completed", "It was too late to cancel: it had completed." },
		{ "failed", "It was too late to cancel: it had failed." },
		{ "queued", "It was interrupted and is queued again." },
		{ "running", "It is still running." },
		{ "paused", "It is paused: its worker stops between two items." },
		{ "resumed", "It goes on." },
		{ "busy", "The same operation is under way already: this is it." },
	};
	struct str told;
	struct err err;

	if (params_text(&page->request->params, STR("told"), &told, &err) == -1)
		return;
	for (size_t i = 0; i < BF_ARRAY_LEN(texts); i++)
		if (str_eq(told, str_from(texts[i].word)))
			buf_printf(page->to, "<p class=\"notice\" role=\"status\">%s</p>\n",
			    texts[i].text);
}

static int
write_operation(struct page *page, struct ops_read *read, const struct op *op,
    struct err *err)
{
	struct buf *to = page->to;

	html(to, "<nav class=\"crumbs\"><a href=\"/\">← Operations</a></nav>\n");
	write_told(page);
	html(to, "<div id=\"operation\" data-live data-op=\"");
	html_text(to, op->id);
	buf_printf(to, "\" data-status=\"%s\">\n", op_status_word(op_status(op)));
	write_top(page, op);
	write_chart(page, op);
	html(to, "<section aria-labelledby=\"facts-h\"><h2 id=\"facts-h\" class=\"sr\">Figures"
	    "</h2>");
	write_figures(page, op);
	html(to, "</section>\n");
	if (items_write(page, read, op, err) == -1 ||
	    write_events(page, read, op->id, err) == -1)
		return -1;
	html(to, "</div>\n");
	return 0;
}

void
h_operation(struct request *request)
{
	const struct type_info *info;
	struct ops_read *read;
	struct page page;
	struct err err;
	struct op op;
	int rc;

	if (ops_read_begin(request->api->ops, &read, &err) == -1) {
		page_store_error(request, &err);
		return;
	}
	rc = ops_get(read, request->path_arg, &op, &err);
	if (rc == 0) {
		info = type_info_find(op.type);
		page = page_begin(request, 200, info != NULL ? info->title : "Operation");
		rc = write_operation(&page, read, &op, &err);
	}
	ops_read_end(&read);
	if (rc == 0)
		page_end(&page);
	else if (err.code == ERR_NOT_FOUND)
		page_message(request, 404, "There is no such operation",
		    "It may have been an id of another installation.");
	else
		page_store_error(request, &err);
}

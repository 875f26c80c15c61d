#include "api/page.h"

#include <stdio.h>

#include "api/api.h"
#include "api/request.h"
#include "api/session.h"
#include "api/supervisor_link.h"
#include "api/type_info.h"
#include "common/clock.h"
#include "common/human.h"
#include "common/log.h"
#include "op/op_progress.h"

static void
write_head(struct buf *to, const char *title)
{
	html(to, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
	html_text(to, str_from(title));
	html(to, " · backfilld</title>\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">\n"
	    "<link rel=\"stylesheet\" href=\"/assets/style.css\">\n"
	    "<script src=\"/assets/app.js\" defer></script>\n</head>\n");
}

static void
write_bar(struct page *page)
{
	struct buf *to = page->to;
	const struct request *request = page->request;

	html(to, "<header class=\"top\"><div class=\"wrap\">"
	    "<a class=\"brand\" href=\"/\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">"
	    "<path d=\"M4 6h16M4 12h11M4 18h6\"/></svg>backfilld</a>");
	if (request->session != NULL) {
		html(to, "<span id=\"link\" class=\"link\" role=\"status\" hidden></span>"
		    "<form method=\"post\" action=\"/session/end\" class=\"who\">");
		page_form_token(page);
		html(to, "<span class=\"caller\">");
		html_text(to, str_from(request->session->caller));
		html(to, "</span><button class=\"quiet\">Log out</button></form>");
	}
	html(to, "</div></header>\n");
}

struct page
page_begin(struct request *request, unsigned status, const char *title)
{
	struct page page = {
		.to = reply_text(&request->reply, status, "text/html; charset=utf-8"),
		.request = request, .now_ms = clock_wall_ms(),
		.may_change = request->session != NULL && request->session->may_change,
	};

	request->reply.is_for_browser = true;
	write_head(page.to, title);
	html(page.to, "<body");
	if (request->session != NULL) {
		html(page.to, " data-form-token=\"");
		html_text(page.to, str_from(request->session->form_token));
		html(page.to, "\" data-authority=\"");
		html_text(page.to, str_from(request->api->settings.authority));
		html(page.to, "\"");
	}
	html(page.to, ">\n<a class=\"skip\" href=\"#main\">Skip to content</a>\n");
	write_bar(&page);
	html(page.to, "<main id=\"main\" class=\"wrap\">\n");
	if (request->api->link != NULL && !supervisor_link_is_up(request->api->link))
		html(page.to, "<p class=\"notice bad\" role=\"alert\"><strong>The supervisor does "
		    "not answer.</strong> You can look at everything; nothing can be started or "
		    "cancelled until it is back.</p>\n");
	return page;
}

void
page_end(struct page *page)
{
	html(page->to, "</main>\n<div id=\"toasts\" class=\"toasts\" role=\"status\" "
	    "aria-live=\"polite\"></div>\n"
	    "<footer class=\"wrap foot\">backfilld " PACKAGE_VERSION
	    "<span><a href=\"/metrics\">metrics</a> <a href=\"/readyz\">health</a></span>"
	    "</footer>\n</body>\n</html>\n");
}

void
page_message(struct request *request, unsigned status, const char *title,
    const char *text)
{
	struct page page = page_begin(request, status, title);

	html(page.to, "<section class=\"empty lone\"><h1>");
	html_text(page.to, str_from(title));
	html(page.to, "</h1><p>");
	html_text(page.to, str_from(text));
	html(page.to, "</p><p><a class=\"button\" href=\"/\">All operations</a></p></section>\n");
	page_end(&page);
}

void
page_store_error(struct request *request, const struct err *err)
{
	log_error("operations: %s", err->text);
	page_message(request, 503, "The operations cannot be read now",
	    "The reason is in the log of backfill-api.");
}

void
page_form_token(struct page *page)
{
	if (page->request->session == NULL)
		return;
	html(page->to, "<input type=\"hidden\" name=\"form_token\" value=\"");
	html_text(page->to, str_from(page->request->session->form_token));
	html(page->to, "\">");
}

/* --- an operation's parts --- */

void
page_type(struct page *page, struct str type)
{
	const struct type_info *info = type_info_find(type);

	html_text(page->to, info != NULL ? str_from(info->title) : type);
}

void
page_target(struct page *page, const struct op *op)
{
	struct str target = !str_is_empty(op->did) ? op->did :
	    !str_is_empty(op->pds_url) ? op->pds_url : op->uri;

	if (!str_is_empty(target)) {
		html(page->to, "<code class=\"target\" title=\"");
		html_text(page->to, target);
		html(page->to, "\">");
		html_text(page->to, target);
		html(page->to, "</code>");
	} else if (!str_is_empty(op->items_of)) {
		html(page->to, "<span class=\"target\">what failed in an earlier one</span>");
	} else {
		html(page->to, "<span class=\"target all\">everything</span>");
	}
}

void
page_badge(struct page *page, const struct op *op)
{
	const char *word = op_condition(op);

	buf_printf(page->to, "<span class=\"badge %s\">%s</span>", word, word);
	if (op_status(op) == OP_COMPLETED && op->items_failed > 0)
		html(page->to, " <span class=\"badge partly\">with errors</span>");
}

static void
write_counts(struct buf *to, const struct op *op)
{
	struct op_progress is = op_progress(op);

	html(to, "<span data-f=\"count\">");
	html_count(to, is.done);
	if (is.total > 0) {
		html(to, " of ");
		html_count(to, is.total);
	}
	if (!is.is_of_stage)
		html(to, " records");
	html(to, "</span>");
}

/* A figure that app.js may fill later is there, but hidden. */
static void
write_figure(struct buf *to, const char *name, const char *text)
{
	buf_printf(to, "<span data-f=\"%s\"%s>%s</span>", name, *text == '\0' ? " hidden" : "",
	    text);
}

static void
write_rates(struct buf *to, const struct op *op)
{
	char figure[HUMAN_SIZE], text[HUMAN_SIZE + 16] = "";
	uint64_t secs;

	/* In whole records, as the events have it. */
	if (op->rate_milli >= 500) {
		human_count((op->rate_milli + 500) / 1000, figure);
		(void)snprintf(text, sizeof(text), "%s/s", figure);
	} else if (op->rate_milli > 0) {
		(void)snprintf(text, sizeof(text), "under 1/s");
	}
	write_figure(to, "rate", text);
	text[0] = '\0';
	if (op_eta_secs(op, &secs)) {
		human_duration((int64_t)secs * 1000, figure);
		(void)snprintf(text, sizeof(text), "%s left", figure);
	}
	write_figure(to, "eta", text);
	text[0] = '\0';
	if (op->items_failed > 0) {
		human_count(op->items_failed, figure);
		(void)snprintf(text, sizeof(text), "%s failed", figure);
	}
	write_figure(to, "failed", text);
}

void
page_progress(struct page *page, const struct op *op)
{
	struct buf *to = page->to;
	unsigned percent;
	bool is_known = op_percent(op, &percent);

	html(to, "<div class=\"progress\"><div class=\"bar\"><progress aria-label=\"Progress\" "
	    "max=\"100\"");
	if (is_known)
		buf_printf(to, " value=\"%u\"", percent);
	html(to, "></progress><strong data-f=\"percent\">");
	if (is_known)
		buf_printf(to, "%u %%", percent);
	html(to, "</strong></div><p class=\"figures\"><span class=\"stage\" data-f=\"stage\">");
	html_text(to, str_is_empty(op->stage) ? STR("starting") : op->stage);
	html(to, "</span>");
	write_counts(to, op);
	write_rates(to, op);
	html(to, "</p></div>");
}

void
page_duration(struct page *page, const struct op *op)
{
	uint64_t from = op->started_ms != 0 ? op->started_ms : op->created_ms;
	uint64_t to = op->completed_ms != 0 ? op->completed_ms : (uint64_t)page->now_ms;
	char text[HUMAN_SIZE];

	if (op->attempt == 0) {
		html(page->to, "–");
		return;
	}
	human_duration(to > from ? (int64_t)(to - from) : 0, text);
	html_text(page->to, str_from(text));
}

void
page_cancel_form(struct page *page, const struct op *op)
{
	struct buf *to = page->to;

	if (!page->may_change || op_status_is_terminal(op_status(op)) ||
	    op_is_being_cancelled(op))
		return;
	html(to, "<form method=\"post\" class=\"cancel\" action=\"/op/");
	html_text(to, op->id);
	html(to, "/cancel\" data-cancel=\"");
	html_text(to, op->id);
	html(to, "\">");
	page_form_token(page);
	html(to, "<button class=\"danger quiet\">Cancel<span class=\"sr\"> ");
	page_type(page, op->type);
	html(to, "</span></button></form>");
}

void
page_pause_form(struct page *page, const struct op *op)
{
	struct buf *to = page->to;
	const char *what = op->paused_ms != 0 ? "resume" : "pause";

	if (!page->may_change || op_status_is_terminal(op_status(op)) ||
	    op_is_being_cancelled(op))
		return;
	html(to, "<form method=\"post\" action=\"/op/");
	html_text(to, op->id);
	buf_printf(to, "/%s\">", what);
	page_form_token(page);
	buf_printf(to, "<button>%s</button></form>", op->paused_ms != 0 ? "Resume" : "Pause");
}

/*
 * h_home.c - the dashboard's first page: what runs, what waits, what can be started,
 * what has ended.
 */
#include "api/api.h"
#include "api/handlers.h"
#include "api/op_query.h"
#include "api/page.h"
#include "api/request.h"
#include "api/type_info.h"
#include "common/limits.h"
#include "op/op_tier.h"
#include "store/ops.h"

#define QUEUE_SHOWN	20
#define HISTORY_PAGE	25

/* A list that is being written. */
struct rows {
	struct page *page;
	unsigned left;			/* to write */
	unsigned count;			/* written */
	char last_id[TID_SIZE];
	bool has_more;
};

static bool
take_row(struct rows *rows, const struct op *op)
{
	if (rows->left == 0) {
		rows->has_more = true;
		return false;
	}
	rows->left--;
	rows->count++;
	(void)str_copy(rows->last_id, sizeof(rows->last_id), op->id);
	return true;
}

static void
write_link(struct page *page, const struct op *op)
{
	html(page->to, "<a href=\"/op/");
	html_text(page->to, op->id);
	html(page->to, "\">");
	page_type(page, op->type);
	html(page->to, "</a>");
}

/* --- running and waiting --- */

static bool
on_running(const struct op *op, void *arg)
{
	struct rows *rows = arg;
	struct page *page = rows->page;
	struct buf *to = page->to;

	if (!take_row(rows, op))
		return false;
	html(to, "<li class=\"card\" data-op=\"");
	html_text(to, op->id);
	html(to, "\"><div class=\"card-head\"><h3>");
	write_link(page, op);
	html(to, "</h3>");
	page_badge(page, op);
	html(to, "<span class=\"when\">started ");
	html_ago(to, (int64_t)op->started_ms, page->now_ms);
	html(to, "</span>");
	page_cancel_form(page, op);
	html(to, "</div>");
	page_target(page, op);
	page_progress(page, op);
	html(to, "</li>\n");
	return true;
}

static bool
on_queued(const struct op *op, void *arg)
{
	struct rows *rows = arg;
	struct page *page = rows->page;

	if (!take_row(rows, op))
		return false;
	html(page->to, "<li><span>");
	write_link(page, op);
	html(page->to, "</span>");
	page_target(page, op);
	html_ago(page->to, (int64_t)op->created_ms, page->now_ms);
	page_cancel_form(page, op);
	html(page->to, "</li>\n");
	return true;
}

static int
write_active(struct page *page, struct ops_read *read, const uint64_t *counts,
    struct err *err)
{
	struct ops_filter running = { .status = OP_RUNNING, .oldest_first = true };
	struct ops_filter queued = { .status = OP_QUEUED, .oldest_first = true };
	struct rows rows = { .page = page, .left = LIMIT_LIST_PAGE };
	struct buf *to = page->to;

	html(to, "<section id=\"active\" data-live aria-labelledby=\"active-h\">"
	    "<h2 id=\"active-h\">Running <span class=\"count\">");
	html_count(to, counts[OP_RUNNING]);
	html(to, "</span></h2>\n");
	if (counts[OP_RUNNING] == 0)
		html(to, "<p class=\"empty\">Nothing is running.</p>\n");
	html(to, "<ul class=\"cards\">\n");
	if (ops_list(read, &running, on_running, &rows, err) == -1)
		return -1;
	html(to, "</ul>\n");
	if (counts[OP_QUEUED] > 0) {
		html(to, "<h3 class=\"sub\">Waiting <span class=\"count\">");
		html_count(to, counts[OP_QUEUED]);
		html(to, "</span></h3>\n<ol class=\"queue\">\n");
		rows = (struct rows){ .page = page, .left = QUEUE_SHOWN };
		if (ops_list(read, &queued, on_queued, &rows, err) == -1)
			return -1;
		html(to, "</ol>\n");
		if (rows.has_more)
			html(to, "<p class=\"more\"><a href=\"/?status=queued#history\">All that "
			    "wait</a></p>\n");
	}
	html(to, "</section>\n");
	return 0;
}

/* --- the forms that start something --- */

static void
write_field(struct buf *to, const char *kebab, const char *name, const char *label,
    const char *input)
{
	buf_printf(to, "<label class=\"field\" for=\"%s-%s\"><span>%s</span>"
	    "<input id=\"%s-%s\" name=\"%s\" %s></label>", kebab, name, label, kebab, name,
	    name, input);
}

static void
write_tiers(struct buf *to, const char *kebab)
{
	static const char *const words[] = {
#define X(NAME, word, idle_ms) word,
		OP_TIERS(X)
#undef X
	};

	buf_printf(to, "<label class=\"field\" for=\"%s-tier\"><span>Tier <small>by how "
	    "lately repositories changed</small></span><select id=\"%s-tier\" "
	    "name=\"tier\"><option value=\"\">every one that is due</option>", kebab, kebab);
	for (size_t i = 0; i < BF_ARRAY_LEN(words); i++)
		buf_printf(to, "<option>%s</option>", words[i]);
	html(to, "</select></label>");
}

static void
write_fields(struct buf *to, const struct op_type *type)
{
	if ((type->takes & OP_PARAM_DID) != 0)
		write_field(to, type->kebab, "did", "DID of the account",
		    "required pattern=\"did:plc:[a-z2-7]{24}|did:web:[a-zA-Z0-9.%\\-]+\" "
		    "maxlength=\"2048\" placeholder=\"did:plc:…\" autocapitalize=\"none\" "
		    "autocorrect=\"off\" spellcheck=\"false\" "
		    "title=\"did:plc: with 24 letters and digits, or did:web: with a host\"");
	if ((type->takes & OP_PARAM_PDS_URL) != 0)
		write_field(to, type->kebab, "pdsUrl", "Server <small>empty: every known "
		    "one</small>", "type=\"url\" maxlength=\"2048\" "
		    "placeholder=\"https://pds.example.org\"");
	if ((type->takes & OP_PARAM_URI) != 0)
		write_field(to, type->kebab, "uri", "AT-URI of the eprint <small>empty: all of "
		    "them</small>", "pattern=\"at://.+\" maxlength=\"8192\" "
		    "placeholder=\"at://did:plc:…/…\" autocapitalize=\"none\" "
		    "spellcheck=\"false\" title=\"at://…\"");
	if ((type->takes & OP_PARAM_TIER) != 0)
		write_tiers(to, type->kebab);
	if ((type->takes & OP_PARAM_BATCH_SIZE) != 0)
		write_field(to, type->kebab, "batchSize", "Batch size <small>empty: the "
		    "default</small>", "type=\"number\" min=\"1\" max=\"100000\" "
		    "inputmode=\"numeric\" placeholder=\"500\"");
}

static void
write_start_form(struct page *page, const struct op_type *type)
{
	const struct type_info *info = type_info_find(str_from(type->kebab));
	struct buf *to = page->to;

	if (info == NULL)
		return;
	buf_printf(to, "<details name=\"start\" class=\"start\"><summary><strong>%s</strong>"
	    "<span>%s</span></summary>"
	    "<form method=\"post\" action=\"/start\" data-start=\"%s\"", info->title,
	    info->text, info->title);
	if (info->cost != NULL)
		buf_printf(to, " data-cost=\"%s\"", info->cost);
	buf_printf(to, "><input type=\"hidden\" name=\"type\" value=\"%s\">", type->kebab);
	page_form_token(page);
	write_fields(to, type);
	html(to, "<p class=\"problem\" role=\"alert\" hidden></p>"
	    "<button class=\"primary\">Start</button></form></details>\n");
}

static void
write_start(struct page *page)
{
	if (!page->may_change)
		return;
	html(page->to, "<section aria-labelledby=\"start-h\"><h2 id=\"start-h\">Start</h2>"
	    "<div class=\"starts\">\n");
	for (size_t i = 0; i < op_types_count; i++)
		write_start_form(page, &op_types[i]);
	html(page->to, "</div></section>\n");
}

/* --- history --- */

static void
write_option(struct buf *to, struct str value, const char *label, bool is_selected)
{
	html(to, "<option value=\"");
	html_text(to, value);
	buf_printf(to, "\"%s>%s</option>", is_selected ? " selected" : "", label);
}

static void
write_filters(struct page *page, const struct op_query *query)
{
	static const enum op_status statuses[] = {
		OP_COMPLETED, OP_FAILED, OP_CANCELLED, OP_RUNNING, OP_QUEUED,
	};
	struct buf *to = page->to;

	html(to, "<form class=\"filters\" method=\"get\" action=\"/#history\">"
	    "<label for=\"f-status\" class=\"sr\">Status</label>"
	    "<select id=\"f-status\" name=\"status\">");
	write_option(to, STR_NONE, "Ended, any way", query->status == 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(statuses); i++)
		write_option(to, str_from(op_status_word(statuses[i])),
		    op_status_word(statuses[i]), query->status == statuses[i]);
	html(to, "</select><label for=\"f-type\" class=\"sr\">Type</label>"
	    "<select id=\"f-type\" name=\"type\">");
	write_option(to, STR_NONE, "Every type", str_is_empty(query->type));
	for (size_t i = 0; i < type_infos_count; i++)
		write_option(to, str_from(type_infos[i].kebab), type_infos[i].title,
		    str_eq(query->type, str_from(type_infos[i].kebab)));
	html(to, "</select><button>Show</button></form>");
}

static bool
on_ended(const struct op *op, void *arg)
{
	struct rows *rows = arg;
	struct page *page = rows->page;
	struct buf *to = page->to;

	if (!take_row(rows, op))
		return false;
	html(to, "<tr><td>");
	page_badge(page, op);
	html(to, "</td><td class=\"name\">");
	write_link(page, op);
	page_target(page, op);
	if (!str_is_empty(op->error_text)) {
		html(to, "<span class=\"why\">");
		html_text(to, op->error_text);
		html(to, "</span>");
	}
	html(to, "</td><td class=\"num\" data-label=\"Records\">");
	html_count(to, op->records_processed);
	html(to, "</td><td class=\"num\" data-label=\"Failed\">");
	html_failed(to, op->items_failed);
	html(to, "</td><td class=\"num\" data-label=\"Took\">");
	page_duration(page, op);
	html(to, "</td><td class=\"num\" data-label=\"When\">");
	html_ago(to, (int64_t)(op->completed_ms != 0 ? op->completed_ms : op->created_ms),
	    page->now_ms);
	html(to, "</td></tr>\n");
	return true;
}

static void
write_paging(struct page *page, const struct op_query *query, const struct rows *rows)
{
	struct buf *to = page->to;

	html(to, "<nav class=\"paging\" aria-label=\"Pages\">");
	if (!str_is_empty(query->cursor)) {
		html(to, "<a class=\"button\" href=\"/?status=");
		html_query(to, query->status == 0 ? STR_NONE :
		    str_from(op_status_word(query->status)));
		html(to, "&amp;type=");
		html_query(to, query->type);
		html(to, "#history\">Newest</a>");
	}
	if (rows->has_more) {
		html(to, "<a class=\"button\" rel=\"next\" href=\"/?status=");
		html_query(to, query->status == 0 ? STR_NONE :
		    str_from(op_status_word(query->status)));
		html(to, "&amp;type=");
		html_query(to, query->type);
		html(to, "&amp;cursor=");
		html_query(to, str_from(rows->last_id));
		html(to, "#history\">Older</a>");
	}
	html(to, "</nav>");
}

static int
write_history(struct page *page, struct ops_read *read, const struct op_query *query,
    struct err *err)
{
	struct ops_filter filter = {
		.status = query->status, .finished_only = query->status == 0,
		.type = query->type, .before_id = query->cursor,
	};
	struct rows rows = { .page = page, .left = HISTORY_PAGE };
	struct buf *to = page->to;

	html(to, "<section id=\"history\" aria-labelledby=\"history-h\"><div class=\"section-head\">"
	    "<h2 id=\"history-h\">History</h2>");
	write_filters(page, query);
	html(to, "</div>\n<div id=\"past\" data-live><table class=\"ops\"><thead><tr>"
	    "<th>Status</th><th>Operation</th><th class=\"num\">Records</th>"
	    "<th class=\"num\">Failed</th><th class=\"num\">Took</th>"
	    "<th class=\"num\">When</th></tr></thead><tbody>");
	if (ops_list(read, &filter, on_ended, &rows, err) == -1)
		return -1;
	html(to, "</tbody></table>\n");
	if (rows.count == 0)
		buf_printf(to, "<p class=\"empty\">%s</p>\n", query->status == 0 &&
		    str_is_empty(query->type) && str_is_empty(query->cursor) ?
		    "Nothing has ended yet." : "No operation matches this filter.");
	write_paging(page, query, &rows);
	html(to, "</div></section>\n");
	return 0;
}

static void
write_counts(struct page *page, const uint64_t *counts)
{
	static const enum op_status ends[] = { OP_COMPLETED, OP_FAILED, OP_CANCELLED };
	struct buf *to = page->to;

	html(to, "<div id=\"totals\" data-live class=\"totals\">");
	for (size_t i = 0; i < BF_ARRAY_LEN(ends); i++) {
		const char *word = op_status_word(ends[i]);

		buf_printf(to, "<a class=\"%s\" href=\"/?status=%s#history\"><strong>",
		    counts[ends[i]] > 0 ? word : "none", word);
		html_count(to, counts[ends[i]]);
		buf_printf(to, "</strong> %s</a>", word);
	}
	html(to, "</div>\n");
}

static int
write_home(struct page *page, struct ops_read *read, const struct op_query *query,
    struct err *err)
{
	uint64_t counts[OP_STATUS_COUNT + 1];

	if (ops_count(read, counts, err) == -1)
		return -1;
	html(page->to, "<div class=\"title\"><h1>Operations</h1>");
	write_counts(page, counts);
	html(page->to, "</div>\n");
	if (write_active(page, read, counts, err) == -1)
		return -1;
	write_start(page);
	return write_history(page, read, query, err);
}

/* The filters' "any" is an empty value, which XRPC would refuse. */
static void
drop_empty(struct params *params)
{
	size_t kept = 0;

	for (size_t i = 0; i < params->count; i++)
		if (!str_is_empty(params->list[i].value))
			params->list[kept++] = params->list[i];
	params->count = kept;
}

void
h_home(struct request *request)
{
	struct ops_read *read;
	struct page page;
	struct err err;
	int rc;

	drop_empty(&request->params);
	if (op_query_parse(&request->params, &request->query, &err) == -1) {
		page_message(request, 400, "There is no such list", err.text);
		return;
	}
	if (ops_read_begin(request->api->ops, &read, &err) == -1) {
		page_store_error(request, &err);
		return;
	}
	page = page_begin(request, 200, "Operations");
	rc = write_home(&page, read, &request->query, &err);
	ops_read_end(&read);
	if (rc == -1)
		page_store_error(request, &err);
	else
		page_end(&page);
}

#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/limits.h"
#include "common/utf8.h"
#include "ctl/text.h"
#include "search/search.h"

#define LIMIT_DEFAULT	20
#define INDENT		5	/* columns before each line but the first's number */
#define COLUMNS_DEFAULT	200	/* of a line that goes to a file or a pager */
#define BYTES_PER_COLUMN 16	/* more are accents without end, which take no columns */

struct results {
	const struct ctl *ctl;
	uint64_t number;	/* of the hit, in all pages */
	struct buf text;	/* owned */
};

static void
print_json(const struct search_hit *hit, struct buf *to)
{
	struct json json = json_to(to);

	json_object_begin(&json);
	json_member_str(&json, STR("uri"), hit->uri);
	json_member_str(&json, STR("cid"), hit->cid);
	json_member_str(&json, STR("collection"), hit->collection);
	json_member_str(&json, STR("title"), hit->title);
	json_member_str(&json, STR("snippet"), hit->snippet);
	json_object_end(&json);
	buf_add_byte(to, '\n');
}

/* A title has up to LIMIT_SEARCH_FIELD_BYTES: enough of it to know it again. */
static void
add_cut(const struct term *term, struct str text, struct buf *to)
{
	size_t width = term->is_tty ? term_columns() : COLUMNS_DEFAULT;
	size_t columns = width > INDENT ? width - INDENT : 1;
	struct str start = utf8_cut(text, columns * BYTES_PER_COLUMN);

	if (start.len == text.len) {
		(void)text_add(to, text, columns, term->is_utf8);
	} else {
		size_t wide = text_columns(start, term->is_utf8);

		(void)text_add(to, start, wide > columns ? columns : columns - 1,
		    term->is_utf8);
		if (wide < columns)
			buf_add_str(to, term->is_utf8 ? STR("…") : STR("~"));
	}
}

/* Three lines: what it is called, where it is, why it was found. */
static void
print_text(const struct results *results, const struct search_hit *hit, struct buf *to)
{
	const struct term *term = &results->ctl->term;

	buf_printf(to, "%3" PRIu64 "  ", results->number);
	term_colour_on(term, TERM_BOLD, to);
	add_cut(term, hit->title.len > 0 ? hit->title : hit->collection, to);
	term_colour_off(term, TERM_BOLD, to);
	buf_add_str(to, STR("\n     "));
	term_colour_on(term, TERM_DIM, to);
	(void)text_add(to, hit->uri, TEXT_UNCUT, term->is_utf8);
	term_colour_off(term, TERM_DIM, to);
	if (hit->snippet.len > 0 && !str_eq(hit->snippet, hit->title)) {
		buf_add_str(to, STR("\n     "));
		add_cut(term, hit->snippet, to);
	}
	buf_add_byte(to, '\n');
}

static void
on_hit(const struct search_hit *hit, void *arg)
{
	struct results *results = arg;

	results->number++;
	if (results->ctl->is_json)
		print_json(hit, &results->text);
	else
		print_text(results, hit, &results->text);
}

/* Where the daemon keeps the index. */
static int
open_search(struct ctl *ctl, struct search **search_out, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_STATUS };
	char *dir;

	if (ctl_ask(ctl, &msg, err) == -1 || ctl_answer_with(ctl, CTL_ANSWER_TIMEOUT_MS,
	    MSG_TYPE_DAEMON, &msg, err) == -1)
		return -1;
	if (asprintf(&dir, "%.*s/search", STR_FMT(msg.daemon.state_dir)) == -1)
		abort();
	*search_out = search_new(dir);
	free(dir);
	return 0;
}

static int
print_results(struct ctl *ctl, const struct search_request *request, struct err *err)
{
	struct results results = { .ctl = ctl, .number = request->skip };
	struct search *search;
	bool has_more;
	int rc;

	if (open_search(ctl, &search, err) == -1)
		return -1;
	rc = search_run(search, request, on_hit, &results, &has_more, err);
	search_free(&search);
	term_write(&results.text);
	buf_clear(&results.text);
	if (rc == 0 && !ctl->is_json && results.number == request->skip)
		(void)fprintf(stderr, "Nothing was found.\n");
	if (rc == 0 && !ctl->is_json && has_more)
		(void)fprintf(stderr, "There is more: --skip %" PRIu64 "\n",
		    results.number);
	return rc;
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct search_request request = {
		.text = str_from(args->operands[0]),
		.collection = str_from(args_value(args, "collection")),
	};
	struct err err;

	if (args_number(args, "limit", LIMIT_DEFAULT, 1, LIMIT_LIST_PAGE, &request.limit,
	    &err) == -1 || args_number(args, "skip", 0, 0, LIMIT_SEARCH_SKIP,
	    &request.skip, &err) == -1)
		return ctl_usage(ctl, "%s", err.text);
	if (print_results(ctl, &request, &err) == -1)
		return ctl_fail(ctl, &err);
	return EXIT_OK;
}

static const struct args_option options[] = {
	{ "collection", 'c', "NAME", "only records of this collection" },
	{ "limit", 'n', "N", "at most so many (20)" },
	{ "skip", 0, "N", "leave out the first N" },
	{ 0 },
};

const struct command command_search = {
	.name = "search",
	.operands = "QUERY",
	.summary = "search the indexed records",
	.details =
	    "  two words        both of them\n"
	    "  \"two words\"      next to each other\n"
	    "  electr*          words that begin so\n"
	    "  title:word       in one field: title, abstract, keywords, authors, fields\n"
	    "  word -other      the one without the other\n"
	    "  one OR other     one of them\n",
	.options = options,
	.operands_least = 1,
	.operands_most = 1,
	.run = run,
};

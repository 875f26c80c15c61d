#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "atproto/aturi.h"
#include "common/json.h"
#include "ctl/index_query.h"
#include "ctl/table.h"
#include "rows/citation_row.h"
#include "rows/row_table.h"

static const struct table_column columns[] = {
	{ "EPRINT", false, 12 },
	{ "NO.", true, 0 },
	{ "YEAR", true, 0 },
	{ "TITLE", false, 20 },
	{ "DOI", false, 12 },
	{ "IS", false, 12 },
	{ "BY", false, 0 },
};

struct listing {
	struct table *table;	/* owned; NULL with --json */
	struct buf line;	/* owned */
	uint64_t damaged;
};

static void
add_number(struct table *table, uint64_t number)
{
	char text[24] = "";

	if (number > 0)
		(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	table_add(table, str_from(text));
}

static void
print_row(struct listing *listing, const struct citation_row *row)
{
	struct table *table = listing->table;

	table_add(table, row->eprint_uri);
	add_number(table, (uint64_t)row->place + 1);
	add_number(table, row->year);
	table_add(table, row->title.len > 0 ? row->title : row->raw);
	table_add(table, row->doi);
	table_add(table, row->matched_uri);
	table_add(table, str_from(citation_method_name(row->method)));
}

static void
member(struct json *json, const char *name, struct str text)
{
	if (text.len > 0)
		json_member_str(json, str_from(name), text);
}

/* What is not known has no member. */
static void
print_json(struct listing *listing, const struct citation_row *row)
{
	struct json json = json_to(&listing->line);

	json_object_begin(&json);
	json_member_str(&json, STR("eprint"), row->eprint_uri);
	json_member_u64(&json, STR("number"), (uint64_t)row->place + 1);
	json_member_str(&json, STR("source"), str_from(citation_source_name(row->source)));
	member(&json, "raw", row->raw);
	member(&json, "title", row->title);
	member(&json, "authors", row->authors);
	member(&json, "venue", row->venue);
	member(&json, "volume", row->volume);
	member(&json, "issue", row->issue);
	member(&json, "pages", row->pages);
	if (row->year > 0)
		json_member_u64(&json, STR("year"), row->year);
	member(&json, "doi", row->doi);
	member(&json, "arxivId", row->arxiv);
	if (row->matched_uri.len > 0) {
		json_name(&json, STR("match"));
		json_object_begin(&json);
		json_member_str(&json, STR("uri"), row->matched_uri);
		json_member_str(&json, STR("method"),
		    str_from(citation_method_name(row->method)));
		json_member_u64(&json, STR("confidencePercent"),
		    citation_confidence_percent(row->method));
		json_object_end(&json);
	}
	json_object_end(&json);
	buf_add_byte(&listing->line, '\n');
	term_write(&listing->line);
}

static void
on_row(const struct msg *msg, void *arg)
{
	struct listing *listing = arg;
	struct citation_row row;

	if (citation_row_decode(msg->row.key, msg->row.value, &row) == -1)
		listing->damaged++;
	else if (listing->table != NULL)
		print_row(listing, &row);
	else
		print_json(listing, &row);
}

static int
query(struct ctl *ctl, struct str uri, struct listing *listing, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_ROWS, .rows = {
		.lane = 1, .table = ROW_CITATION,
	} };
	struct buf prefix = BUF_INIT;
	struct client records;
	int rc;

	if (ctl_open_records(ctl, &records, err) == -1)
		return -1;
	if (uri.len > 0)
		citation_row_prefix(&prefix, uri);
	msg.rows.prefix = buf_bytes(&prefix);
	rc = index_query(&records, &msg, MSG_TYPE_ROW, on_row, listing, err);
	client_clear(&records);
	buf_clear(&prefix);
	if (rc == 0 && listing->damaged > 0)
		return err_set(err, ERR_CORRUPT, "%" PRIu64 " rows are damaged and were left "
		    "out", listing->damaged);
	return rc;
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct str uri = args->operands_count > 0 ? str_from(args->operands[0]) : STR_NONE;
	struct listing listing = { .line = BUF_INIT };
	struct buf text = BUF_INIT;
	struct err err;
	int rc;

	if (uri.len > 0 && !aturi_is_valid(uri))
		return ctl_usage(ctl, "%.*s: not an AT-URI", STR_FMT(uri));
	if (!ctl->is_json)
		listing.table = table_new(columns, BF_ARRAY_LEN(columns));
	rc = query(ctl, uri, &listing, &err);
	if (listing.table != NULL) {
		table_format(listing.table, &ctl->term,
		    ctl->term.is_tty ? term_columns() : TABLE_NO_WIDTH, &text);
		if (buf_len(&text) == 0 && rc == 0)
			(void)fprintf(stderr, "No citations are known%s.\n",
			    uri.len > 0 ? " of it" : " yet");
		term_write(&text);
	}
	buf_clear(&text);
	buf_clear(&listing.line);
	table_free(&listing.table);
	return rc == 0 ? EXIT_OK : ctl_fail(ctl, &err);
}

const struct command command_citations = {
	.name = "citations",
	.operands = "[URI]",
	.summary = "list what eprints cite, and which of it is indexed",
	.details =
	    "URI is that of an eprint; without it, those of all are listed.  IS tells the\n"
	    "eprint that a cited work is, BY whether it was found by its DOI or its title.\n",
	.operands_most = 1,
	.run = run,
};

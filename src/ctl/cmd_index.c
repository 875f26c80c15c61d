#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/human.h"
#include "common/json.h"
#include "common/limits.h"
#include "ctl/index_query.h"
#include "ctl/table.h"
#include "rows/cursor_row.h"
#include "rows/desync_row.h"
#include "rows/host_row.h"
#include "rows/identity_row.h"
#include "rows/row_table.h"

struct listing;

/* One table of rows that can be listed.  print takes one row, to the table or as
 * JSON; -1: it is damaged. */
struct kind {
	const char *name;
	enum row_table table;
	const struct table_column *columns;
	size_t columns_count;
	int (*print)(struct listing *listing, const struct msg_row *row);
};

struct listing {
	const struct kind *kind;
	const struct term *term;
	struct table *table;	/* owned; NULL with --json */
	struct buf line;	/* owned; what is being printed as JSON */
	struct json json;
	int64_t now_ms;
	uint64_t damaged;
};

/* --- cells, and members of JSON --- */

static void
begin_json(struct listing *listing)
{
	buf_reset(&listing->line);
	listing->json = json_to(&listing->line);
	json_object_begin(&listing->json);
}

static void
end_json(struct listing *listing)
{
	json_object_end(&listing->json);
	buf_add_byte(&listing->line, '\n');
	term_write(&listing->line);
}

static void
add_text(struct listing *listing, const char *name, struct str text)
{
	if (listing->table != NULL)
		table_add(listing->table, text);
	else
		json_member_str(&listing->json, str_from(name), text);
}

static void
add_number(struct listing *listing, const char *name, uint64_t number)
{
	char text[HUMAN_SIZE];

	if (listing->table == NULL) {
		json_member_u64(&listing->json, str_from(name), number);
		return;
	}
	if (listing->term->is_tty)
		human_count(number, text);
	else
		(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	table_add(listing->table, str_from(text));
}

/* A time that never was has no member. */
static void
add_time(struct listing *listing, const char *name, uint64_t at_ms)
{
	char text[HUMAN_SIZE] = "never", date[DATETIME_SIZE];

	if (listing->table == NULL) {
		if (at_ms != 0)
			json_member_datetime(&listing->json, str_from(name), (int64_t)at_ms);
		return;
	}
	if (at_ms != 0 && listing->term->is_tty) {
		human_ago((int64_t)at_ms, listing->now_ms, text);
	} else if (at_ms != 0) {
		datetime_format((int64_t)at_ms, date);
		(void)str_copy(text, sizeof(text), str_from(date));
	}
	table_add(listing->table, str_from(text));
}

/* --- the tables --- */

static const struct table_column host_columns[] = {
	{ "SERVER", false, 16 },
	{ "FROM", false, 0 },
	{ "REPOS", true, 0 },
	{ "LISTED", false, 0 },
	{ "FAILURES", true, 0 },
	{ "STATE", false, 0 },
	{ "LAST ERROR", false, 12 },
};

static int
print_host(struct listing *listing, const struct msg_row *msg)
{
	struct host_row row;

	if (host_row_decode(msg->key, msg->value, &row) == -1)
		return -1;
	(void)host_row_cut_pauses(&row, listing->now_ms);
	add_text(listing, "origin", row.origin);
	add_text(listing, "source", str_from(host_source_name(row.source)));
	add_number(listing, "repos", row.repos);
	add_time(listing, "listedAt", row.listed_ms);
	add_number(listing, "failures", row.failures);
	add_text(listing, "state",
	    str_from(host_state_word(host_state_at(&row, listing->now_ms))));
	add_text(listing, "lastError", row.last_error);
	if (listing->table != NULL)
		return 0;
	add_time(listing, "firstSeenAt", row.first_seen_ms);
	add_number(listing, "rateMilli", row.rate_milli);
	add_time(listing, "penaltyUntil", row.penalty_until_ms);
	add_time(listing, "parkedUntil", row.parked_until_ms);
	return 0;
}

static const struct table_column identity_columns[] = {
	{ "DID", false, 20 },
	{ "STATUS", false, 0 },
	{ "HANDLE", false, 12 },
	{ "FETCHED", false, 0 },
	{ "SERVER", false, 12 },
};

static int
print_identity(struct listing *listing, const struct msg_row *msg)
{
	struct identity_row row;

	if (identity_row_decode(msg->key, msg->value, &row) == -1)
		return -1;
	add_text(listing, "did", row.did);
	add_text(listing, "status", str_from(identity_status_name(row.status)));
	add_text(listing, "handle", row.handle);
	add_time(listing, "fetchedAt", row.fetched_ms);
	add_text(listing, "pdsUrl", row.pds_url);
	if (listing->table == NULL)
		add_text(listing, "signingKey", row.signing_key);
	return 0;
}

static const struct table_column cursor_columns[] = {
	{ "SERVICE", false, 16 },
	{ "SEQ", true, 0 },
	{ "EVENT", false, 0 },
	{ "SAVED", false, 0 },
};

static int
print_cursor(struct listing *listing, const struct msg_row *msg)
{
	struct cursor_row row;

	if (cursor_row_decode(msg->key, msg->value, &row) == -1)
		return -1;
	add_text(listing, "service", row.service);
	add_number(listing, "seq", row.seq);
	add_time(listing, "eventAt", row.time_ms);
	add_time(listing, "savedAt", row.saved_ms);
	return 0;
}

static const struct table_column desync_columns[] = {
	{ "DID", false, 32 },
	{ "SINCE", false, 0 },
	{ "WHY", false, 20 },
};

static int
print_desync(struct listing *listing, const struct msg_row *msg)
{
	struct desync_row row;

	if (desync_row_decode(msg->key, msg->value, &row) == -1)
		return -1;
	add_text(listing, "did", row.did);
	add_time(listing, "since", row.since_ms);
	add_text(listing, "reason", row.reason);
	return 0;
}

#define KIND(name, table, row)	\
	{ #name, table, row##_columns, BF_ARRAY_LEN(row##_columns), print_##row }
static const struct kind kinds[] = {
	KIND(hosts, ROW_HOST, host),
	KIND(identities, ROW_IDENTITY, identity),
	KIND(cursors, ROW_CURSOR, cursor),
	KIND(desynced, ROW_DESYNC, desync),
};

/* --- the command --- */

static void
on_row(const struct msg *msg, void *arg)
{
	struct listing *listing = arg;

	if (listing->table == NULL)
		begin_json(listing);
	if (listing->kind->print(listing, &msg->row) == -1)
		listing->damaged++;
	else if (listing->table == NULL)
		end_json(listing);
}

static int
query(struct ctl *ctl, struct str prefix, struct listing *listing, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_ROWS, .rows = {
		.lane = 1,
		.table = listing->kind->table,
		.prefix = { (const uint8_t *)prefix.ptr, prefix.len },
	} };
	struct client records;
	int rc;

	if (ctl_open_records(ctl, &records, err) == -1)
		return -1;
	rc = index_query(&records, &msg, MSG_TYPE_ROW, on_row, listing, err);
	client_clear(&records);
	if (rc == 0 && listing->damaged > 0)
		return err_set(err, ERR_CORRUPT, "%" PRIu64 " rows are damaged",
		    listing->damaged);
	return rc;
}

static const struct kind *
find_kind(const char *name)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(kinds); i++)
		if (str_eq(str_from(kinds[i].name), str_from(name)))
			return &kinds[i];
	return NULL;
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct listing listing = { .kind = find_kind(args->operands[0]),
	    .term = &ctl->term, .now_ms = clock_wall_ms() };
	struct str prefix = str_from(args_value(args, "prefix"));
	struct buf text = BUF_INIT;
	struct err err;
	int rc;

	if (listing.kind == NULL)
		return ctl_usage(ctl, "%s: not hosts, identities, cursors or desynced",
		    args->operands[0]);
	if (prefix.len > LIMIT_ROW_KEY_BYTES)
		return ctl_usage(ctl, "--prefix: longer than %d bytes", LIMIT_ROW_KEY_BYTES);
	if (!ctl->is_json)
		listing.table = table_new(listing.kind->columns,
		    listing.kind->columns_count);
	rc = query(ctl, prefix, &listing, &err);
	if (listing.table != NULL) {
		table_format(listing.table, &ctl->term,
		    ctl->term.is_tty ? term_columns() : TABLE_NO_WIDTH, &text);
		if (buf_len(&text) == 0 && rc == 0)
			(void)fprintf(stderr, "No %s are known yet.\n", listing.kind->name);
		term_write(&text);
	}
	buf_clear(&text);
	buf_clear(&listing.line);
	table_free(&listing.table);
	return rc == 0 ? EXIT_OK : ctl_fail(ctl, &err);
}

static const struct args_option options[] = {
	{ "prefix", 0, "TEXT", "only those whose name begins so" },
	{ 0 },
};

const struct command command_index = {
	.name = "index",
	.operands = "WHAT",
	.summary = "list what the index knows beside repositories",
	.details =
	    "  hosts       servers, and how they like to be asked\n"
	    "  identities  what DID documents said\n"
	    "  cursors     how far the streams of services were read\n"
	    "  desynced    repositories that have to be fetched whole\n",
	.options = options,
	.operands_least = 1,
	.operands_most = 1,
	.run = run,
};

#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "atproto/did.h"
#include "common/clock.h"
#include "common/human.h"
#include "common/json.h"
#include "ctl/index_query.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
	{ "DID", false, 20 },
	{ "STATUS", false, 0 },
	{ "RECORDS", true, 0 },
	{ "REV", false, 0 },
	{ "SYNCED", false, 0 },
	{ "SERVER", false, 12 },
};

struct listing {
	const struct term *term;
	struct table *table;	/* owned; NULL with --json */
	int64_t now_ms;
};

static void
print_json(const struct msg_repo *repo)
{
	struct buf line = BUF_INIT;
	struct json json = json_to(&line);

	json_object_begin(&json);
	json_member_str(&json, STR("did"), repo->did);
	json_member_str(&json, STR("pdsUrl"), repo->pds_url);
	json_member_str(&json, STR("rev"), repo->rev);
	json_member_str(&json, STR("status"), repo->status);
	json_member_u64(&json, STR("records"), repo->records);
	if (repo->synced_ms != 0)
		json_member_datetime(&json, STR("syncedAt"), (int64_t)repo->synced_ms);
	if (repo->checked_ms != 0)
		json_member_datetime(&json, STR("checkedAt"), (int64_t)repo->checked_ms);
	json_object_end(&json);
	buf_add_byte(&line, '\n');
	term_write(&line);
	buf_clear(&line);
}

static void
add_row(struct listing *listing, const struct msg_repo *repo)
{
	char records[HUMAN_SIZE], synced[HUMAN_SIZE] = "never", date[DATETIME_SIZE];
	bool is_active = str_eq(repo->status, STR("active"));

	if (listing->term->is_tty)
		human_count(repo->records, records);
	else
		(void)snprintf(records, sizeof(records), "%" PRIu64, repo->records);
	if (repo->synced_ms != 0 && listing->term->is_tty) {
		human_ago((int64_t)repo->synced_ms, listing->now_ms, synced);
	} else if (repo->synced_ms != 0) {
		datetime_format((int64_t)repo->synced_ms, date);
		(void)str_copy(synced, sizeof(synced), str_from(date));
	}
	table_add(listing->table, repo->did);
	table_add_coloured(listing->table, repo->status, is_active ? TERM_GREEN :
	    TERM_YELLOW);
	table_add(listing->table, str_from(records));
	table_add(listing->table, repo->rev);
	table_add(listing->table, str_from(synced));
	table_add(listing->table, repo->pds_url);
}

static void
on_repo(const struct msg *msg, void *arg)
{
	struct listing *listing = arg;

	if (listing->table != NULL)
		add_row(listing, &msg->repo);
	else
		print_json(&msg->repo);
}

static int
query(struct ctl *ctl, struct str did, struct listing *listing, struct err *err)
{
	struct msg msg = { .type = MSG_TYPE_REPOS, .repos = { .lane = 1, .did = did } };
	struct client records;
	int rc;

	if (ctl_open_records(ctl, &records, err) == -1)
		return -1;
	rc = 0;
	if (!str_is_empty(did))
		rc = index_query_has_repo(&records, did, err);
	if (rc == 0)
		rc = index_query(&records, &msg, MSG_TYPE_REPO, on_repo, listing, err);
	client_clear(&records);
	return rc;
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct listing listing = { .term = &ctl->term, .now_ms = clock_wall_ms() };
	struct str did = str_from(args_value(args, "did"));
	struct buf text = BUF_INIT;
	struct err err;
	int rc;

	if (!str_is_empty(did) && !did_is_valid(did))
		return ctl_usage(ctl, "--did %.*s: not a DID", STR_FMT(did));
	if (!ctl->is_json)
		listing.table = table_new(columns, BF_ARRAY_LEN(columns));
	rc = query(ctl, did, &listing, &err);
	if (rc == 0 && listing.table != NULL) {
		table_format(listing.table, &ctl->term,
		    ctl->term.is_tty ? term_columns() : TABLE_NO_WIDTH, &text);
		if (buf_len(&text) == 0)
			(void)fprintf(stderr, "No repositories are indexed yet.\n");
		term_write(&text);
	}
	buf_clear(&text);
	table_free(&listing.table);
	return rc == 0 ? EXIT_OK : ctl_fail(ctl, &err);
}

static const struct args_option options[] = {
	{ "did", 0, "DID", "only this one" },
	{ 0 },
};

const struct command command_repos = {
	.name = "repos",
	.operands = "",
	.summary = "list the repositories that the index knows",
	.options = options,
	.run = run,
};

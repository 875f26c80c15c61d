#include "indexer/scan_impl.h"

#include <stdlib.h>

#include "common/mem.h"
#include "common/number.h"

static void
add_path_prefix(struct buf *to, struct str collection)
{
	if (collection.len == 0 || str_eq(collection, STR("*")))
		return;
	if (collection.len >= 2 && collection.ptr[collection.len - 2] == '.' &&
	    collection.ptr[collection.len - 1] == '*')
		buf_add(to, collection.ptr, collection.len - 1);
	else
		buf_printf(to, "%.*s/", STR_FMT(collection));
}

struct scan *
scan_new(struct peer *peer, struct channel *channel, const struct scan_ask *ask)
{
	struct scan *scan = xcalloc(1, sizeof(*scan));

	scan->kind = ask->kind;
	scan->peer = peer;
	scan->channel = channel;
	scan->lane = ask->lane;
	scan->table = ask->table;
	scan->by_checked = ask->by_checked;
	scan->left = ask->limit != 0 ? ask->limit : UINT64_MAX;
	scan->did = xstrndup(ask->did.ptr, ask->did.len);
	if (ask->after_did.len > 0)
		scan->after_did = xstrndup(ask->after_did.ptr, ask->after_did.len);
	buf_add(&scan->key, ask->key.ptr, ask->key.len);
	add_path_prefix(&scan->key, ask->collection);
	buf_add(&scan->after, ask->after.ptr, ask->after.len);
	buf_add_str(&scan->after, ask->after_path);
	scan->repo_id = ask->after_id;
	scan->repo_ms = ask->after_ms;
	return scan;
}

void
scan_free(struct scan **scan)
{
	if (*scan == NULL)
		return;
	buf_clear(&(*scan)->key);
	buf_clear(&(*scan)->after);
	free((*scan)->did);
	free((*scan)->after_did);
	free(*scan);
	*scan = NULL;
}

bool
scan_may_go_on(const struct step *step)
{
	return step->rows > 0 && step->scan->left > 0 &&
	    !channel_is_clogged(step->scan->channel);
}

void
scan_count_row(struct step *step)
{
	step->rows--;
	step->scan->left--;
}

static void
send_repo(struct step *step, const struct repo_row *row)
{
	uint8_t cursor[16];
	size_t cursor_len = 0;
	struct msg msg = { .type = MSG_TYPE_REPO, .repo = {
		.lane = step->scan->lane,
		.did = row->did,
		.pds_url = row->pds_url,
		.rev = row->rev,
		.status = row->status,
		.records = row->records,
		.synced_ms = (uint64_t)row->synced_ms,
		.id = row->id,
		.commit_cid = row->commit_cid,
		.data_cid = row->data_cid,
		.checked_ms = (uint64_t)row->checked_ms,
	} };

	if (step->scan->by_checked) {
		u64_encode(cursor, (uint64_t)row->checked_ms);
		cursor_len = 8;
	}
	u64_encode(cursor + cursor_len, row->id);
	msg.repo.cursor = (struct bytes){ cursor, cursor_len + 8 };
	channel_send(step->scan->channel, &msg);
}

static void
send_record(struct step *step, const struct record_row *row)
{
	struct msg msg = { .type = MSG_TYPE_ENTRY, .entry = {
		.lane = step->scan->lane,
		.path = row->path,
		.cid = row->cid,
	} };

	if (step->scan->kind == SCAN_RECORDS)
		msg = (struct msg){ .type = MSG_TYPE_RECORD, .record = {
			.lane = step->scan->lane,
			.did = step->did,
			.path = row->path,
			.cid = row->cid,
			.record = row->record,
		} };
	channel_send(step->scan->channel, &msg);
}

static bool
on_record(const struct record_row *row, void *arg)
{
	struct step *step = arg;
	struct buf *after = &step->scan->after;

	send_record(step, row);
	buf_reset(after);
	buf_add_str(after, row->path);
	scan_count_row(step);
	return scan_may_go_on(step);
}

static bool
on_repo(const struct repo_row *row, void *arg)
{
	struct step *step = arg;

	send_repo(step, row);
	step->scan->repo_id = row->id;
	step->scan->repo_ms = row->checked_ms;
	scan_count_row(step);
	return scan_may_go_on(step);
}

static bool
take_repo(const struct repo_row *row, void *arg)
{
	struct step *step = arg;

	step->repo = *row;
	step->has_repo = true;
	return false;
}

/* The repository to read next: the one asked for, or the one after the last. */
static int
find_repo(struct step *step, struct err *err)
{
	struct scan *scan = step->scan;

	step->has_repo = false;
	if (scan->did[0] == '\0')
		return records_each_repo(step->read, scan->repo_id, take_repo, step, err);
	if (scan->repo_id != 0)
		return 0;
	if (records_get_repo(step->read, str_from(scan->did), &step->repo, err) == 0)
		step->has_repo = true;
	else if (scan->kind == SCAN_RECORDS || err->code != ERR_NOT_FOUND)
		return -1;
	return 0;
}

/* Stand where the question says; that a repository is, but maybe no record. */
static int
find_start(struct step *step, struct err *err)
{
	struct scan *scan = step->scan;

	if (records_get_repo(step->read, str_from(scan->after_did), &step->repo, err) == -1)
		return -1;
	scan->repo_id = step->repo.id;
	scan->is_inside = true;
	free(scan->after_did);
	scan->after_did = NULL;
	return 0;
}

/* Records of the repository that the scan stands in; done with it when there was
 * room for more. */
static int
read_inside(struct step *step, struct err *err)
{
	struct scan *scan = step->scan;
	struct repo_row row;

	if (records_get_repo_by_id(step->read, scan->repo_id, &row, err) == -1)
		return -1;
	step->did = row.did;
	if (records_each(step->read, scan->repo_id, buf_str(&scan->after),
	    buf_str(&scan->key), on_record, step, err) == -1)
		return -1;
	scan->is_inside = !scan_may_go_on(step);
	return 0;
}

static int
read_records(struct step *step, bool *is_done_out, struct err *err)
{
	struct scan *scan = step->scan;

	if (scan->after_did != NULL && find_start(step, err) == -1)
		return -1;
	while (scan_may_go_on(step)) {
		if (!scan->is_inside) {
			if (find_repo(step, err) == -1)
				return -1;
			if (!step->has_repo) {
				*is_done_out = true;
				return 0;
			}
			/* Also a repository without a match is work done. */
			step->rows--;
			scan->repo_id = step->repo.id;
			scan->is_inside = true;
			buf_reset(&scan->after);
		}
		if (scan_may_go_on(step) && read_inside(step, err) == -1)
			return -1;
	}
	*is_done_out = scan->left == 0;
	return 0;
}

static int
read_repos(struct step *step, bool *is_done_out, struct err *err)
{
	struct scan *scan = step->scan;
	int rc;

	if (scan->did[0] != '\0') {
		if (find_repo(step, err) == -1)
			return -1;
		if (step->has_repo)
			(void)on_repo(&step->repo, step);
		*is_done_out = true;
		return 0;
	}
	if (!scan_may_go_on(step))
		return 0;
	if (scan->by_checked)
		rc = records_each_repo_checked(step->read, scan->repo_ms, scan->repo_id,
		    on_repo, step, err);
	else
		rc = records_each_repo(step->read, scan->repo_id, on_repo, step, err);
	*is_done_out = scan_may_go_on(step) || scan->left == 0;
	return rc;
}

int
scan_step(struct scan *scan, struct records *records, unsigned *rows,
    bool *is_done_out, struct err *err)
{
	struct step step = { .scan = scan, .rows = *rows };
	bool is_done = false;
	int rc = -1;

	if (records_read_begin(records, &step.read, err) == -1)
		return -1;
	switch (scan->kind) {
	case SCAN_ENTRIES:
	case SCAN_RECORDS:
		rc = read_records(&step, &is_done, err);
		break;
	case SCAN_REPOS:
		rc = read_repos(&step, &is_done, err);
		break;
	case SCAN_ROWS:
		rc = scan_rows(&step, &is_done, err);
		break;
	case SCAN_ROW:
		rc = scan_row(&step, &is_done, err);
		break;
	case SCAN_STATE:
		rc = scan_state(&step, &is_done, err);
		break;
	case SCAN_TALLY:
		rc = scan_tally(&step, &is_done, err);
		break;
	case SCAN_COUNT:
		rc = scan_counts(&step, &is_done, err);
		break;
	}
	records_read_end(&step.read);
	*rows = step.rows;
	if (rc == -1)
		return -1;
	if (is_done && scan->kind < SCAN_STATE)
		channel_send(scan->channel, &(struct msg){ .type = MSG_TYPE_END,
		    .end = { .lane = scan->lane } });
	*is_done_out = is_done;
	return 0;
}

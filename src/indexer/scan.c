#include "indexer/scan.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

/* One step at work. */
struct step {
	struct scan *scan;
	struct records_read *read;
	unsigned rows;		/* left */
	struct str did;		/* of the repository being read */
	struct repo_row repo;	/* found by find_repo() */
	bool has_repo;
};

static char *
path_prefix(struct str collection)
{
	char *prefix;

	if (collection.len == 0 || str_eq(collection, STR("*")))
		return xstrdup("");
	if (collection.len >= 2 && collection.ptr[collection.len - 2] == '.' &&
	    collection.ptr[collection.len - 1] == '*')
		return xstrndup(collection.ptr, collection.len - 1);
	if (asprintf(&prefix, "%.*s/", STR_FMT(collection)) == -1)
		abort();
	return prefix;
}

struct scan *
scan_new(enum scan_kind kind, struct peer *peer, struct channel *channel,
    uint64_t lane, struct str did, struct str collection)
{
	struct scan *scan = xcalloc(1, sizeof(*scan));

	scan->kind = kind;
	scan->peer = peer;
	scan->channel = channel;
	scan->lane = lane;
	scan->did = xstrndup(did.ptr, did.len);
	scan->prefix = path_prefix(collection);
	return scan;
}

void
scan_free(struct scan **scan)
{
	if (*scan == NULL)
		return;
	buf_clear(&(*scan)->after_path);
	free((*scan)->did);
	free((*scan)->prefix);
	free(*scan);
	*scan = NULL;
}

static bool
may_go_on(const struct step *step)
{
	return step->rows > 0 && !channel_is_clogged(step->scan->channel);
}

static void
send_repo(struct step *step, const struct repo_row *row)
{
	struct msg msg = { .type = MSG_TYPE_REPO, .repo = {
		.lane = step->scan->lane,
		.did = row->did,
		.pds_url = row->pds_url,
		.rev = row->rev,
		.status = row->status,
		.records = row->records,
		.synced_ms = (uint64_t)row->synced_ms,
	} };

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
	struct buf *after = &step->scan->after_path;

	send_record(step, row);
	buf_reset(after);
	buf_add_str(after, row->path);
	step->rows--;
	return may_go_on(step);
}

static bool
on_repo(const struct repo_row *row, void *arg)
{
	struct step *step = arg;

	send_repo(step, row);
	step->scan->repo_id = row->id;
	step->rows--;
	return may_go_on(step);
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
	if (records_each(step->read, scan->repo_id, buf_str(&scan->after_path),
	    str_from(scan->prefix), on_record, step, err) == -1)
		return -1;
	scan->is_inside = !may_go_on(step);
	return 0;
}

static int
read_records(struct step *step, bool *is_done_out, struct err *err)
{
	struct scan *scan = step->scan;

	while (may_go_on(step)) {
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
			buf_reset(&scan->after_path);
		}
		if (may_go_on(step) && read_inside(step, err) == -1)
			return -1;
	}
	return 0;
}

static int
read_repos(struct step *step, bool *is_done_out, struct err *err)
{
	if (step->scan->did[0] != '\0') {
		if (find_repo(step, err) == -1)
			return -1;
		if (step->has_repo)
			(void)on_repo(&step->repo, step);
		*is_done_out = true;
		return 0;
	}
	if (!may_go_on(step))
		return 0;
	if (records_each_repo(step->read, step->scan->repo_id, on_repo, step, err) == -1)
		return -1;
	*is_done_out = may_go_on(step);
	return 0;
}

int
scan_step(struct scan *scan, struct records *records, unsigned *rows,
    bool *is_done_out, struct err *err)
{
	struct step step = { .scan = scan, .rows = *rows };
	bool is_done = false;
	int rc;

	if (records_read_begin(records, &step.read, err) == -1)
		return -1;
	rc = scan->kind == SCAN_REPOS ? read_repos(&step, &is_done, err) :
	    read_records(&step, &is_done, err);
	records_read_end(&step.read);
	*rows = step.rows;
	if (rc == -1)
		return -1;
	if (is_done)
		channel_send(scan->channel, &(struct msg){ .type = MSG_TYPE_END,
		    .end = { .lane = scan->lane } });
	*is_done_out = is_done;
	return 0;
}

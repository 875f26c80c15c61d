#include "indexer/scan_impl.h"

static void
send_row(struct step *step, struct bytes key, struct bytes value)
{
	channel_send(step->scan->channel, &(struct msg){ .type = MSG_TYPE_ROW, .row = {
		.lane = step->scan->lane,
		.key = key,
		.value = value,
	} });
	scan_count_row(step);
}

static bool
on_row(struct bytes key, struct bytes value, void *arg)
{
	struct step *step = arg;
	struct buf *after = &step->scan->after;

	send_row(step, key, value);
	buf_reset(after);
	buf_add(after, key.ptr, key.len);
	return scan_may_go_on(step);
}

int
scan_rows(struct step *step, bool *is_done_out, struct err *err)
{
	struct scan *scan = step->scan;

	if (!scan_may_go_on(step))
		return 0;
	if (records_each_row(step->read, scan->table, buf_bytes(&scan->key),
	    buf_bytes(&scan->after), on_row, step, err) == -1)
		return -1;
	*is_done_out = scan_may_go_on(step) || scan->left == 0;
	return 0;
}

int
scan_row(struct step *step, bool *is_done_out, struct err *err)
{
	struct bytes key = buf_bytes(&step->scan->key), value;

	if (!scan_may_go_on(step))
		return 0;
	if (records_get_row(step->read, step->scan->table, key, &value, err) == 0)
		send_row(step, key, value);
	else if (err->code != ERR_NOT_FOUND)
		return -1;
	*is_done_out = true;
	return 0;
}

void
scan_send_state(struct channel *channel, uint64_t lane, const struct repo_row *row)
{
	channel_send(channel, &(struct msg){ .type = MSG_TYPE_STATE, .state = {
		.lane = lane,
		.is_known = row->did.len > 0,
		.pds_url = row->pds_url,
		.rev = row->rev,
		.commit_cid = row->commit_cid,
		.data_cid = row->data_cid,
		.status = row->status,
		.selection = row->selection,
		.records = row->records,
		.synced_ms = (uint64_t)row->synced_ms,
		.id = row->id,
		.checked_ms = (uint64_t)row->checked_ms,
	} });
}

int
scan_state(struct step *step, bool *is_done_out, struct err *err)
{
	struct repo_row row = { .id = 0 };

	if (!scan_may_go_on(step))
		return 0;
	if (records_get_repo(step->read, str_from(step->scan->did), &row, err) == -1 &&
	    err->code != ERR_NOT_FOUND)
		return -1;
	scan_send_state(step->scan->channel, step->scan->lane, &row);
	scan_count_row(step);
	*is_done_out = true;
	return 0;
}

int
scan_tally(struct step *step, bool *is_done_out, struct err *err)
{
	struct records_changes changes;

	if (!scan_may_go_on(step))
		return 0;
	if (records_get_tally(step->read, buf_str(&step->scan->key), &changes, err) == -1)
		return -1;
	channel_send(step->scan->channel, &(struct msg){ .type = MSG_TYPE_ACK, .ack = {
		.lane = step->scan->lane,
		.created = changes.created,
		.updated = changes.updated,
		.deleted = changes.deleted,
	} });
	scan_count_row(step);
	*is_done_out = true;
	return 0;
}

int
scan_counts(struct step *step, bool *is_done_out, struct err *err)
{
	struct records_count count;

	if (!scan_may_go_on(step))
		return 0;
	if (records_get_count(step->read, buf_str(&step->scan->key), &count, err) == -1)
		return -1;
	channel_send(step->scan->channel, &(struct msg){ .type = MSG_TYPE_COUNTED,
	    .counted = {
		.lane = step->scan->lane,
		.records = count.records,
		.repos = count.repos,
	} });
	scan_count_row(step);
	*is_done_out = true;
	return 0;
}

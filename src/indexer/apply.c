#include "indexer/apply.h"

static int
apply_change(struct records_write *write, uint64_t repo_id,
    const struct stage_change *change, struct lane_result *result, struct err *err)
{
	enum record_effect effect;
	bool was_there;

	if (change->is_delete) {
		if (records_delete(write, repo_id, change->path, &was_there, err) == -1)
			return -1;
		result->deleted += was_there;
		return 0;
	}
	if (records_put(write, repo_id, change->path, change->cid, change->record,
	    &effect, err) == -1)
		return -1;
	result->created += effect == RECORD_CREATED;
	result->updated += effect == RECORD_UPDATED;
	return 0;
}

/* All changes of one lane; result is valid once the write is committed. */
static int
apply_lane(struct records_write *write, struct lane *lane, struct err *err)
{
	struct stage_change change;
	bool has_one;
	uint64_t repo_id;

	lane->result = (struct lane_result){ .has_failed = false };
	if (records_repo_id(write, str_from(lane->did), &repo_id, err) == -1 ||
	    stage_rewind(lane->stage, err) == -1)
		return -1;
	for (;;) {
		if (stage_next(lane->stage, &change, &has_one, err) == -1)
			return -1;
		if (!has_one)
			return records_put_repo(write, &lane->commit, err);
		if (apply_change(write, repo_id, &change, &lane->result, err) == -1)
			return -1;
	}
}

static void
set_failed(struct lane *lane, const struct err *why)
{
	lane->result = (struct lane_result){ .has_failed = true, .why = *why };
}

/* One transaction for the lanes of the group that can be applied at all. */
static int
try_together(struct records *records, struct lane_queue *group, struct err *err)
{
	struct records_write *write;
	struct lane *lane;

	if (records_write_begin(records, &write, err) == -1)
		return -1;
	TAILQ_FOREACH(lane, group, of_ready) {
		if (lane->is_broken)
			continue;
		if (apply_lane(write, lane, err) == -1) {
			records_write_abort(&write);
			return -1;
		}
	}
	return records_write_commit(&write, err);
}

static int
try_alone(struct records *records, struct lane *lane, struct err *err)
{
	struct records_write *write;

	if (records_write_begin(records, &write, err) == -1)
		return -1;
	if (apply_lane(write, lane, err) == -1) {
		records_write_abort(&write);
		return -1;
	}
	return records_write_commit(&write, err);
}

void
apply_group(struct records *records, struct lane_queue *group)
{
	struct lane *lane;
	struct err err;
	bool is_done = try_together(records, group, &err) == 0;

	/* A dead reader may hold pages that would be free otherwise. */
	if (!is_done && err.code == ERR_DISK_FULL)
		(void)records_check_readers(records);
	TAILQ_FOREACH(lane, group, of_ready) {
		if (lane->is_broken)
			set_failed(lane, &lane->why);
		else if (!is_done && try_alone(records, lane, &err) == -1)
			set_failed(lane, &err);
	}
}

#include "indexer/apply.h"

static struct bytes
bytes_of(struct str text)
{
	return (struct bytes){ (const uint8_t *)text.ptr, text.len };
}

static void
count_effect(struct records_changes *changes, enum record_effect effect)
{
	changes->created += effect == RECORD_CREATED;
	changes->updated += effect == RECORD_UPDATED;
}

static int
apply_put(struct records_write *write, uint64_t repo_id,
    const struct stage_change *change, struct records_changes *changes, struct err *err)
{
	enum record_effect effect;
	int rc;

	if (change->kind == STAGE_PUT)
		rc = records_put(write, repo_id, change->key, change->cid, change->record,
		    &effect, err);
	else
		rc = records_put_row(write, change->table, bytes_of(change->key),
		    change->record, &effect, err);
	if (rc == 0)
		count_effect(changes, effect);
	return rc;
}

static int
apply_delete(struct records_write *write, uint64_t repo_id,
    const struct stage_change *change, struct records_changes *changes, struct err *err)
{
	uint64_t deleted = 0;
	bool was_there = false;
	int rc;

	if (change->kind == STAGE_DELETE)
		rc = records_delete(write, repo_id, change->key, &was_there, err);
	else if (change->kind == STAGE_ROW_DELETE)
		rc = records_delete_row(write, change->table, bytes_of(change->key),
		    &was_there, err);
	else
		rc = records_clear_rows(write, change->table, bytes_of(change->key),
		    &deleted, err);
	changes->deleted += deleted + was_there;
	return rc;
}

static int
apply_change(struct records_write *write, uint64_t repo_id,
    const struct stage_change *change, struct records_changes *changes, struct err *err)
{
	switch (change->kind) {
	case STAGE_PUT:
	case STAGE_ROW_PUT:
		return apply_put(write, repo_id, change, changes, err);
	case STAGE_DELETE:
	case STAGE_ROW_DELETE:
	case STAGE_ROW_CLEAR:
		return apply_delete(write, repo_id, change, changes, err);
	case STAGE_CHECKED:
		return records_set_checked(write, change->key, change->at_ms, err);
	}
	return err_set(err, ERR_CORRUPT, "stage: a change of kind %d", (int)change->kind);
}

/* What ends a commit: the word about the repository, and what was changed. */
static int
finish_lane(struct records_write *write, struct lane *lane, struct err *err)
{
	const struct records_changes *changes = &lane->result.changes;

	if (lane->kind == LANE_REPO && records_put_repo(write, &lane->commit, err) == -1)
		return -1;
	if (!lane->is_counted || lane->op_id[0] == '\0' ||
	    changes->created + changes->updated + changes->deleted == 0)
		return 0;
	return records_add_tally(write, str_from(lane->op_id), changes, err);
}

/* All changes of one lane; result is valid once the write is committed. */
static int
apply_lane(struct records_write *write, struct lane *lane, struct err *err)
{
	struct stage_change change;
	uint64_t repo_id = 0;
	bool has_one;

	lane->result = (struct lane_result){ .has_failed = false };
	if (lane->kind == LANE_REPO &&
	    records_repo_id(write, str_from(lane->did), &repo_id, err) == -1)
		return -1;
	if (stage_rewind(lane->stage, err) == -1)
		return -1;
	for (;;) {
		if (stage_next(lane->stage, &change, &has_one, err) == -1)
			return -1;
		if (!has_one)
			return finish_lane(write, lane, err);
		if (apply_change(write, repo_id, &change, &lane->result.changes, err) == -1)
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

#include "atproto/diff.h"

#include <assert.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/mem.h"

/* What is known of one of the two sides. */
enum side {
	SIDE_UNKNOWN,		/* the next one has to be asked for */
	SIDE_HELD,
	SIDE_ENDED,
};

struct diff {
	/* borrowed */
	struct repo_walk *walk;
	struct repo_record record;
	enum side repo, index;
	struct cid row_cid;
	struct diff_counts counts;
	bool has_last;		/* a row was given before */
	/* owned */
	struct buf row_path;	/* stays when the row is used up, to check the order */
	struct buf deleted;	/* the path of a DIFF_DELETE that was handed out */
};

struct diff *
diff_new(struct repo_walk *walk)
{
	struct diff *diff = xcalloc(1, sizeof(*diff));

	diff->walk = walk;
	return diff;
}

void
diff_free(struct diff **diff)
{
	if (*diff == NULL)
		return;
	buf_clear(&(*diff)->row_path);
	buf_clear(&(*diff)->deleted);
	free(*diff);
	*diff = NULL;
}

int
diff_row(struct diff *diff, struct str path, const struct cid *cid, struct fault *fault)
{
	assert(diff->index == SIDE_UNKNOWN);
	if (diff->has_last && str_cmp(buf_str(&diff->row_path), path) >= 0)
		return fault_set_detail(fault, FAULT_DIFF_ORDER, FAULT_NO_OFFSET, path);
	buf_reset(&diff->row_path);
	buf_add_str(&diff->row_path, path);
	diff->row_cid = *cid;
	diff->has_last = true;
	diff->index = SIDE_HELD;
	return 0;
}

void
diff_rows_end(struct diff *diff)
{
	assert(diff->index == SIDE_UNKNOWN);
	diff->index = SIDE_ENDED;
}

static int
next_record(struct diff *diff, struct fault *fault)
{
	int rc = repo_walk_next(diff->walk, &diff->record, fault);

	if (rc < 0)
		return -1;
	diff->repo = rc > 0 ? SIDE_HELD : SIDE_ENDED;
	return 0;
}

static enum diff_step
take_delete(struct diff *diff, struct diff_change *change)
{
	buf_reset(&diff->deleted);
	buf_add_str(&diff->deleted, buf_str(&diff->row_path));
	change->kind = DIFF_DELETE;
	change->path = buf_str(&diff->deleted);
	diff->index = SIDE_UNKNOWN;
	diff->counts.deleted++;
	return DIFF_CHANGED;
}

/* A record that the index has in no version, or in another one. */
static enum diff_step
take_record(struct diff *diff, bool is_indexed, struct diff_change *change)
{
	change->path = diff->record.path;
	change->record = diff->record;
	diff->repo = SIDE_UNKNOWN;
	if (diff->record.bad != FAULT_NONE) {
		change->kind = is_indexed ? DIFF_REFUSE_DELETE : DIFF_REFUSE;
		diff->counts.refused++;
	} else if (is_indexed) {
		change->kind = DIFF_UPDATE;
		diff->counts.updated++;
	} else {
		change->kind = DIFF_CREATE;
		diff->counts.created++;
	}
	return DIFF_CHANGED;
}

/* Both sides have the path. */
static enum diff_step
take_pair(struct diff *diff, struct diff_change *change)
{
	diff->index = SIDE_UNKNOWN;
	if (diff->record.bad == FAULT_NONE && cid_eq(&diff->record.cid, &diff->row_cid)) {
		diff->repo = SIDE_UNKNOWN;
		diff->counts.same++;
		return DIFF_DONE;	/* nothing to hand out */
	}
	return take_record(diff, true, change);
}

enum diff_step
diff_next(struct diff *diff, struct diff_change *change_out, struct fault *fault)
{
	for (;;) {
		int order;

		if (diff->repo == SIDE_UNKNOWN && next_record(diff, fault) < 0)
			return DIFF_FAILED;
		if (diff->index == SIDE_UNKNOWN)
			return DIFF_NEED_ROW;
		if (diff->repo == SIDE_ENDED && diff->index == SIDE_ENDED)
			return DIFF_DONE;
		if (diff->repo == SIDE_ENDED)
			return take_delete(diff, change_out);
		if (diff->index == SIDE_ENDED)
			return take_record(diff, false, change_out);
		order = str_cmp(buf_str(&diff->row_path), diff->record.path);
		if (order < 0)
			return take_delete(diff, change_out);
		if (order > 0)
			return take_record(diff, false, change_out);
		if (take_pair(diff, change_out) == DIFF_CHANGED)
			return DIFF_CHANGED;
	}
}

struct diff_counts
diff_counts(const struct diff *diff)
{
	return diff->counts;
}

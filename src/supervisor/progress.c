#include "supervisor/progress.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/crashpoint.h"
#include "common/log.h"
#include "common/mem.h"

#define WRITE_INTERVAL_MS	250
#define RATE_INTERVAL_MS	1000
#define RATE_WEIGHT		0.3	/* of the newest second in the smoothed rate */

/* Exponentially smoothed records per 1000 seconds, taken once a second, also when
 * nothing is reported: a worker that stalls must not keep its rate. */
static void
update_rate(struct child *child, int64_t now_ms)
{
	int64_t elapsed_ms = now_ms - child->rated_mono_ms;
	uint64_t before = child->rate_milli, handled = child->processed + child->stage_done;
	double newest;

	if (elapsed_ms < RATE_INTERVAL_MS)
		return;
	if (handled < child->rated_processed)
		child->rated_processed = handled;
	newest = (double)(handled - child->rated_processed) * 1e6 /
	    (double)elapsed_ms;
	child->rate_milli = before == 0 ? (uint64_t)newest :
	    (uint64_t)((double)before * (1 - RATE_WEIGHT) + newest * RATE_WEIGHT);
	child->rated_processed = handled;
	child->rated_mono_ms = now_ms;
	if (child->rate_milli != before)
		child->is_dirty = true;
}

static struct ops_progress
report_of(const struct child *child, int64_t wall_ms)
{
	struct ops_progress report = {
		.stage = str_from(child->stage), .processed = child->processed,
		.total = child->total, .failed = child->failed, .bytes = child->bytes_before + child->bytes,
		.rate_milli = child->rate_milli, .met = child->met, .now_ms = wall_ms,
		.stage_done = child->stage_done, .stage_total = child->stage_total,
	};

	(void)str_copy(report.id, sizeof(report.id), str_from(child->id));
	return report;
}

/* What goes into tables of its own, inside a group: all of it or nothing. */
static int
write_extras(struct child *child, struct err *err)
{
	struct ops *ops = child->sup->ops;
	struct str id = str_from(child->id);

	if (!child->has_checkpoint && notes_are_empty(&child->notes))
		return 0;
	if (ops_part_begin(ops, err) == -1)
		return -1;
	if (notes_write(&child->notes, NOTES_BEFORE_MARK, ops, id, err) == -1 ||
	    (child->has_checkpoint && ops_put_checkpoint(ops, id,
	    buf_bytes(&child->checkpoint), child->checkpoint_processed, clock_wall_ms(),
	    err) == -1) ||
	    notes_write(&child->notes, NOTES_BEHIND_MARK, ops, id, err) == -1) {
		ops_part_abort(ops);
		return -1;
	}
	return ops_part_commit(ops, err);
}

static void
extras_written(struct child *child)
{
	child->has_checkpoint = false;
	notes_clear(&child->notes);
}

/* Refused for good, since it has ended for the store or its record is damaged: another
 * try would be refused, too.  All else, a full disk or map, may pass. */
static bool
is_refused(const struct err *err)
{
	return err->code == ERR_CONFLICT || err->code == ERR_CORRUPT ||
	    err->code == ERR_NOT_FOUND;
}

/* Inside a group: -1 if that has to be aborted, so that nothing is written twice and
 * what is not written is kept. */
static int
write_or_refuse_extras(struct child *child, struct err *err)
{
	if (write_extras(child, err) == 0)
		return 0;
	if (!is_refused(err))
		return -1;
	log_warn("op %s: what its worker said cannot be stored: %s", child->id, err->text);
	return 0;
}

int
progress_write_last(struct child *child, struct err *err)
{
	struct ops *ops = child->sup->ops;

	if (ops_group_begin(ops, err) == -1)
		return -1;
	if (write_or_refuse_extras(child, err) == -1) {
		ops_group_abort(ops);
		return -1;
	}
	if (ops_group_commit(ops, err) == -1)
		return -1;
	extras_written(child);
	crashpoint(CRASHPOINT_LAST_NEWS_STORED);
	return 0;
}

/* True if the child has something to write now. */
static bool
has_news(struct child *child, int64_t now_ms)
{
	if (child->state == CHILD_ENDED) {
		child->is_dirty = false;	/* child_end.c writes what is left of it */
		return false;
	}
	update_rate(child, now_ms);
	return child->is_dirty;
}

static int
write_all(struct supervisor *sup, const struct ops_progress *reports, size_t count,
    struct err *err)
{
	struct child *child;

	LIST_FOREACH(child, &sup->children->list, entry)
		if (child->is_dirty && write_or_refuse_extras(child, err) == -1)
			return -1;
	return ops_write_progress(sup->ops, reports, count, err);
}

/* One group: the news of all, or of nobody.  A child whose extras are refused loses
 * only those. */
static int
write_news(struct supervisor *sup, const struct ops_progress *reports, size_t count,
    struct err *err)
{
	if (ops_group_begin(sup->ops, err) == -1)
		return -1;
	if (write_all(sup, reports, count, err) == -1) {
		ops_group_abort(sup->ops);
		return -1;
	}
	crashpoint(CRASHPOINT_NEWS_BEGUN);
	if (ops_group_commit(sup->ops, err) == -1)
		return -1;
	crashpoint(CRASHPOINT_NEWS_STORED);
	return 0;
}

int
progress_write_now(struct supervisor *sup, struct err *err)
{
	struct ops_progress *reports;
	int64_t wall_ms = clock_wall_ms(), now_ms = clock_mono_ms();
	struct child *child;
	size_t n = 0;
	int rc = 0;

	reports = xcalloc(sup->children->count, sizeof(*reports));
	LIST_FOREACH(child, &sup->children->list, entry)
		if (has_news(child, now_ms))
			reports[n++] = report_of(child, wall_ms);
	if (n > 0)
		rc = write_news(sup, reports, n, err);
	free(reports);
	if (rc == -1)		/* it is all kept for the next time */
		return -1;
	LIST_FOREACH(child, &sup->children->list, entry) {
		if (!child->is_dirty)
			continue;
		child->is_dirty = false;
		extras_written(child);
		supervisor_op_changed(sup, child->id);
	}
	return 0;
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;
	struct err err;

	if (sup->children->count == 0)
		ev_timer_stop(loop, watcher);
	else if (progress_write_now(sup, &err) == -1)
		log_warn("progress cannot be stored: %s", err.text);
}

void
progress_init(struct supervisor *sup)
{
	ev_timer_init(&sup->progress, on_timer, WRITE_INTERVAL_MS / 1000.,
	    WRITE_INTERVAL_MS / 1000.);
	sup->progress.data = sup;
}

void
progress_mark(struct child *child)
{
	child->is_dirty = true;
	if (!ev_is_active(&child->sup->progress)) {
		ev_timer_set(&child->sup->progress, WRITE_INTERVAL_MS / 1000.,
		    WRITE_INTERVAL_MS / 1000.);
		ev_timer_start(child->sup->loop, &child->sup->progress);
	}
}

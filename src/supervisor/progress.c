#include "supervisor/progress.h"

#include <stdlib.h>

#include "common/clock.h"
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
	uint64_t before = child->rate_milli;
	double newest;

	if (elapsed_ms < RATE_INTERVAL_MS)
		return;
	if (child->processed < child->rated_processed)
		child->rated_processed = child->processed;
	newest = (double)(child->processed - child->rated_processed) * 1e6 /
	    (double)elapsed_ms;
	child->rate_milli = before == 0 ? (uint64_t)newest :
	    (uint64_t)((double)before * (1 - RATE_WEIGHT) + newest * RATE_WEIGHT);
	child->rated_processed = child->processed;
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
		.rate_milli = child->rate_milli, .now_ms = wall_ms,
	};

	(void)str_copy(report.id, sizeof(report.id), str_from(child->id));
	return report;
}

void
progress_write_checkpoint(struct child *child)
{
	struct err err;

	if (!child->has_checkpoint)
		return;
	if (ops_put_checkpoint(child->sup->ops, str_from(child->id),
	    buf_bytes(&child->checkpoint), child->checkpoint_processed,
	    clock_wall_ms(), &err) == -1) {
		log_warn("op %s: its checkpoint could not be stored: %s", child->id, err.text);
		return;
	}
	child->has_checkpoint = false;
}

/* True if the child has something to write now. */
static bool
has_news(struct child *child, int64_t now_ms)
{
	if (child->state == CHILD_ENDED)
		return false;
	update_rate(child, now_ms);
	return child->is_dirty;
}

static void
told(struct child *child)
{
	child->is_dirty = false;
	supervisor_op_changed(child->sup, child->id);
}

static void
write_all(struct supervisor *sup)
{
	struct ops_progress *reports;
	int64_t wall_ms = clock_wall_ms(), now_ms = clock_mono_ms();
	struct child *child;
	struct err err;
	size_t n = 0;

	reports = xcalloc(sup->children->count, sizeof(*reports));
	LIST_FOREACH(child, &sup->children->list, entry) {
		if (!has_news(child, now_ms))
			continue;
		progress_write_checkpoint(child);
		reports[n++] = report_of(child, wall_ms);
	}
	if (n > 0 && ops_write_progress(sup->ops, reports, n, &err) == -1) {
		log_warn("progress cannot be stored: %s", err.text);
		n = 0;		/* they stay dirty for the next time */
	}
	free(reports);
	if (n == 0)
		return;
	LIST_FOREACH(child, &sup->children->list, entry)
		if (child->is_dirty)
			told(child);
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *watcher, int revents BF_UNUSED)
{
	struct supervisor *sup = watcher->data;

	if (sup->children->count == 0)
		ev_timer_stop(loop, watcher);
	else
		write_all(sup);
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

#include "workers/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "workers/item_class.h"
#include "workers/row_writer.h"
#include "workers/scan_impl.h"

#define CHECKPOINT_SECS	0.5

void
scan_turn_soon(struct scan *scan)
{
	if (scan->is_ready && !ev_is_active(&scan->turn))
		ev_timer_start(scan->env.loop, &scan->turn);
}

void
scan_tell_progress(struct scan *scan)
{
	const struct scan_counts *counts = &scan->counts;

	worker_progress(scan->worker, &(struct msg_progress){
		.stage = str_from(scan->stage_name),
		.processed = counts->processed,
		.total = scan->total == 0 && !scan->is_ending ? 0 :
		    scan->total > counts->processed ? scan->total :
		    counts->processed,
		.failed = counts->failed,
		.bytes = counts->bytes + http_received_bytes(scan->env.http),
	});
}

/* --- items and the checkpoint --- */

void
scan_add_item(struct scan *scan, struct str what, const char *error_class,
    const char *text)
{
	struct scan_item *item;

	scan->counts.failed++;
	scan->has_news = true;
	(void)snprintf(scan->last_class, sizeof(scan->last_class), "%s",
	    item_class_of(error_class));
	(void)snprintf(scan->last_text, sizeof(scan->last_text), "%s", text);
	/* More than that are counted, not kept. */
	if (scan->item_count == LIMIT_OP_ITEMS)
		return;
	scan->item_count++;
	item = xcalloc(1, sizeof(*item));
	item->item = xstrndup(what.ptr, what.len);
	item->text = xstrdup(text);
	(void)snprintf(item->class, sizeof(item->class), "%s",
	    item_class_of(error_class));
	STAILQ_INSERT_TAIL(&scan->items, item, link);
}

static void
send_items(struct scan *scan, bool is_wanted)
{
	struct scan_item *item;

	while ((item = STAILQ_FIRST(&scan->items)) != NULL) {
		STAILQ_REMOVE_HEAD(&scan->items, link);
		if (is_wanted)
			worker_item_failed(scan->worker, str_from(item->item),
			    item->class, item->text);
		free(item->item);
		free(item->text);
		free(item);
	}
}

void
scan_send_checkpoint(struct scan *scan)
{
	const struct scan_counts *counts = &scan->counts;
	struct buf data = BUF_INIT;

	if (!scan->has_news || !scan_may_checkpoint(scan))
		return;
	scan->has_news = false;
	send_items(scan, true);
	scan_checkpoint_encode(scan, &data);
	worker_checkpoint(scan->worker, &(struct msg_checkpoint){
		.data = buf_bytes(&data), .processed = counts->processed,
		.created = counts->created, .updated = counts->updated,
		.deleted = counts->deleted,
	});
	buf_clear(&data);
	scan_tell_progress(scan);
}

static void
on_checkpoint(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer,
    int revents BF_UNUSED)
{
	scan_send_checkpoint(timer->data);
}

/* --- the end --- */

static void
on_last_tally(const struct msg_ack *tally, const struct msg_refuse *why, void *arg)
{
	struct scan *scan = arg;
	struct scan_counts *counts = &scan->counts;

	scan->tally = NULL;
	if (why != NULL) {
		worker_fail(scan->worker, "index", "the indexer: %.*s",
		    STR_FMT(why->text));
		return;
	}
	counts->created = tally->created;
	counts->updated = tally->updated;
	counts->deleted = tally->deleted;
	scan->has_news = true;
	scan_send_checkpoint(scan);
	if (counts->units > 0 && counts->bad_units == counts->units) {
		worker_fail(scan->worker, scan->last_class, "%s%s",
		    counts->units > 1 ? "everything failed, at last: " : "",
		    scan->last_text);
		return;
	}
	worker_done(scan->worker, &(struct msg_done){
		.processed = counts->processed, .total = counts->processed,
		.failed = counts->failed,
		.bytes = counts->bytes + http_received_bytes(scan->env.http),
		.created = counts->created, .updated = counts->updated,
		.deleted = counts->deleted,
	});
}

static void
on_written(const char *why, void *arg)
{
	struct scan *scan = arg;

	if (why != NULL)
		worker_log(scan->worker, LOG_LEVEL_WARN, "notes were not written: %s", why);
	scan->tally = records_tally(scan->env.records, on_last_tally, scan);
}

static void
finish(struct scan *scan)
{
	scan->is_ending = true;
	sync_env_write(&scan->env, on_written, scan);
}

/* --- going on --- */

static void
on_turn(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct scan *scan = timer->data;
	unsigned before;

	if (scan->is_ending || scan->is_resting)
		return;
	scan_sources_turn(scan);
	do {
		before = scan->source_count;
		if (!scan->is_last && scan->source_count < SCAN_SOURCES)
			scan->kind->next(scan);
	} while (scan->source_count > before);
	if (scan->is_last && scan->source_count == 0)
		finish(scan);
}

void
scan_is_last(struct scan *scan)
{
	scan->is_last = true;
	scan_turn_soon(scan);
}

void
scan_go_on(struct scan *scan)
{
	scan_turn_soon(scan);
}

/* --- what the pool tells --- */

static void
on_outcome(struct sync_pool *pool BF_UNUSED, void *item,
    const struct sync_outcome *outcome, void *arg)
{
	struct scan_entry *entry = item;
	struct scan *scan = arg;

	scan->counts.created += outcome->created;
	scan->counts.updated += outcome->updated;
	scan->counts.deleted += outcome->deleted;
	switch (outcome->result) {
	case SYNC_FAILED:
		scan_entry_failed(entry, outcome->error_class, outcome->error_text);
		break;
	case SYNC_UNCHANGED:
		row_writer_checked(scan->env.notes, str_from(entry->did),
		    clock_wall_ms());
		/* FALLTHROUGH */
	case SYNC_DONE:
	case SYNC_INACTIVE:
		scan->counts.failed += outcome->progress.failed;
		scan_entry_done(entry);
		break;
	}
}

/* Said at once, since behind its commit nobody looks at it again, and counted with its
 * repository: what is said again by an attempt that goes on is kept once. */
static void
on_bad_record(struct sync_pool *pool BF_UNUSED, struct str did, struct str path,
    const struct fault *fault, void *arg)
{
	struct scan *scan = arg;
	struct buf uri = BUF_INIT;
	char text[FAULT_TEXT_SIZE];

	fault_format(fault, text);
	buf_printf(&uri, "at://%.*s/%.*s", STR_FMT(did), STR_FMT(path));
	worker_item_failed(scan->worker, buf_str(&uri), fault_kind(fault->code), text);
	buf_clear(&uri);
}

static void
on_note(struct sync_pool *pool BF_UNUSED, struct str did, const char *text, void *arg)
{
	struct scan *scan = arg;

	worker_log(scan->worker, LOG_LEVEL_INFO, "%.*s: %s", STR_FMT(did), text);
}

/* --- life --- */

static void
forget_resumed(struct scan *scan, unsigned i)
{
	struct scan_resumed *resumed = &scan->resumed[i];

	free(resumed->name);
	buf_clear(&resumed->cursor);
	scan_set_clear(&resumed->done);
	scan_set_clear(&resumed->pending);
	*resumed = scan->resumed[--scan->resumed_count];
}

static void
begin(struct scan *scan)
{
	scan->is_ready = true;
	for (unsigned i = scan->resumed_count; i > 0; i--)
		if (!scan->kind->again(scan, scan->resumed[i - 1].name))
			forget_resumed(scan, i - 1);
	ev_timer_start(scan->env.loop, &scan->checkpoint);
	/* From here on a worker that dies is made again. */
	scan->has_news = true;
	scan_send_checkpoint(scan);
	scan_turn_soon(scan);
}

static void
on_first_tally(const struct msg_ack *tally, const struct msg_refuse *why, void *arg)
{
	struct scan *scan = arg;

	scan->tally = NULL;
	if (why != NULL) {
		worker_fail(scan->worker, "index", "the indexer: %.*s",
		    STR_FMT(why->text));
		return;
	}
	scan->counts.created = tally->created;
	scan->counts.updated = tally->updated;
	scan->counts.deleted = tally->deleted;
	begin(scan);
}

static void
on_remembered(const char *why, void *arg)
{
	struct scan *scan = arg;

	if (why != NULL) {
		worker_fail(scan->worker, "index", "%s", why);
		return;
	}
	scan->tally = records_tally(scan->env.records, on_first_tally, scan);
}

static void
read_checkpoint(struct scan *scan)
{
	struct bytes data = worker_assignment(scan->worker)->checkpoint;

	scan->started_ms = clock_wall_ms();
	if (data.len == 0)
		return;
	if (scan_checkpoint_decode(scan, data) == -1)
		worker_fail(scan->worker, "checkpoint",
		    "the checkpoint of the attempt before cannot be read");
	scan->is_resumed = true;
}

static void
open_pool(struct scan *scan)
{
	static const struct sync_pool_events events = {
		.on_outcome = on_outcome, .on_bad_record = on_bad_record,
		.on_note = on_note,
	};
	const struct worker_assignment *given = worker_assignment(scan->worker);
	uint64_t wanted = worker_settings(scan->worker)->sync_concurrency;
	unsigned count = given->spill_count < wanted ? given->spill_count :
	    (unsigned)wanted;

	sync_env_share(&scan->env, count > 0 ? count : 1);
	sync_env_remember(&scan->env, on_remembered, scan);
	scan->pool = sync_pool_new(&scan->env, given->spill_fds, count, &events, scan);
}

struct scan *
scan_start(struct worker *worker, const struct scan_kind *kind)
{
	struct scan *scan = xcalloc(1, sizeof(*scan));
	struct err err;

	scan->worker = worker;
	scan->kind = kind;
	scan->position = xstrdup("");
	scan->stage_name = "starting";
	TAILQ_INIT(&scan->sources);
	STAILQ_INIT(&scan->items);
	ev_timer_init(&scan->turn, on_turn, 0., 0.);
	ev_timer_init(&scan->checkpoint, on_checkpoint, CHECKPOINT_SECS, CHECKPOINT_SECS);
	scan->turn.data = scan->checkpoint.data = scan;
	scan_rest_init(scan);
	if (sync_env_init(&scan->env, worker_loop(worker), worker_records(worker),
	    worker_settings(worker), worker_answers_429(worker), &err) == -1) {
		worker_fail(worker, "setting", "%s", err.text);
		return scan;
	}
	scan->has_env = true;
	if (scan->env.document_max_age_ms < kind->document_max_age_ms)
		scan->env.document_max_age_ms = kind->document_max_age_ms;
	read_checkpoint(scan);
	open_pool(scan);
	return scan;
}

void
scan_end(struct scan **scan_at)
{
	struct scan *scan = *scan_at;
	struct scan_source *source;

	*scan_at = NULL;
	sync_pool_free(&scan->pool);
	while ((source = TAILQ_FIRST(&scan->sources)) != NULL) {
		source->is_complete = false;
		scan_source_free(source);
	}
	if (scan->kind->end != NULL)
		scan->kind->end(scan);
	if (scan->tally != NULL)
		link_question_cancel(&scan->tally);
	if (scan->has_env) {
		ev_timer_stop(scan->env.loop, &scan->turn);
		ev_timer_stop(scan->env.loop, &scan->checkpoint);
		ev_timer_stop(scan->env.loop, &scan->rest);
		sync_env_clear(&scan->env);
	}
	send_items(scan, false);
	while (scan->resumed_count > 0)
		forget_resumed(scan, 0);
	free(scan->position);
	free(scan);
}

const struct sync_env *
scan_env(const struct scan *scan)
{
	return &scan->env;
}

struct worker *
scan_worker(const struct scan *scan)
{
	return scan->worker;
}

int64_t
scan_started_ms(const struct scan *scan)
{
	return scan->started_ms;
}

bool
scan_had_work(const struct scan *scan)
{
	return scan->counts.units > 0;
}

bool
scan_is_resumed(const struct scan *scan)
{
	return scan->is_resumed;
}

void
scan_set_job(struct scan *scan, void *job)
{
	scan->job = job;
}

void *
scan_job(const struct scan *scan)
{
	return scan->job;
}

uint64_t
scan_stage(const struct scan *scan)
{
	return scan->stage;
}

const char *
scan_position(const struct scan *scan)
{
	return scan->position;
}

void
scan_set_position(struct scan *scan, uint64_t stage, const char *position)
{
	char *copy = xstrdup(position);

	free(scan->position);
	scan->position = copy;
	scan->stage = stage;
	scan->has_news = true;
}

bool
scan_has_sources(const struct scan *scan)
{
	return scan->source_count > 0;
}

void
scan_set_total(struct scan *scan, uint64_t total)
{
	scan->total = total;
	scan_tell_progress(scan);
}

/*
 * The search index in a file: search/index_file.h does the work, here it gets
 * its turns on the loop.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/fdutil.h"
#include "common/mem.h"
#include "workers/reindex_sink.h"


struct reindex_sink {
	/* borrowed */
	struct ev_loop *loop;
	const struct reindex_events *events;
	void *arg;

	/* owned */
	struct index_file *file;	/* NULL: not open */

	struct ev_timer turn;		/* tells, or merges, in the next turn */
	bool is_merging;
	bool has_failed;
	struct err why;
};

static void
fail(struct reindex_sink *sink, const struct err *why)
{
	if (sink->has_failed)
		return;
	sink->has_failed = true;
	sink->why = *why;
	ev_timer_start(sink->loop, &sink->turn);
}

static const char *
class_of(enum err_code code)
{
	switch (code) {
	case ERR_DISK_FULL:
		return "disk-full";
	case ERR_CORRUPT:
		return "index-corrupt";
	default:
		return "index-failed";
	}
}

static void
publish(struct reindex_sink *sink)
{
	struct err err;

	if (index_file_publish(&sink->file, &err) == -1)
		fail(sink, &err);
	else
		sink->events->on_finished(sink->arg);
}

static void
merge(struct reindex_sink *sink)
{
	struct err err;
	bool is_done;

	if (index_file_merge(sink->file, &is_done, &err) == -1)
		fail(sink, &err);
	else if (is_done)
		publish(sink);
	else
		ev_timer_start(sink->loop, &sink->turn);
}

static void
on_turn(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct reindex_sink *sink = timer->data;

	if (sink->has_failed)
		sink->events->on_failed(class_of(sink->why.code), sink->why.text,
		    sink->arg);
	else if (sink->is_merging)
		merge(sink);
	else
		sink->events->on_ready(sink->arg);
}

static int
open_file(struct reindex_sink *sink, struct worker *worker, struct err *err)
{
	const struct settings *settings = worker_settings(worker);
	char *dir;
	int rc;

	if (asprintf(&dir, "%s/search", settings->state_dir) == -1)
		abort();
	rc = dir_make(dir, SEARCH_DIR_MODE, err);
	if (rc == 0)
		rc = index_file_open(dir, worker_assignment(worker)->id,
		    str_from(settings->search_mapping), &sink->file, err);
	free(dir);
	return rc;
}

static struct reindex_sink *
sink_open(struct worker *worker, const struct reindex_events *events, void *arg)
{
	struct reindex_sink *sink = xcalloc(1, sizeof(*sink));
	struct err err;

	sink->loop = worker_loop(worker);
	sink->events = events;
	sink->arg = arg;
	ev_timer_init(&sink->turn, on_turn, 0., 0.);
	sink->turn.data = sink;
	if (open_file(sink, worker, &err) == -1)
		fail(sink, &err);
	else
		ev_timer_start(sink->loop, &sink->turn);
	return sink;
}

static struct index_position
sink_position(const struct reindex_sink *sink)
{
	return index_file_position(sink->file);
}

static void
sink_add(struct reindex_sink *sink, const struct search_document *document)
{
	struct err err;

	if (!sink->has_failed && index_file_add(sink->file, document, &err) == -1)
		fail(sink, &err);
}

static void
sink_commit(struct reindex_sink *sink, const struct index_position *position)
{
	struct err err;

	if (sink->has_failed)
		return;
	if (index_file_commit(sink->file, position, &err) == -1)
		fail(sink, &err);
	else
		ev_timer_start(sink->loop, &sink->turn);
}

static void
sink_finish(struct reindex_sink *sink)
{
	sink->is_merging = true;
	ev_timer_start(sink->loop, &sink->turn);
}

static void
sink_free(struct reindex_sink **sink, bool is_useless)
{
	if (*sink == NULL)
		return;
	ev_timer_stop((*sink)->loop, &(*sink)->turn);
	if (is_useless)
		index_file_discard(&(*sink)->file);
	else
		index_file_close(&(*sink)->file);
	free(*sink);
	*sink = NULL;
}

const struct reindex_sink_kind reindex_file = {
	.open = sink_open,
	.position = sink_position,
	.add = sink_add,
	.commit = sink_commit,
	.finish = sink_finish,
	.free = sink_free,
};

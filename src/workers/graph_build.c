#include "workers/graph_build.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "workers/graph_build_impl.h"

#define ATTEMPTS	5	/* of a repository that changes meanwhile */

static void begin_attempt(struct graph_build *build);

/* --- the end --- */

static void
finish(struct graph_build *build)
{
	rows_abort(&build->batch);
	link_question_cancel(&build->question);
	build->outcome.counts = build->counts;
	build->events->on_done(&build->outcome, build->arg);
}

void
graph_fail(struct graph_build *build, const char *class, const char *fmt, ...)
{
	struct graph_outcome *outcome = &build->outcome;
	va_list ap;

	(void)snprintf(outcome->error_class, sizeof(outcome->error_class), "%s", class);
	va_start(ap, fmt);
	(void)vsnprintf(outcome->error_text, sizeof(outcome->error_text), fmt, ap);
	va_end(ap);
	finish(build);
}

void
graph_fail_refused(struct graph_build *build, struct str class, struct str text)
{
	char word[GRAPH_CLASS_SIZE];

	(void)str_copy(word, sizeof(word), class);
	graph_fail(build, word, "the indexer: %.*s", STR_FMT(text));
}

/* --- the batch --- */

static void
on_ack(const struct msg_ack *ack BF_UNUSED, void *arg)
{
	struct graph_build *build = arg;

	build->batch = NULL;
	finish(build);
}

static void
on_refuse(struct str class, struct str text, void *arg)
{
	struct graph_build *build = arg;

	build->batch = NULL;
	graph_fail_refused(build, class, text);
}

static void
on_room(void *arg)
{
	struct graph_build *build = arg;
	void (*resume)(struct graph_build *) = build->resume;

	if (resume == NULL || !rows_has_room(build->batch))
		return;
	build->resume = NULL;
	resume(build);
}

void
graph_when_room(struct graph_build *build, void (*next)(struct graph_build *))
{
	if (rows_has_room(build->batch))
		next(build);
	else
		build->resume = next;
}

/* --- behind the walk --- */

static void
commit(struct graph_build *build)
{
	struct graph_counts *counts = &build->counts;

	counts->total = counts->processed;
	if (counts->processed > 0 && counts->refused == counts->processed) {
		graph_fail(build, "invalid", "none of %" PRIu64 " records is a node or an "
		    "edge as its lexicon wants it; the graph stays as it was",
		    counts->processed);
		return;
	}
	build->events->on_progress("committing", counts, build->arg);
	rows_commit_counted(build->batch);
}

static bool
is_as_before(const struct graph_build *build, const struct msg_state *state)
{
	return str_eq(state->rev, str_from(build->rev)) &&
	    state->records == build->records;
}

static void
on_second_look(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct graph_build *build = arg;

	build->question = NULL;
	if (why != NULL) {
		graph_fail_refused(build, why->class, why->text);
	} else if (is_as_before(build, state)) {
		commit(build);
	} else if (build->attempts == ATTEMPTS) {
		graph_fail(build, "busy", "%.*s changed each time the graph was made of it",
		    STR_FMT(build->order.did));
	} else {
		rows_abort(&build->batch);
		begin_attempt(build);
	}
}

static void
count_lost_heirs(struct graph_build *build)
{
	for (size_t i = 0; i < build->heirs_count; i++)
		build->counts.lost_heirs += !graph_set_has(&build->set, build->heirs[i]);
	free(build->heirs);
	build->heirs = NULL;
	build->heirs_count = build->heirs_room = 0;
}

void
graph_step_done(struct graph_build *build)
{
	if (build->step == GRAPH_NODES) {
		count_lost_heirs(build);
		build->step = GRAPH_EDGES;
		graph_pages_begin(build);
		return;
	}
	build->question = records_look(build->link, build->order.did, on_second_look,
	    build);
}

/* --- before it --- */

static void
on_first_look(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct graph_build *build = arg;

	build->question = NULL;
	if (why != NULL) {
		graph_fail_refused(build, why->class, why->text);
		return;
	}
	if (!state->is_known) {
		graph_fail(build, "not-found", "nothing is indexed of %.*s",
		    STR_FMT(build->order.did));
		return;
	}
	(void)str_copy(build->rev, sizeof(build->rev), state->rev);
	build->records = state->records;
	graph_pages_begin(build);
}

static void
begin_attempt(struct graph_build *build)
{
	static const struct rows_batch_events events = {
		.on_ack = on_ack, .on_refuse = on_refuse, .on_room = on_room,
	};

	build->attempts++;
	build->step = GRAPH_NODES;
	build->counts = (struct graph_counts){ .total = build->total };
	build->nodes_seen = build->edges_seen = 0;
	graph_set_clear(&build->set);
	graph_set_init(&build->set);
	build->batch = rows_batch_new(build->link, &events, build);
	build->question = records_look(build->link, build->order.did, on_first_look,
	    build);
}

static void
on_edges_counted(const struct msg_counted *count, const struct msg_refuse *why,
    void *arg)
{
	struct graph_build *build = arg;

	build->question = NULL;
	if (why != NULL) {
		graph_fail_refused(build, why->class, why->text);
		return;
	}
	build->total += count->records;
	begin_attempt(build);
}

static void
on_nodes_counted(const struct msg_counted *count, const struct msg_refuse *why,
    void *arg)
{
	struct graph_build *build = arg;

	build->question = NULL;
	if (why != NULL) {
		graph_fail_refused(build, why->class, why->text);
		return;
	}
	build->total = count->records;
	build->question = records_count(build->link, build->order.edge_collection,
	    on_edges_counted, build);
}

/* --- life --- */

struct graph_build *
graph_build_start(struct records_link *link, const struct graph_order *order,
    const struct graph_events *events, void *arg)
{
	struct graph_build *build = xcalloc(1, sizeof(*build));

	build->link = link;
	build->order = *order;
	build->events = events;
	build->arg = arg;
	events->on_progress("counting", &build->counts, arg);
	build->question = records_count(link, order->node_collection, on_nodes_counted,
	    build);
	return build;
}

void
graph_build_free(struct graph_build **build_at)
{
	struct graph_build *build = *build_at;

	if (build == NULL)
		return;
	*build_at = NULL;
	link_question_cancel(&build->question);
	rows_abort(&build->batch);
	graph_set_clear(&build->set);
	free(build->heirs);
	buf_clear(&build->after);
	buf_clear(&build->keys);
	buf_clear(&build->last_uri);
	buf_clear(&build->swept);
	buf_clear(&build->page_start);
	buf_clear(&build->uri);
	buf_clear(&build->value);
	free(build);
}

/*
 * test_lifecycle.c - the life of operations as a property: random events through
 * ops_change() and its neighbours, and after each what must always hold.
 *
 * A model of a few lines says what should be; the store must agree.  The seed is
 * printed when it fails: BF_SEED=N runs that one again.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "t/unit/ops_unit.h"

#define OPS	12
#define STEPS	1500

struct model {
	char id[TID_SIZE];
	char did[32];
	enum op_status status;
	bool is_paused;
	unsigned transitions;	/* events that changed the state, the trigger too */
};

struct world {
	struct fixture *f;
	struct model ops[OPS];
	size_t count;
	unsigned seed;
};

static unsigned
random_below(struct world *w, unsigned limit)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return w->seed / 65536u % limit;
}

/* --- what must always hold --- */

struct seen {
	uint64_t counts[OP_STATUS_COUNT + 1], in_queue;
	unsigned transitions;
	const struct world *world;
};

static bool
count_listed(const struct op *op, void *arg)
{
	struct seen *seen = arg;

	seen->counts[op_status(op)]++;
	return true;
}

static bool
count_transition(const struct ops_event *event, void *arg)
{
	struct seen *seen = arg;

	seen->transitions += event->event <= OP_EVENT_INTERRUPT;
	return true;
}

static enum ops_verdict
see_turn(const struct ops_turn *turn, void *arg)
{
	struct seen *seen = arg;
	const struct world *w = seen->world;

	assert_non_null(turn->op);
	for (size_t i = 0; i < w->count; i++)
		if (str_eq(turn->id, str_from(w->ops[i].id)))
			assert_true(w->ops[i].status == OP_QUEUED && !w->ops[i].is_paused);
	seen->in_queue++;
	return OPS_NEXT;
}

static void
check_op(struct ops_read *read, const struct model *model)
{
	struct bytes checkpoint;
	struct seen seen = { .transitions = 0 };
	struct op op;
	struct err err;

	/* I1: whatever was accepted is there.  I2: in exactly one state, the right one. */
	assert_int_equal(ops_get(read, str_from(model->id), &op, &err), 0);
	assert_int_equal(op_status(&op), model->status);
	assert_int_equal(op.paused_ms != 0, model->is_paused);
	assert_int_equal(op.completed_ms != 0, op_status_is_terminal(model->status));
	assert_int_equal(op.worker_pid != 0, model->status == OP_RUNNING);

	/* Every transition is in the history, whatever else had to go. */
	assert_int_equal(ops_events(read, op.id, count_transition, &seen, &err), 0);
	assert_int_equal(seen.transitions, model->transitions);

	/* Nothing is kept of one that has ended that only an active one needs. */
	assert_int_equal(ops_get_checkpoint(read, op.id, &checkpoint, &err), 0);
	if (op_status_is_terminal(model->status))
		assert_int_equal(checkpoint.len, 0);
}

static void
check_all(const struct world *w)
{
	uint64_t counts[OP_STATUS_COUNT + 1], waiting = 0;
	struct seen seen = { .world = w };
	struct ops_read *read;
	struct err err;

	assert_int_equal(ops_read_begin(w->f->ops, &read, &err), 0);
	for (size_t i = 0; i < w->count; i++) {
		check_op(read, &w->ops[i]);
		waiting += w->ops[i].status == OP_QUEUED && !w->ops[i].is_paused;
	}
	/* I4: the counts, the index and the queue say the same. */
	assert_int_equal(ops_count(read, counts, &err), 0);
	for (enum op_status s = OP_QUEUED; s <= OP_CANCELLED; s++) {
		struct ops_filter filter = { .status = s };

		assert_int_equal(ops_list(read, &filter, count_listed, &seen, &err), 0);
		assert_int_equal(seen.counts[s], counts[s]);
	}
	assert_int_equal(ops_queue(read, see_turn, &seen, &err), 0);
	assert_int_equal(seen.in_queue, waiting);
	ops_read_end(&read);
}

/* --- what may happen --- */

static void
edit_start(struct op *op, void *arg BF_UNUSED)
{
	op->worker_pid = 4711;
}

/* Where a new one goes: the model forgets one that has ended when it is full. */
static struct model *
free_place(struct world *w)
{
	if (w->count < OPS)
		return &w->ops[w->count++];
	for (size_t i = 0; i < OPS; i++)
		if (op_status_is_terminal(w->ops[i].status))
			return &w->ops[i];
	return NULL;
}

static void
do_trigger(struct world *w)
{
	char did[32], active[TID_SIZE];
	const struct model *same = NULL;
	struct model *model;
	struct err err;
	int rc;

	(void)snprintf(did, sizeof(did), "did:web:%u.test", random_below(w, 8));
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->ops[i].did, did) == 0 &&
		    !op_status_is_terminal(w->ops[i].status))
			same = &w->ops[i];
	rc = make(w->f, "did-sync", did, active, &err);
	if (same != NULL) {	/* one active operation for one target */
		assert_int_equal(rc, -1);
		assert_int_equal(err.code, ERR_EXISTS);
		assert_string_equal(active, same->id);
		return;
	}
	assert_int_equal(rc, 0);
	model = free_place(w);
	assert_non_null(model);	/* at most 8 are active: one for each target */
	*model = (struct model){ .status = OP_QUEUED, .transitions = 1 };
	memcpy(model->id, w->f->id, sizeof(model->id));
	memcpy(model->did, did, sizeof(model->did));
}

static void
do_event(struct world *w, struct model *model, enum op_event event)
{
	enum op_status next, status = 0;
	struct err err;
	bool may = op_status_next(model->status, event, &next) == 0;
	int rc = ops_change(w->f->ops, str_from(model->id), event, STR("x"), 2000,
	    event == OP_EVENT_START ? edit_start : NULL, NULL, &status, &err);

	assert_int_equal(rc, may ? 0 : -1);
	if (!may) {
		assert_int_equal(err.code, ERR_CONFLICT);
		assert_int_equal(status, model->status);
		return;
	}
	assert_int_equal(status, next);
	model->status = next;
	model->transitions++;
}

static void
edit_pause(struct op *op, void *arg)
{
	op->paused_ms = *(const bool *)arg ? 7 : 0;
}

static void
do_note(struct world *w, struct model *model, bool is_pause)
{
	bool wish = random_below(w, 2) == 0;
	struct err err;
	int rc = is_pause ? ops_note(w->f->ops, str_from(model->id), OP_EVENT_PAUSE,
	    STR(""), 2000, edit_pause, &wish, &err) : ops_note(w->f->ops,
	    str_from(model->id), OP_EVENT_LOG, STR("a line"), 2000, NULL, NULL, &err);

	assert_int_equal(rc, op_status_is_terminal(model->status) ? -1 : 0);
	if (rc == 0 && is_pause)
		model->is_paused = wish;
}

static void
do_checkpoint(struct world *w, const struct model *model)
{
	struct err err;
	int rc = ops_put_checkpoint(w->f->ops, str_from(model->id),
	    (struct bytes){ (const uint8_t *)"here", 4 }, 1, 2000, &err);

	assert_int_equal(rc, op_status_is_terminal(model->status) ? -1 : 0);
}

static void
step(struct world *w)
{
	unsigned what = random_below(w, 14);
	struct model *model;

	if (w->count == 0 || what == 0 || what >= 12) {
		do_trigger(w);
		return;
	}
	model = &w->ops[random_below(w, (unsigned)w->count)];
	if (what <= 7)
		do_event(w, model, (enum op_event)(OP_EVENT_TRIGGER +
		    random_below(w, OP_EVENT_INTERRUPT)));
	else if (what <= 9)
		do_note(w, model, what == 8);
	else if (what == 10)
		do_checkpoint(w, model);
	else
		reopen(w->f);	/* a restart changes nothing */
}

static void
random_events__keep_every_invariant(void **state)
{
	const char *given = getenv("BF_SEED");
	struct world w = { .f = *state };
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) :
	    (unsigned)time(NULL);

	print_message("# BF_SEED=%u\n", seed);
	w.seed = seed;
	for (int i = 0; i < STEPS; i++) {
		step(&w);
		if (i % 10 == 0)
			check_all(&w);
	}
	check_all(&w);
}

static const struct CMUnitTest lifecycle_tests[] = {
	OPS_TEST(random_events__keep_every_invariant),
};

UNIT_MAIN(lifecycle_tests)

#include "api/samples.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/limits.h"
#include "common/mem.h"

struct run {
	TAILQ_ENTRY(run) entry;		/* the one heard of last is first */
	char id[TID_SIZE];
	int64_t start_ms, step_ms;
	uint64_t before;		/* records processed when it was first heard of */
	uint64_t latest;
	unsigned steps;			/* begun; the last one is not over */
	uint64_t processed[SAMPLES_MOST];	/* at the end of each */
};

struct samples {
	TAILQ_HEAD(run_list, run) runs;	/* owned */
	unsigned count;
};

struct samples *
samples_new(void)
{
	struct samples *samples = xcalloc(1, sizeof(*samples));

	TAILQ_INIT(&samples->runs);
	return samples;
}

static void
drop(struct samples *samples, struct run *run)
{
	TAILQ_REMOVE(&samples->runs, run, entry);
	samples->count--;
	free(run);
}

void
samples_free(struct samples **samples)
{
	if (*samples == NULL)
		return;
	while (!TAILQ_EMPTY(&(*samples)->runs))
		drop(*samples, TAILQ_FIRST(&(*samples)->runs));
	free(*samples);
	*samples = NULL;
}

static struct run *
find(const struct samples *samples, struct str id)
{
	struct run *run;

	TAILQ_FOREACH(run, &samples->runs, entry)
		if (str_eq(str_from(run->id), id))
			return run;
	return NULL;
}

static struct run *
add(struct samples *samples, const struct op *op, int64_t now_ms)
{
	struct run *run;

	if (samples->count == LIMIT_SAMPLED_OPS)
		drop(samples, TAILQ_LAST(&samples->runs, run_list));
	run = xcalloc(1, sizeof(*run));
	(void)str_copy(run->id, sizeof(run->id), op->id);
	run->start_ms = now_ms;
	run->step_ms = SAMPLES_FIRST_STEP_MS;
	run->before = run->latest = op->records_processed;
	run->steps = 1;
	run->processed[0] = run->latest;
	TAILQ_INSERT_HEAD(&samples->runs, run, entry);
	samples->count++;
	return run;
}

static void
halve(struct run *run)
{
	for (unsigned i = 0; i < SAMPLES_MOST / 2; i++)
		run->processed[i] = run->processed[2 * i + 1];
	run->steps = SAMPLES_MOST / 2;
	run->step_ms *= 2;
}

/* Steps in which nothing was heard end where the one before did. */
static void
take(struct run *run, uint64_t processed, int64_t now_ms)
{
	while ((now_ms - run->start_ms) / run->step_ms >= SAMPLES_MOST) {
		while (run->steps < SAMPLES_MOST)
			run->processed[run->steps++] = run->latest;
		halve(run);
	}
	while (run->steps <= (now_ms - run->start_ms) / run->step_ms)
		run->processed[run->steps++] = run->latest;
	run->latest = processed;
	run->processed[run->steps - 1] = processed;
}

void
samples_op(struct samples *samples, const struct op *op, int64_t now_ms)
{
	struct run *run = find(samples, op->id);

	if (op_status(op) == OP_QUEUED || (run == NULL && op_status(op) != OP_RUNNING))
		return;
	if (run == NULL)
		run = add(samples, op, now_ms);
	/* The clock may have been set back. */
	if (now_ms >= run->start_ms)
		take(run, op->records_processed, now_ms);
	TAILQ_REMOVE(&samples->runs, run, entry);
	TAILQ_INSERT_HEAD(&samples->runs, run, entry);
}

bool
samples_get(const struct samples *samples, struct str id, struct samples_view *view_out)
{
	const struct run *run = find(samples, id);
	uint64_t before;

	if (run == NULL)
		return false;
	*view_out = (struct samples_view){
		.start_ms = run->start_ms, .step_ms = run->step_ms,
	};
	before = run->before;
	for (unsigned i = 0; i + 1 < run->steps; i++) {
		double rate = run->processed[i] > before ?
		    (double)(run->processed[i] - before) * 1000 / (double)run->step_ms : 0;

		view_out->rate[view_out->count++] = rate;
		if (rate > view_out->most)
			view_out->most = rate;
		before = run->processed[i];
	}
	return true;
}

/*
 * The part of catch-up that tells how far it is.  Its number is that of the events; while
 * repositories are compared or fetched those are the stage's, beside it.
 */
#include "workers/catch_up_impl.h"

static const char *const stage_words[] = {
#define X(name, word) [CATCH_UP_##name] = word,
	CATCH_UP_STAGES(X)
#undef X
};

uint64_t
catch_up_bytes(const struct catch_up *job)
{
	uint64_t relay = job->relay != NULL ? relay_stats(job->relay).bytes : 0;

	return relay + http_received_bytes(job->env.http);
}

static uint64_t
total_events(const struct catch_up *job)
{
	if (job->stage != CATCH_UP_REPLAYING)
		return 0;
	return job->is_draining ? job->total.events : replay_total_events(&job->total);
}

static void
tell_stage(const struct catch_up *job)
{
	uint64_t done = 0, total = 0;

	if (job->stage == CATCH_UP_COMPARING) {
		done = job->listed;
		total = replay_total_listed(done, job->listed_known, job->indexed);
	} else if (job->stage == CATCH_UP_RESYNCING) {
		done = job->fetched;
		total = job->marked;
	}
	worker_stage(job->worker, done, total);
}

void
catch_up_tell_progress(struct catch_up *job)
{
	tell_stage(job);
	worker_progress(job->worker, &(struct msg_progress){
		.stage = str_from(stage_words[job->stage]),
		.processed = job->window.done.events,
		.total = total_events(job),
		.failed = job->failed,
		.bytes = catch_up_bytes(job),
	});
}

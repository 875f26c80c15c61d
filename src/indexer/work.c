#include "indexer/work.h"

#include "common/crashpoint.h"
#include "common/limits.h"
#include "common/log.h"
#include "indexer/apply.h"
#include "indexer/peer.h"

void
work_init(struct work *work, struct records *records, const char *stage_dir)
{
	*work = (struct work){
		.records = records,
		.stages = {
			.dir = stage_dir,
			.stage_memory_max = LIMIT_STAGE_MEMORY_BYTES,
			.memory_max = LIMIT_STAGES_MEMORY_BYTES,
			.stage_bytes_max = LIMIT_STAGE_BYTES,
		},
	};
	claims_init(&work->claims);
	TAILQ_INIT(&work->ready);
	TAILQ_INIT(&work->running);
}

bool
work_is_pending(const struct work *work)
{
	return !TAILQ_EMPTY(&work->ready) || !TAILQ_EMPTY(&work->running);
}

void
work_run_scan(struct work *work, struct scan *scan)
{
	if (!scan->is_running)
		TAILQ_INSERT_TAIL(&work->running, scan, of_running);
	scan->is_running = true;
}

void
work_stop_scan(struct work *work, struct scan *scan)
{
	if (scan->is_running)
		TAILQ_REMOVE(&work->running, scan, of_running);
	scan->is_running = false;
}

/* The lanes to commit now, from the front of those that are ready. */
static void
take_group(struct work *work, struct lane_queue *group)
{
	uint64_t bytes = 0;
	struct lane *lane;

	TAILQ_INIT(group);
	while ((lane = TAILQ_FIRST(&work->ready)) != NULL && bytes < LIMIT_GROUP_BYTES) {
		TAILQ_REMOVE(&work->ready, lane, of_ready);
		TAILQ_INSERT_TAIL(group, lane, of_ready);
		if (!lane->is_broken)
			bytes += stage_bytes(lane->stage);
	}
}

/* A full disk fails every commit; one line when it begins and one when it ends. */
static void
note_disk(struct work *work, const struct lane_result *result)
{
	bool is_full = result->has_failed && result->why.code == ERR_DISK_FULL;

	if (is_full && !work->is_disk_full)
		log_error("cannot write: %s; reading goes on", result->why.text);
	if (!result->has_failed && work->is_disk_full)
		log_info("writing again");
	if (is_full || !result->has_failed)
		work->is_disk_full = is_full;
}

static void
commit_ready(struct work *work)
{
	struct lane_queue group;
	struct lane *lane;

	if (TAILQ_EMPTY(&work->ready))
		return;
	take_group(work, &group);
	crashpoint(CRASHPOINT_COMMIT_BEGUN);
	apply_group(work->records, &group);
	crashpoint(CRASHPOINT_COMMIT_ON_DISK);
	while ((lane = TAILQ_FIRST(&group)) != NULL) {
		TAILQ_REMOVE(&group, lane, of_ready);
		note_disk(work, &lane->result);
		peer_answer_commit(lane);
	}
	crashpoint(CRASHPOINT_COMMIT_ACKED);
}

/* One step for as many scans as the turn has room for; who was served goes to
 * the end of the queue. */
static void
run_scans(struct work *work)
{
	unsigned rows = LIMIT_SCAN_ROWS_PER_TURN;
	struct scan *scan;

	while (rows > 0 && (scan = TAILQ_FIRST(&work->running)) != NULL) {
		bool is_done = false;
		struct err err;

		work_stop_scan(work, scan);
		if (scan_step(scan, work->records, &rows, &is_done, &err) == -1)
			peer_end_scan(scan, &err);
		else if (is_done)
			peer_end_scan(scan, NULL);
		else if (channel_is_open(scan->channel) &&
		    !channel_is_clogged(scan->channel))
			work_run_scan(work, scan);
	}
}

void
work_turn(struct work *work)
{
	commit_ready(work);
	run_scans(work);
}

/*
 * freshness-scan - is what the index has still what the servers have?
 *
 * From the repository that was not checked for longest: one small request each
 * (getLatestCommit), a sync of what moved, either way.  How long a check is good
 * for depends on how lately the repository changed: its tier (op_tier.h, the settings
 * freshness_*_ms).  A scan of one tier passes by the others.  The walk is
 * over where it meets what was checked since it began.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "op/op_tier.h"
#include "workers/net_worker.h"
#include "workers/scan_index.h"
#include "workers/scan_retry.h"

#define INDEX_NAME	"index"
#define DOCUMENT_AGE_MS	(24 * OP_TIER_HOUR_MS)	/* documents are believed at least so long */

struct freshness_scan {
	struct index_count *count;
	bool is_begun;
};

static const struct scan_order check = { .accepts_older = true };

/* Without a revision it is deleted, or was never had. */
static enum op_tier
tier_of(const struct msg_repo *repo, int64_t now_ms)
{
	uint64_t tid;

	return tid_parse(repo->rev, &tid) == -1 ? OP_TIER_BACKGROUND :
	    op_tier_of(now_ms - tid_us(tid) / 1000);
}

/* How old the last check may be. */
static int64_t
age_for(const struct settings *settings, enum op_tier tier)
{
	uint64_t age_ms = 0;

	switch (tier) {
	case OP_TIER_URGENT:
		age_ms = settings->freshness_urgent_ms;
		break;
	case OP_TIER_RECENT:
		age_ms = settings->freshness_recent_ms;
		break;
	case OP_TIER_NORMAL:
		age_ms = settings->freshness_normal_ms;
		break;
	case OP_TIER_BACKGROUND:
		age_ms = settings->freshness_background_ms;
		break;
	}
	return (int64_t)age_ms;
}

/* The tier that was asked for; true also if none was. */
static bool
is_wanted(struct scan *scan, enum op_tier tier)
{
	struct str word = worker_assignment(scan_worker(scan))->tier;
	enum op_tier wanted;

	return op_tier_parse(word, &wanted) == -1 || wanted == tier;
}

static enum scan_index_verdict
judge(struct scan *scan, const struct msg_repo *repo)
{
	int64_t started_ms = scan_started_ms(scan);
	int64_t age_ms = started_ms - (int64_t)repo->checked_ms;
	enum op_tier tier = tier_of(repo, started_ms);

	if (age_ms <= 0)
		return SCAN_INDEX_END;
	return is_wanted(scan, tier) && age_ms >= age_for(scan_env(scan)->settings, tier) ?
	    SCAN_INDEX_TAKE : SCAN_INDEX_PASS;
}

static const struct scan_index stalest = {
	.order = REPOS_BY_CHECKED, .judge = judge,
	.sync = { .accepts_older = true },
};

static void
next(struct scan *scan)
{
	struct freshness_scan *job = scan_job(scan);

	if (job->is_begun) {
		scan_is_last(scan);
		return;
	}
	job->is_begun = true;
	if (scan_retry_next(scan, &check))
		return;
	/* An attempt before has known it already. */
	if (!scan_is_resumed(scan))
		job->count = index_count_start(scan, &stalest);
	scan_index_add(scan, &stalest, INDEX_NAME);
}

static bool
again(struct scan *scan BF_UNUSED, const char *name BF_UNUSED)
{
	return true;		/* next() makes it */
}

static void
end_job(struct scan *scan)
{
	struct freshness_scan *job = scan_job(scan);

	if (job == NULL)
		return;
	index_count_cancel(&job->count);
	free(job);
}

static void *
start(struct worker *worker)
{
	static const struct scan_kind kind = {
		.name = "freshness-scan", .next = next, .again = again, .end = end_job,
		.document_max_age_ms = DOCUMENT_AGE_MS,
	};
	struct scan *scan = scan_start(worker, &kind);

	scan_set_job(scan, xcalloc(1, sizeof(struct freshness_scan)));
	return scan;
}

static void
end(void *arg)
{
	struct scan *scan = arg;

	scan_end(&scan);
}

int
main(void)
{
	static const struct worker_type type = { .name = "freshness-scan",
		.start = start, .end = end, .pause = scan_pause };

	return net_worker_main(&type);
}

/*
 * pds-scan - what servers have, against what the index has.  See pds_scan.h.
 */
#include "workers/pds_scan.h"

#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "workers/host_memory.h"
#include "workers/net_worker.h"
#include "workers/scan_index.h"
#include "workers/scan_retry.h"

#define UNLISTED_NAME	"unlisted"
#define RETRY_IS_ADDED	" "		/* a position; before any origin */
#define SEEN_STEP	4096		/* bytes that the bitmap grows by */

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void
pds_scan_saw(struct pds_scan *job, uint64_t id)
{
	uint64_t byte = id / 8;

	if (byte >= job->seen_size) {
		uint64_t size = (byte / SEEN_STEP + 1) * SEEN_STEP;

		job->seen = xrealloc(job->seen, size);
		memset(job->seen + job->seen_size, 0, size - job->seen_size);
		job->seen_size = size;
	}
	job->seen[byte] = (uint8_t)(job->seen[byte] | 1u << (id % 8));
}

static bool
was_seen(const struct pds_scan *job, uint64_t id)
{
	return id / 8 < job->seen_size && (job->seen[id / 8] & 1u << (id % 8)) != 0;
}

static void
add_origin(void **tree, const char *origin)
{
	if (tfind(origin, tree, compare) == NULL &&
	    tsearch(xstrdup(origin), tree, compare) == NULL)
		abort();	/* out of memory is all that it can be */
}

void
pds_scan_host_is_complete(struct pds_scan *job, const char *origin)
{
	add_origin(&job->complete, origin);
}

void
pds_scan_host_is_relayed(struct pds_scan *job, const char *origin)
{
	add_origin(&job->relayed, origin);
}

bool
pds_scan_is_relayed(const struct pds_scan *job, const char *origin)
{
	return tfind(origin, &job->relayed, compare) != NULL;
}

/* --- what no list has --- */

/* Of a host whose list was read to its end, not on it, and not synced since.  That
 * it is not listed is no proof: its sync asks the server that its document names. */
static enum scan_index_verdict
judge_unlisted(struct scan *scan, const struct msg_repo *repo)
{
	struct pds_scan *job = scan_job(scan);
	char origin[URL_ORIGIN_SIZE];

	if (was_seen(job, repo->id) || str_eq(repo->status, STR("deleted")) ||
	    (int64_t)repo->checked_ms >= scan_started_ms(scan) ||
	    host_memory_origin(scan_env(scan), repo->pds_url, origin) == -1 ||
	    tfind(origin, &job->complete, compare) == NULL)
		return SCAN_INDEX_PASS;
	return SCAN_INDEX_TAKE;
}

static const struct scan_index unlisted = {
	.order = REPOS_BY_ID, .judge = judge_unlisted,
	.sync = { .wants_fresh_document = true },
};

/* --- from stage to stage --- */

/* The first server behind this one that is an item of the retry. */
static const char *
next_item(const struct sync_env *env, const struct str *items, size_t count,
    const char *after, char origin_out[URL_ORIGIN_SIZE])
{
	char origin[URL_ORIGIN_SIZE];
	bool is_found = false;

	for (size_t i = 0; i < count; i++) {
		if (host_memory_origin(env, items[i], origin) == -1 ||
		    strcmp(origin, after) <= 0 ||
		    (is_found && strcmp(origin, origin_out) >= 0))
			continue;
		(void)strcpy(origin_out, origin);
		is_found = true;
	}
	return is_found ? origin_out : NULL;
}

/* The host behind this one; of one server, that one alone.  NULL: that was all. */
static const char *
next_host(const struct pds_scan *job, const char *after, char origin[URL_ORIGIN_SIZE])
{
	const struct sync_env *env = scan_env(job->scan);
	struct str only = worker_assignment(scan_worker(job->scan))->pds_url;
	const struct str *items;
	size_t count;

	if (worker_retry_items(scan_worker(job->scan), &items, &count))
		return next_item(env, items, count, after, origin);
	if (only.len == 0)
		return host_memory_next(env->hosts, after);
	if (host_memory_origin(env, only, origin) == -1 || strcmp(after, origin) == 0)
		return NULL;
	return origin;
}

/* They are counted as handled, so the history says how. */
static void
tell_what_was_spared(const struct pds_scan *job)
{
	if (job->not_listed + job->described > 0)
		worker_log(scan_worker(job->scan), LOG_LEVEL_INFO, "not fetched, since they "
		    "have no wanted collections: %" PRIu64 " repositories by the relay's "
		    "lists, %" PRIu64 " by the word of their servers%s", job->not_listed,
		    job->described, scan_is_resumed(job->scan) ?
		    " (in this attempt)" : "");
}

static void
next_unlisted(struct pds_scan *job)
{
	if (job->unlisted_is_added) {
		scan_is_last(job->scan);
		return;
	}
	job->unlisted_is_added = true;
	tell_what_was_spared(job);
	scan_set_position(job->scan, STAGE_UNLISTED, scan_position(job->scan));
	scan_index_add(job->scan, &unlisted, UNLISTED_NAME);
}

/* In a later attempt: lists that an earlier one has read are read again, only to
 * know what is on them. */
static bool
next_to_relist(struct pds_scan *job)
{
	char text[URL_ORIGIN_SIZE];
	const char *origin;

	if (!scan_is_resumed(job->scan))
		return false;
	while ((origin = next_host(job, job->relist_position, text)) != NULL &&
	    strcmp(origin, scan_position(job->scan)) <= 0) {
		free(job->relist_position);
		job->relist_position = xstrdup(origin);
		pds_host_add(job, origin, true);
		return true;
	}
	return false;
}

static void
next_of_list(struct pds_scan *job)
{
	char text[URL_ORIGIN_SIZE];
	const char *origin = NULL;

	if (scan_stage(job->scan) == STAGE_LISTING)
		origin = next_host(job, scan_position(job->scan), text);
	if (origin != NULL) {
		scan_set_position(job->scan, STAGE_LISTING, origin);
		pds_host_add(job, origin, false);
	} else if (!next_to_relist(job) && !scan_has_sources(job->scan)) {
		next_unlisted(job);
	}
}

/* True if this is one.  What it has of servers is listed as ever. */
static bool
begin_retry(struct pds_scan *job)
{
	static const struct scan_order order = { 0 };
	char origin[URL_ORIGIN_SIZE];
	const struct str *items;
	size_t count;

	if (!worker_retry_items(scan_worker(job->scan), &items, &count))
		return false;
	job->is_gathered = true;
	if (*scan_position(job->scan) == '\0') {
		scan_set_position(job->scan, STAGE_LISTING, RETRY_IS_ADDED);
		job->is_retry_left = true;
	}
	if (job->is_retry_left)
		(void)scan_retry_add(job->scan, &order);
	if (next_host(job, "", origin) == NULL)
		scan_is_last(job->scan);
	else
		scan_go_on(job->scan);
	return true;
}

static void
next(struct scan *scan)
{
	struct pds_scan *job = scan_job(scan);

	if (job->is_gathered)
		next_of_list(job);
	else if (job->gather == NULL && !begin_retry(job))
		job->gather = pds_gather_start(job);
}

static bool
again(struct scan *scan, const char *name)
{
	if (strcmp(name, SCAN_RETRY_NAME) == 0)
		((struct pds_scan *)scan_job(scan))->is_retry_left = true;
	if (strcmp(name, SCAN_RETRY_NAME) == 0 || strcmp(name, UNLISTED_NAME) == 0)
		return true;		/* next() makes it */
	if (pds_host_origin(name) == NULL)
		return false;
	pds_host_add(scan_job(scan), name, false);
	return true;
}

static void
end_job(struct scan *scan)
{
	struct pds_scan *job = scan_job(scan);

	if (job == NULL)
		return;
	pds_gather_free(&job->gather);
	pds_wanted_free(&job->wanted);
	tdestroy(job->complete, free);
	tdestroy(job->relayed, free);
	free(job->seen);
	free(job->relist_position);
	free(job);
}

static void
check_url(struct scan *scan)
{
	struct str url = worker_assignment(scan_worker(scan))->pds_url;
	char origin[URL_ORIGIN_SIZE];

	if (url.len > 0 && host_memory_origin(scan_env(scan), url, origin) == -1)
		worker_fail(scan_worker(scan), "invalid", "%.*s is not the URL of a "
		    "server that may be asked", STR_FMT(url));
}

static void *
start(struct worker *worker)
{
	static const struct scan_kind kind = {
		.name = "pds-scan", .next = next, .again = again, .end = end_job,
	};
	struct scan *scan = scan_start(worker, &kind);
	struct pds_scan *job = xcalloc(1, sizeof(*job));

	job->scan = scan;
	job->relist_position = xstrdup("");
	scan_set_job(scan, job);
	check_url(scan);
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
	static const struct worker_type type = { .name = "pds-scan", .start = start,
		.end = end, .pause = scan_pause };

	return net_worker_main(&type);
}

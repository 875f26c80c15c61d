/*
 * The part of pds-scan that spares the download of repositories without any
 * wanted collection.
 */
#include <stdlib.h>

#include "common/mem.h"
#include "fetch/describe_repo.h"
#include "workers/pds_scan.h"
#include "workers/records_link.h"

struct empty {
	struct scan_entry *entry;	/* borrowed, owns us */
	char *origin;			/* owned */
	/* owned; at most one is under way */
	struct describe_repo *describe;
	struct records_lane *lane;
};

static void
free_empty(struct scan_entry *entry)
{
	struct empty *empty = entry->request;

	entry->request = NULL;
	free(empty->origin);
	free(empty);
}

static void
sync_it(struct scan_entry *entry)
{
	free_empty(entry);
	scan_entry_order(entry, &(struct scan_order){ 0 });
}

/* --- the note --- */

static void
on_state(const struct msg_state *state, void *arg)
{
	struct empty *empty = arg;
	const struct sync_env *env = scan_env(scan_entry_scan(empty->entry));

	if (state->is_busy || state->records > 0) {
		/* Somebody else is at it, or was. */
		if (state->is_busy)
			empty->lane = NULL;
		records_abort(&empty->lane);
		sync_it(empty->entry);
		return;
	}
	records_commit(empty->lane, &(struct msg_commit){
	    .pds_url = str_from(empty->origin), .rev = str_from(empty->entry->rev),
	    .status = STR("active"), .selection = str_from(sync_env_selection(env,
	    str_from(empty->entry->did))) });
}

static void
on_ack(const struct msg_ack *ack BF_UNUSED, void *arg)
{
	struct empty *empty = arg;
	struct scan_entry *entry = empty->entry;
	struct pds_scan *job = scan_job(scan_entry_scan(entry));

	job->described++;
	empty->lane = NULL;
	free_empty(entry);
	scan_entry_done(entry);
}

static void
on_refuse(struct str class BF_UNUSED, struct str text BF_UNUSED, void *arg)
{
	struct empty *empty = arg;

	/* A sync will meet the same, and tell. */
	empty->lane = NULL;
	sync_it(empty->entry);
}

static void
on_nothing(void *arg BF_UNUSED)
{
}

static void
on_no_entry(struct str path BF_UNUSED, struct bytes cid BF_UNUSED, void *arg BF_UNUSED)
{
}

static void
note(struct empty *empty)
{
	static const struct records_lane_events events = {
		.on_state = on_state, .on_entry = on_no_entry, .on_end = on_nothing,
		.on_room = on_nothing, .on_ack = on_ack, .on_refuse = on_refuse,
	};
	const struct sync_env *env = scan_env(scan_entry_scan(empty->entry));

	empty->lane = records_begin(env->records, str_from(empty->entry->did), &events,
	    empty);
}

/* --- describeRepo --- */

static void
on_described(const struct fetch_error *error, bool is_wanted, void *arg)
{
	struct empty *empty = arg;

	empty->describe = NULL;
	/* Without an answer only the repository tells. */
	if (error->class != FETCH_OK || is_wanted)
		sync_it(empty->entry);
	else
		note(empty);
}

void
pds_empty_check(struct scan_entry *entry, const char *origin)
{
	struct empty *empty = xcalloc(1, sizeof(*empty));
	const struct sync_env *env = scan_env(scan_entry_scan(entry));

	empty->entry = entry;
	empty->origin = xstrdup(origin);
	entry->request = empty;
	empty->describe = describe_repo_get(env->http, origin, str_from(entry->did),
	    sync_env_filter(env, str_from(entry->did)), on_described, empty);
}

void
pds_empty_drop(struct scan_entry *entry)
{
	struct empty *empty = entry->request;

	if (empty == NULL)
		return;
	describe_repo_cancel(&empty->describe);
	records_abort(&empty->lane);
	free_empty(entry);
}

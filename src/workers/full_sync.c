/*
 * full-sync - every repository anew, whatever its revision.
 *
 * Notes where the firehose of `relay_url` stands.  Then come those that the index
 * knows, by number.  Then those of `full_sync_file` that it does not know.  Then, with `relay_url` and wanted collections that are names,
 * those of the relay's listReposByCollection that the index does not know.
 */
#include <stdlib.h>
#include <string.h>

#include "atproto/nsid.h"
#include "common/mem.h"
#include "confine/confine.h"
#include "workers/net_worker.h"
#include "workers/relay_note.h"
#include "workers/scan_file.h"
#include "workers/scan_index.h"
#include "workers/scan_listing.h"
#include "workers/scan_retry.h"

#define INDEX_NAME	"index"
#define FILE_NAME	"full_sync_file"
#define NOTED		"noted"		/* a position: an attempt before has asked the relay */

enum stage {
	STAGE_INDEX,
	STAGE_RELAY,		/* the position is the collection that is listed */
	STAGE_FILE,		/* before that; its number is younger */
};

struct full_sync {
	struct index_count *count;
	struct relay_note *note;	/* NULL: not under way */
	bool is_noted;
	bool is_begun;		/* the index, in this attempt or before */
};

static const struct scan_order anew = {
	.is_forced = true, .wants_fresh_document = true, .accepts_older = true,
};

/* --- the index --- */

static enum scan_index_verdict
judge(struct scan *scan BF_UNUSED, const struct msg_repo *repo BF_UNUSED)
{
	return SCAN_INDEX_TAKE;
}

static const struct scan_index known = {
	.order = REPOS_BY_ID, .judge = judge,
	.sync = { .is_forced = true, .wants_fresh_document = true, .accepts_older = true },
};

/* --- what the index may not know --- */

static void
on_state(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct scan_entry *entry = arg;

	entry->question = NULL;
	if (why == NULL && state->is_known)
		scan_entry_skip(entry);
	else
		scan_entry_order(entry, &anew);
}

static void
take_listed(struct scan_entry *entry)
{
	entry->question = records_look(scan_env(scan_entry_scan(entry))->records,
	    str_from(entry->did), on_state, entry);
}

static void
drop_listed(struct scan_entry *entry)
{
	if (entry->question != NULL)
		link_question_cancel(&entry->question);
}

/* --- the file --- */

/* True if there is one, and it has not had its turn. */
static bool
add_file(struct scan *scan)
{
	const char *path = scan_env(scan)->settings->full_sync_file;

	if (*path == '\0')
		return false;
	scan_set_position(scan, STAGE_FILE, "");
	scan_file_add(scan, FILE_NAME, path, take_listed, drop_listed);
	return true;
}

/* --- the relay --- */

static void
read_listed(struct scan_source *source, struct bytes cursor)
{
	scan_listing_read(scan_source_job(source), source, cursor);
}

static void
listed_is_over(struct scan_source *source, bool is_complete BF_UNUSED)
{
	struct scan_listing *listing = scan_source_job(source);

	scan_listing_free(&listing);
}

static void
add_relay(struct scan *scan, const char *collection)
{
	static const struct scan_source_type type = {
		.stage = "syncing what the relay lists", .is_of_server = true,
		.read = read_listed, .take = take_listed, .drop = drop_listed,
		.over = listed_is_over,
	};
	const struct sync_env *env = scan_env(scan);

	scan_set_position(scan, STAGE_RELAY, collection);
	(void)scan_add_source(scan, &type, collection, scan_listing_new(env,
	    env->settings->relay_url, "com.atproto.sync.listReposByCollection",
	    str_from(collection), true));
}

/* The wanted collection behind this one ("": the first) that is a name and no
 * pattern; NULL if there is none.  To be freed. */
static char *
next_collection(const struct scan *scan, const char *after)
{
	struct str rest = str_from(scan_env(scan)->settings->collections), item;
	bool is_found = *after == '\0';

	while (!str_is_empty(item = settings_next_item(&rest))) {
		if (is_found && nsid_is_valid(item))
			return xstrndup(item.ptr, item.len);
		is_found = is_found || str_eq(item, str_from(after));
	}
	return NULL;
}

/* That nothing was known and nothing listed is not what anybody asked for; with a relay
 * its position is noted, at least, and catch-up can go on from there. */
static void
end_lists(struct scan *scan)
{
	const struct settings *settings = scan_env(scan)->settings;
	bool has_file = *settings->full_sync_file != '\0';

	if (!scan_had_work(scan) && *settings->relay_url == '\0') {
		worker_fail(scan_worker(scan), "no-repositories", "the index knows no "
		    "repository%s: begin with did-sync or pds-scan (backfillctl trigger "
		    "pds-scan --pds-url URL), or %s, or relay_url with collections, in "
		    "backfilld.conf", has_file ? ", and full_sync_file lists none" : "",
		    has_file ? "name another full_sync_file" : "set full_sync_file");
		return;
	}
	if (!scan_had_work(scan))
		worker_log(scan_worker(scan), LOG_LEVEL_WARN, "nothing was synced: the index "
		    "knows no repository, and the relay lists none for the names among "
		    "collections; begin with pds-scan or catch-up");
	scan_is_last(scan);
}

/* The file, then each collection. */
static void
next_of_lists(struct scan *scan)
{
	const char *after = scan_stage(scan) == STAGE_RELAY ? scan_position(scan) : "";
	char *collection = NULL;

	if (scan_has_sources(scan) ||
	    (scan_stage(scan) == STAGE_INDEX && add_file(scan)))
		return;
	if (*scan_env(scan)->settings->relay_url != '\0')
		collection = next_collection(scan, after);
	if (collection != NULL)
		add_relay(scan, collection);
	else
		end_lists(scan);
	free(collection);
}

/* --- the firehose --- */

static void
on_noted(const char *why, void *arg)
{
	struct scan *scan = arg;
	struct full_sync *job = scan_job(scan);

	job->note = NULL;
	scan_set_position(scan, STAGE_INDEX, NOTED);
	if (why != NULL)
		worker_log(scan_worker(scan), LOG_LEVEL_WARN,
		    "no position of the relay's firehose is noted: %s", why);
	scan_go_on(scan);
}

/* What happens from now on is for catch-up.  True while it has to be waited for. */
static bool
note_position(struct scan *scan)
{
	struct full_sync *job = scan_job(scan);
	const struct sync_env *env = scan_env(scan);

	if (!job->is_noted && *env->settings->relay_url != '\0' &&
	    strcmp(scan_position(scan), NOTED) != 0)
		job->note = relay_note_start(env, on_noted, scan);
	job->is_noted = true;
	return job->note != NULL;
}

/* --- the kind --- */

static void
next(struct scan *scan)
{
	struct full_sync *job = scan_job(scan);

	if (job->is_begun || scan_stage(scan) != STAGE_INDEX) {
		next_of_lists(scan);
		return;
	}
	if (note_position(scan))
		return;
	job->is_begun = true;
	if (scan_retry_next(scan, &anew))
		return;
	/* An attempt before has known it already. */
	if (!scan_is_resumed(scan))
		job->count = index_count_start(scan, &known);
	scan_index_add(scan, &known, INDEX_NAME);
}

static bool
again(struct scan *scan, const char *name)
{
	struct full_sync *job = scan_job(scan);

	if (strcmp(name, SCAN_RETRY_NAME) == 0 || strcmp(name, INDEX_NAME) == 0)
		return true;		/* next() makes it */
	job->is_begun = true;
	if (strcmp(name, FILE_NAME) == 0)
		return add_file(scan);
	add_relay(scan, name);
	return true;
}

static void
end_job(struct scan *scan)
{
	struct full_sync *job = scan_job(scan);

	if (job == NULL)
		return;
	index_count_cancel(&job->count);
	relay_note_cancel(&job->note);
	free(job);
}

static void *
start(struct worker *worker)
{
	static const struct scan_kind kind = {
		.name = "full-sync", .next = next, .again = again, .end = end_job,
	};
	struct scan *scan = scan_start(worker, &kind);

	scan_set_job(scan, xcalloc(1, sizeof(struct full_sync)));
	return scan;
}

static void
end(void *arg)
{
	struct scan *scan = arg;

	scan_end(&scan);
}

static void
keep_file(struct confine *confine, const struct settings *settings)
{
	confine_init(confine, CONFINE_CONNECT);
	if (*settings->full_sync_file != '\0')
		confine_add(confine, settings->full_sync_file, SANDBOX_READ);
}

int
main(void)
{
	static const struct worker_type type = { .name = "full-sync", .start = start,
		.end = end, .pause = scan_pause, .confine = keep_file };

	return net_worker_main(&type);
}

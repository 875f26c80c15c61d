/*
 * The part of pds-scan that lists one host: what is as indexed costs one look into
 * the index and nothing on the network.
 */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "workers/host_memory.h"
#include "workers/pds_scan.h"
#include "workers/rows_link.h"
#include "workers/scan_listing.h"

#define MARKS_PREFIX	"seen "		/* of the name of a source that only marks */

struct pds_host {
	struct pds_scan *job;		/* borrowed */
	char *origin;			/* owned */
	struct scan_listing *listing;	/* owned */
};

static struct pds_host *
host_of(const struct scan_entry *entry)
{
	return scan_source_job(scan_entry_source(entry));
}

/* Is it indexed as being on this host? */
static bool
is_here(const struct pds_host *host, const struct msg_state *state)
{
	const struct sync_env *env = scan_env(host->job->scan);
	char origin[URL_ORIGIN_SIZE];

	return host_memory_origin(env, state->pds_url, origin) == 0 &&
	    strcmp(origin, host->origin) == 0;
}

static bool
is_same(const struct scan_entry *entry, const struct msg_state *state)
{
	const char *selection = sync_env_selection(scan_env(scan_entry_scan(entry)),
	    str_from(entry->did));

	return str_eq(state->status, str_from(entry->status)) &&
	    (strcmp(entry->status, "active") != 0 ||
	    (str_eq(state->rev, str_from(entry->rev)) &&
	    str_eq(state->selection, str_from(selection))));
}

/* Nothing of it is indexed: is there anything that is wanted? */
static bool
may_be_empty(const struct scan_entry *entry, const struct msg_state *state)
{
	return sync_env_filter(scan_env(scan_entry_scan(entry)),
	    str_from(entry->did)) != NULL &&
	    (!state->is_known || state->records == 0) &&
	    strcmp(entry->status, "active") == 0;
}

/* The relay's word is enough if it knows the server; else the server is asked. */
static void
judge_empty(struct scan_entry *entry, const struct pds_host *host)
{
	static const struct scan_order order = { 0 };
	struct pds_scan *job = host->job;
	const struct sync_env *env = scan_env(job->scan);
	struct str did = str_from(entry->did);

	/* Of the governance account more is wanted than the relay was asked for. */
	if (job->wanted == NULL || !pds_wanted_is_complete(job->wanted) ||
	    !pds_scan_is_relayed(job, host->origin) ||
	    sync_env_filter(env, did) != env->filter) {
		pds_empty_check(entry, host->origin);
	} else if (pds_wanted_lacks(job->wanted, did)) {
		job->not_listed++;
		scan_entry_done(entry);
	} else {
		scan_entry_order(entry, &order);
	}
}

static void
judge(struct scan_entry *entry, const struct msg_state *state)
{
	struct pds_host *host = host_of(entry);
	bool is_active = strcmp(entry->status, "active") == 0;

	if (state->is_known)
		pds_scan_saw(host->job, state->id);
	/* Of an account that is not active and not indexed nothing is to be shown
	 * or hidden; and what has moved away is no business of its old host. */
	if (!is_active && (!state->is_known || !is_here(host, state)))
		scan_entry_done(entry);
	else if (state->is_known && is_here(host, state) && is_same(entry, state))
		scan_entry_done(entry);
	else if (may_be_empty(entry, state))
		judge_empty(entry, host);
	else
		scan_entry_order(entry, &(struct scan_order){ 0 });
}

static void
on_state(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct scan_entry *entry = arg;

	entry->question = NULL;
	if (why != NULL)
		scan_entry_failed(entry, "index", "the indexer cannot look it up");
	else
		judge(entry, state);
}

static void
look(struct scan_entry *entry, link_state_cb *cb)
{
	entry->question = records_look(scan_env(scan_entry_scan(entry))->records,
	    str_from(entry->did), cb, entry);
}

static void
take(struct scan_entry *entry)
{
	look(entry, on_state);
}

static void
on_state_to_mark(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct scan_entry *entry = arg;

	entry->question = NULL;
	if (why == NULL && state->is_known)
		pds_scan_saw(host_of(entry)->job, state->id);
	scan_entry_skip(entry);
}

static void
take_to_mark(struct scan_entry *entry)
{
	look(entry, on_state_to_mark);
}

static void
drop(struct scan_entry *entry)
{
	if (entry->question != NULL)
		link_question_cancel(&entry->question);
	pds_empty_drop(entry);
}

static void
read_list(struct scan_source *source, struct bytes cursor)
{
	struct pds_host *host = scan_source_job(source);

	scan_listing_read(host->listing, source, cursor);
}

static void
host_is_over(struct scan_source *source, bool is_complete)
{
	struct pds_host *host = scan_source_job(source);
	const struct sync_env *env = scan_env(host->job->scan);

	if (is_complete) {
		pds_scan_host_is_complete(host->job, host->origin);
		host_memory_listed(env->hosts, host->origin, scan_source_listed(source));
	}
	scan_listing_free(&host->listing);
	free(host->origin);
	free(host);
}

void
pds_host_add(struct pds_scan *job, const char *origin, bool marks_only)
{
	static const struct scan_source_type working = {
		.stage = "listing", .is_of_server = true, .read = read_list,
		.take = take, .drop = drop, .over = host_is_over,
	}, marking = {
		.stage = "listing again", .is_of_server = true, .is_repeated = true,
		.read = read_list, .take = take_to_mark, .drop = drop,
		.over = host_is_over,
	};
	struct pds_host *host = xcalloc(1, sizeof(*host));
	struct buf name = BUF_INIT;

	host->job = job;
	host->origin = xstrdup(origin);
	host->listing = scan_listing_new(scan_env(job->scan), origin,
	    "com.atproto.sync.listRepos", STR_NONE, false);
	buf_printf(&name, "%s%s%c", marks_only ? MARKS_PREFIX : "", origin, '\0');
	(void)scan_add_source(job->scan, marks_only ? &marking : &working,
	    (const char *)buf_data(&name), host);
	buf_clear(&name);
}

const char *
pds_host_origin(const char *name)
{
	return strncmp(name, MARKS_PREFIX, sizeof(MARKS_PREFIX) - 1) == 0 ? NULL : name;
}

/*
 * The part of pds-scan that asks the relay who has the wanted collections
 * (listReposByCollection), so that nobody else's server has to be asked.
 *
 * A relay knows of the servers that it crawls, and of no others.  So its lists count
 * only for those of its listHosts, only if all of them were read to their end, and
 * not if nobody is on them: some relays answer that way who keep no such lists.
 * Nothing is noted of who is not listed; each scan asks anew.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "atproto/nsid.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "fetch/list_page.h"
#include "workers/pds_scan.h"
#include "workers/scan_impl.h"

#define PAGE_REPOS	1000		/* LIMIT_LIST_PAGE_ENTRIES */

struct pds_wanted {
	struct pds_scan *job;		/* borrowed */
	pds_wanted_cb *on_ready;
	/* owned */
	struct scan_set listed;		/* sorted once the lists are read */
	struct list_page *page;		/* NULL: none is under way */
	struct buf cursor;
	struct str rest;		/* of the setting: collections to be read */
	struct str collection;
	unsigned empty_pages;		/* in a row */
	bool is_complete;
};

/* Every wanted collection is a name; all, or a pattern, is nothing to ask for. */
static bool
has_names_only(const struct sync_env *env)
{
	struct str rest = str_from(env->settings->collections), item;
	bool any = false;

	while (!str_is_empty(item = settings_next_item(&rest))) {
		if (!nsid_is_valid(item))
			return false;
		any = true;
	}
	return any;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

bool
pds_wanted_is_complete(const struct pds_wanted *wanted)
{
	return wanted->is_complete;
}

bool
pds_wanted_lacks(const struct pds_wanted *wanted, struct str did)
{
	uint64_t hash = scan_hash(did);

	return bsearch(&hash, wanted->listed.hashes, wanted->listed.count, sizeof(hash),
	    compare) == NULL;
}

/* --- reading --- */

static void read_page(struct pds_wanted *wanted);

static void
is_read(struct pds_wanted *wanted, const char *why)
{
	struct worker *worker = scan_worker(wanted->job->scan);

	wanted->is_complete = why == NULL;
	if (why != NULL) {
		scan_set_clear(&wanted->listed);
		worker_log(worker, LOG_LEVEL_WARN, "the relay does not tell who has the "
		    "wanted collections, so each server is asked: %s", why);
	} else {
		qsort(wanted->listed.hashes, wanted->listed.count, sizeof(uint64_t),
		    compare);
		worker_log(worker, LOG_LEVEL_INFO, "the relay lists %zu repositories with "
		    "wanted collections", wanted->listed.count);
	}
	wanted->on_ready(wanted->job);
}

static void
next_collection(struct pds_wanted *wanted)
{
	wanted->collection = settings_next_item(&wanted->rest);
	wanted->empty_pages = 0;
	buf_reset(&wanted->cursor);
	if (!str_is_empty(wanted->collection))
		read_page(wanted);
	else
		is_read(wanted, wanted->listed.count > 0 ? NULL : "nobody is on its lists");
}

static void
on_repo(const struct list_entry *entry, void *arg)
{
	struct pds_wanted *wanted = arg;

	if (wanted->listed.count < LIMIT_WANTED_REPOS)
		scan_set_add(&wanted->listed, scan_hash(entry->did));
}

static void
on_page(const struct list_result *page, void *arg)
{
	struct pds_wanted *wanted = arg;

	wanted->page = NULL;
	wanted->empty_pages = page->entries > 0 ? 0 : wanted->empty_pages + 1;
	if (page->error.class != FETCH_OK) {
		is_read(wanted, page->error.text);
	} else if (page->bad_entries > 0) {
		is_read(wanted, "a list has entries that are none");
	} else if (wanted->listed.count >= LIMIT_WANTED_REPOS) {
		is_read(wanted, "there are too many to remember");
	} else if (page->cursor.len == 0) {
		next_collection(wanted);
	} else if (str_eq(page->cursor, buf_str(&wanted->cursor)) ||
	    wanted->empty_pages > LIMIT_LIST_EMPTY_PAGES) {
		is_read(wanted, "a list has no end");
	} else {
		buf_reset(&wanted->cursor);
		buf_add_str(&wanted->cursor, page->cursor);
		read_page(wanted);
	}
}

static void
read_page(struct pds_wanted *wanted)
{
	const struct sync_env *env = scan_env(wanted->job->scan);

	wanted->page = list_page_get(env->http, &(struct list_query){
	    .origin = env->settings->relay_url,
	    .nsid = "com.atproto.sync.listReposByCollection",
	    .collection = wanted->collection, .cursor = buf_str(&wanted->cursor),
	    .limit = PAGE_REPOS, .is_trusted = true }, on_repo, on_page, wanted);
}

/* --- life --- */

struct pds_wanted *
pds_wanted_start(struct pds_scan *job, pds_wanted_cb *on_ready)
{
	const struct sync_env *env = scan_env(job->scan);
	struct pds_wanted *wanted;

	if (*env->settings->relay_url == '\0' || !has_names_only(env))
		return NULL;
	wanted = xcalloc(1, sizeof(*wanted));
	wanted->job = job;
	wanted->on_ready = on_ready;
	wanted->rest = str_from(env->settings->collections);
	next_collection(wanted);
	return wanted;
}

void
pds_wanted_free(struct pds_wanted **wanted)
{
	if (*wanted == NULL)
		return;
	list_page_cancel(&(*wanted)->page);
	scan_set_clear(&(*wanted)->listed);
	buf_clear(&(*wanted)->cursor);
	free(*wanted);
	*wanted = NULL;
}

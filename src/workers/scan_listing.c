#include "workers/scan_listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"
#include "fetch/list_page.h"

#define PAGE_TRIES	3		/* each of some attempts, by http.h */
#define WAIT_MS		1000		/* at most, behind the first; doubles */
#define WAIT_MAX_MS	(60 * 1000)

struct scan_listing {
	const struct sync_env *env;	/* borrowed */
	/* owned */
	char *origin, *nsid;
	struct buf collection;
	struct buf cursor;		/* of the page that is read */
	struct list_page *page;		/* NULL: none under way */

	struct scan_source *source;	/* borrowed, owns us */
	bool is_trusted;
	unsigned tries;			/* of this page that failed */
	int64_t refused_since_ms;	/* with 429; 0: it was not */
	struct ev_timer again;
};

static void
on_entry(const struct list_entry *entry, void *arg)
{
	struct scan_listing *listing = arg;

	scan_source_add(listing->source, &(struct scan_listed){
	    .did = entry->did, .rev = entry->rev,
	    /* A relay's list does not say where they are. */
	    .pds = listing->collection.end > 0 ? STR_NONE : str_from(listing->origin),
	    .status = !entry->is_inactive ? STR_NONE :
	    entry->status.len > 0 ? entry->status : STR("inactive") });
}

static void
read_in(struct scan_listing *listing, int64_t ms)
{
	ev_timer_stop(listing->env->loop, &listing->again);
	ev_timer_set(&listing->again, (double)ms / 1000., 0.);
	ev_timer_start(listing->env->loop, &listing->again);
}

/* True if the page will be asked for again. */
static bool
try_again(struct scan_listing *listing, const struct list_result *result)
{
	const struct settings *settings = listing->env->settings;
	double chance = (double)arc4random() / 4294967296.;
	int64_t now_ms = clock_mono_ms(), wait_ms;

	if (!fetch_class_is_transient(result->error.class))
		return false;
	if (result->error.class == FETCH_RATE_LIMITED) {
		if (listing->refused_since_ms == 0)
			listing->refused_since_ms = now_ms;
		if (now_ms - listing->refused_since_ms >=
		    (int64_t)settings->rate_limit_patience_ms)
			return false;
	} else if (++listing->tries == PAGE_TRIES) {
		return false;
	}
	wait_ms = result->retry_after_ms > 0 ? result->retry_after_ms :
	    polite_backoff_ms(WAIT_MS, listing->tries, WAIT_MAX_MS, chance);
	if (result->error.class != FETCH_RATE_LIMITED &&
	    wait_ms > (int64_t)settings->host_patience_ms)
		return false;
	read_in(listing, wait_ms);
	return true;
}

static void
on_end(const struct list_result *result, void *arg)
{
	struct scan_listing *listing = arg;

	listing->page = NULL;
	if (result->error.class != FETCH_OK) {
		if (!try_again(listing, result))
			scan_source_cut(listing->source,
			    fetch_class_word(result->error.class), result->error.text);
		return;
	}
	if (result->bad_entries > 0 && result->entries == 0) {
		scan_source_cut(listing->source, "invalid",
		    "a page of the list has no entry that is one");
		return;
	}
	scan_source_page(listing->source, (struct bytes){
	    (const uint8_t *)result->cursor.ptr, result->cursor.len });
}

static void
on_again(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct scan_listing *listing = timer->data;

	listing->page = list_page_get(listing->env->http, &(struct list_query){
	    .origin = listing->origin, .nsid = listing->nsid,
	    .collection = buf_str(&listing->collection),
	    .cursor = buf_str(&listing->cursor), .limit = SCAN_PAGE_ENTRIES,
	    .is_trusted = listing->is_trusted }, on_entry, on_end, listing);
}

void
scan_listing_read(struct scan_listing *listing, struct scan_source *source,
    struct bytes cursor)
{
	listing->source = source;
	listing->tries = 0;
	listing->refused_since_ms = 0;
	buf_reset(&listing->cursor);
	if (cursor.len > 0)
		buf_add(&listing->cursor, cursor.ptr, cursor.len);
	read_in(listing, 0);
}

struct scan_listing *
scan_listing_new(const struct sync_env *env, const char *origin, const char *nsid,
    struct str collection, bool is_trusted)
{
	struct scan_listing *listing = xcalloc(1, sizeof(*listing));

	listing->env = env;
	listing->origin = xstrdup(origin);
	listing->nsid = xstrdup(nsid);
	listing->is_trusted = is_trusted;
	if (collection.len > 0)
		buf_add_str(&listing->collection, collection);
	ev_timer_init(&listing->again, on_again, 0., 0.);
	listing->again.data = listing;
	return listing;
}

void
scan_listing_free(struct scan_listing **listing_at)
{
	struct scan_listing *listing = *listing_at;

	if (listing == NULL)
		return;
	*listing_at = NULL;
	ev_timer_stop(listing->env->loop, &listing->again);
	list_page_cancel(&listing->page);
	buf_clear(&listing->collection);
	buf_clear(&listing->cursor);
	free(listing->origin);
	free(listing->nsid);
	free(listing);
}

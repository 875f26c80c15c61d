/*
 * The part of a scan that has sources, pages and entries.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "workers/scan_impl.h"

/* --- sets of hashes --- */

uint64_t
scan_hash(struct str did)
{
	uint64_t hash = 14695981039346656037u;	/* FNV-1a */

	for (size_t i = 0; i < did.len; i++)
		hash = (hash ^ (unsigned char)did.ptr[i]) * 1099511628211u;
	/* FNV alone leaves DIDs that differ in two places alike too often; this is the
	 * end of splitmix64. */
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111ebu;
	return (hash ^ hash >> 31) & SCAN_HASH_MASK;
}

void
scan_set_add(struct scan_set *set, uint64_t hash)
{
	if (set->count == set->room) {
		set->room = set->room * 2 + 64;
		set->hashes = xrealloc(set->hashes, set->room * sizeof(*set->hashes));
	}
	set->hashes[set->count++] = hash;
}

/* Take it out.  False if it is not in. */
static bool
set_take(struct scan_set *set, uint64_t hash)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->hashes[i] == hash) {
			set->hashes[i] = set->hashes[--set->count];
			return true;
		}
	}
	return false;
}

void
scan_set_clear(struct scan_set *set)
{
	free(set->hashes);
	*set = (struct scan_set){ 0 };
}

/* --- sources --- */

/* Where an earlier attempt was with it. */
static void
resume_source(struct scan_source *source)
{
	struct scan *scan = source->scan;

	for (unsigned i = 0; i < scan->resumed_count; i++) {
		struct scan_resumed *from = &scan->resumed[i];

		if (strcmp(from->name, source->name) != 0)
			continue;
		source->cursor = from->cursor;
		source->listed = from->listed;
		source->pages_again = from->pages;
		source->done = from->done;
		source->pending = from->pending;
		free(from->name);
		*from = scan->resumed[--scan->resumed_count];
		return;
	}
}

struct scan_source *
scan_add_source(struct scan *scan, const struct scan_source_type *type,
    const char *name, void *job)
{
	struct scan_source *source = xcalloc(1, sizeof(*source));

	assert(scan->source_count < SCAN_SOURCES);
	source->type = type;
	source->scan = scan;
	source->job = job;
	source->name = xstrdup(name);
	source->next_mark = 1;
	TAILQ_INIT(&source->pages);
	resume_source(source);
	TAILQ_INSERT_TAIL(&scan->sources, source, link);
	scan->source_count++;
	scan->stage_name = type->stage;
	scan->has_news = true;
	scan_turn_soon(scan);
	return source;
}

static void
free_page(struct scan_page *page)
{
	struct scan_source *source = page->source;

	for (size_t i = 0; i < page->count; i++) {
		struct scan_entry *entry = page->entries[i];

		if (!entry->is_over && source->type->drop != NULL)
			source->type->drop(entry);
		free(entry->did);
		free(entry);
	}
	TAILQ_REMOVE(&source->pages, page, link);
	source->page_count--;
	source->scan->open_pages--;
	free(page->entries);
	free(page->hashes);
	buf_clear(&page->cursor);
	free(page);
}

void
scan_source_free(struct scan_source *source)
{
	struct scan *scan = source->scan;
	struct scan_page *page;

	while ((page = TAILQ_FIRST(&source->pages)) != NULL)
		free_page(page);
	source->type->over(source, source->is_complete);
	TAILQ_REMOVE(&scan->sources, source, link);
	scan->source_count--;
	scan->has_news = true;
	scan_set_clear(&source->done);
	scan_set_clear(&source->pending);
	buf_clear(&source->cursor);
	buf_clear(&source->old_cursor);
	free(source->name);
	free(source);
}

struct scan *
scan_source_scan(const struct scan_source *source)
{
	return source->scan;
}

const char *
scan_source_name(const struct scan_source *source)
{
	return source->name;
}

void *
scan_source_job(const struct scan_source *source)
{
	return source->job;
}

uint64_t
scan_source_listed(const struct scan_source *source)
{
	return source->listed;
}

/* --- reading --- */

static void
set_buf(struct buf *to, struct bytes from)
{
	buf_reset(to);
	buf_add(to, from.ptr, from.len);
}

static void
read_page(struct scan_source *source)
{
	struct scan_page *page = xcalloc(1, sizeof(*page));

	page->source = source;
	page->listed_before = source->listed;
	set_buf(&page->cursor, buf_bytes(&source->cursor));
	TAILQ_INSERT_TAIL(&source->pages, page, link);
	source->page_count++;
	source->scan->open_pages++;
	source->reading = page;
	source->type->read(source, buf_bytes(&page->cursor));
}

void
scan_source_add(struct scan_source *source, const struct scan_listed *listed)
{
	struct scan_page *page = source->reading;
	uint64_t hash = scan_hash(listed->did);
	struct scan_entry *entry;

	for (size_t i = 0; i < page->count; i++)
		if (page->hashes[i] == hash &&
		    str_eq(str_from(page->entries[i]->did), listed->did))
			return;		/* some servers list one twice */
	entry = xcalloc(1, sizeof(*entry) + listed->pds.len + 1);
	if (page->count == page->room) {
		page->room = page->room * 2 + 64;
		page->entries = xrealloc(page->entries,
		    page->room * sizeof(*page->entries));
		page->hashes = xrealloc(page->hashes,
		    page->room * sizeof(*page->hashes));
	}
	entry->page = page;
	entry->did = xstrndup(listed->did.ptr, listed->did.len);
	(void)str_copy(entry->rev, sizeof(entry->rev), listed->rev);
	(void)str_copy(entry->status, sizeof(entry->status),
	    listed->status.len > 0 ? listed->status : STR("active"));
	if (listed->pds.len > 0)
		memcpy(entry->pds, listed->pds.ptr, listed->pds.len);
	page->hashes[page->count] = hash;
	page->entries[page->count++] = entry;
	source->listed++;
}

/* Does this cursor lead in a circle?  Each is compared with the one that came last
 * at a power of two, so any circle is found within three times its length. */
static bool
is_loop(struct scan_source *source, struct bytes cursor)
{
	if (source->steps > 0 && bytes_eq(cursor, buf_bytes(&source->old_cursor)))
		return true;
	if (++source->steps == source->next_mark) {
		source->next_mark *= 2;
		set_buf(&source->old_cursor, cursor);
	}
	return false;
}

/* All pages that were open are read again.  What was done then has gone from the
 * list; what was pending and has gone was done too, with no time left to say so. */
static void
end_reading_again(struct scan_source *source, bool is_read)
{
	struct scan_counts *counts = &source->scan->counts;

	source->pages_again = 0;
	if (is_read) {
		counts->processed += source->pending.count;
		counts->units += source->pending.count;
	}
	scan_set_clear(&source->pending);
	scan_set_clear(&source->done);
}

/* What an earlier attempt has done of this page is neither done nor counted again. */
static void
apply_done(struct scan_source *source, struct scan_page *page)
{
	if (source->pages_again == 0)
		return;
	for (size_t i = 0; i < page->count; i++) {
		if (set_take(&source->done, page->hashes[i])) {
			page->entries[i]->is_over = true;
			page->over++;
		} else {
			(void)set_take(&source->pending, page->hashes[i]);
		}
	}
	if (--source->pages_again == 0)
		end_reading_again(source, true);
}

static void
end_of_list(struct scan_source *source, bool is_complete)
{
	source->is_at_end = true;
	source->is_complete = is_complete;
	end_reading_again(source, is_complete);
}

void
scan_source_page(struct scan_source *source, struct bytes cursor)
{
	struct scan_page *page = source->reading;

	source->empty_pages = page->count > 0 ? 0 : source->empty_pages + 1;
	source->reading = NULL;
	page->is_filled = true;
	apply_done(source, page);
	source->scan->has_news = true;
	scan_turn_soon(source->scan);
	if (cursor.len == 0) {
		end_of_list(source, true);
		return;
	}
	if (is_loop(source, cursor)) {
		scan_source_cut(source, "invalid", "the list goes round in circles: "
		    "a cursor came again");
		return;
	}
	if (source->listed > LIMIT_LIST_REPOS || (source->type->is_of_server &&
	    source->empty_pages > LIMIT_LIST_EMPTY_PAGES)) {
		scan_source_cut(source, "too-large", "the list has no end");
		return;
	}
	set_buf(&source->cursor, cursor);
}

void
scan_source_cut(struct scan_source *source, const char *error_class, const char *text)
{
	struct scan *scan = source->scan;

	if (source->reading != NULL) {
		source->listed = source->reading->listed_before;
		free_page(source->reading);
	}
	source->reading = NULL;
	end_of_list(source, false);
	scan_turn_soon(scan);
	if (source->type->is_repeated)
		return;
	scan->counts.units++;
	scan->counts.bad_units++;
	scan_add_item(scan, str_from(source->name), error_class, text);
}

/* --- entries --- */

struct scan_source *
scan_entry_source(const struct scan_entry *entry)
{
	return entry->page->source;
}

struct scan *
scan_entry_scan(const struct scan_entry *entry)
{
	return entry->page->source->scan;
}

static void
entry_is_over(struct scan_entry *entry)
{
	struct scan *scan = scan_entry_scan(entry);

	assert(!entry->is_over);
	entry->is_over = true;
	entry->page->over++;
	scan->has_news = true;
	if (entry->page->over == entry->page->count)
		scan_turn_soon(scan);
}

void
scan_entry_skip(struct scan_entry *entry)
{
	entry_is_over(entry);
}

static void
entry_is_handled(struct scan_entry *entry)
{
	struct scan *scan = scan_entry_scan(entry);

	scan->counts.processed++;
	scan->counts.units++;
	entry_is_over(entry);
	scan_tell_progress(scan);
}

void
scan_entry_done(struct scan_entry *entry)
{
	worker_item_works(scan_entry_scan(entry)->worker, str_from(entry->did));
	entry_is_handled(entry);
}

void
scan_entry_failed(struct scan_entry *entry, const char *error_class, const char *text)
{
	struct scan *scan = scan_entry_scan(entry);

	scan->counts.bad_units++;
	scan_add_item(scan, str_from(entry->did), error_class, text);
	entry_is_handled(entry);
}

void
scan_entry_order(struct scan_entry *entry, const struct scan_order *order)
{
	sync_pool_add(scan_entry_scan(entry)->pool, &(struct sync_pool_order){
	    .did = str_from(entry->did), .pds = str_from(entry->pds),
	    .is_forced = order->is_forced, .accepts_older = order->accepts_older,
	    .wants_fresh_document = order->wants_fresh_document, .item = entry });
}

/* --- turns --- */

/* Where what is done leaves its place in the list, its page has to be on record
 * before that: see end_reading_again(). */
static void
take_entries(struct scan_source *source)
{
	struct scan_page *page;

	TAILQ_FOREACH(page, &source->pages, link) {
		if (page->is_filled && page->taken == 0 && source->type->moves)
			scan_send_checkpoint(source->scan);
		while (page->is_filled && page->taken < page->count) {
			struct scan_entry *entry = page->entries[page->taken++];

			if (!entry->is_over)
				source->type->take(entry);
		}
	}
}

/* Only the oldest page may go: a checkpoint tells where the oldest one begins. */
static void
free_pages_that_are_over(struct scan_source *source)
{
	struct scan_page *page;

	while ((page = TAILQ_FIRST(&source->pages)) != NULL && page->is_filled &&
	    page->over == page->count)
		free_page(page);
}

static bool
can_read(const struct scan_source *source, bool is_first_round)
{
	return !source->is_at_end && source->reading == NULL &&
	    source->scan->open_pages < SCAN_PAGES &&
	    (!is_first_round || source->page_count == 0 || source->pages_again > 0);
}

void
scan_sources_turn(struct scan *scan)
{
	struct scan_source *source, *next;

	for (source = TAILQ_FIRST(&scan->sources); source != NULL; source = next) {
		next = TAILQ_NEXT(source, link);
		take_entries(source);
		free_pages_that_are_over(source);
		if (source->is_at_end && source->page_count == 0)
			scan_source_free(source);
	}
	/* First those that have none. */
	for (int round = 0; round < 2; round++)
		TAILQ_FOREACH(source, &scan->sources, link)
			if (can_read(source, round == 0))
				read_page(source);
}

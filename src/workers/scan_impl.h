/*
 * scan_impl.h - the inside of scan.h, shared by the scan_*.c files.
 *
 * scan.c begins, goes on and ends; scan_page.c has sources, pages and entries;
 * scan_checkpoint.c writes down where a scan is and reads it again; scan_rest.c comes
 * to rest for a pause.
 */
#ifndef BF_WORKERS_SCAN_IMPL_H
#define BF_WORKERS_SCAN_IMPL_H

#include <ev.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "fetch/url.h"
#include "workers/rows_link.h"
#include "workers/scan.h"
#include "workers/sync_pool.h"

/* Their product bounds the checkpoint (scan_checkpoint.c asserts it). */
#define SCAN_PAGES	5	/* open at a time, of all sources */
#define SCAN_SOURCES	4	/* under way at a time */

#define SCAN_HASH_MASK	0xffffffffffull	/* 40 bits of a DID's hash */

/* A set of hashes of DIDs, in no order. */
struct scan_set {
	uint64_t *hashes;	/* owned */
	size_t count, room;
};

struct scan_page {
	TAILQ_ENTRY(scan_page) link;	/* in source->pages, in the order of the list */
	struct scan_source *source;	/* borrowed */
	struct buf cursor;		/* where it begins */
	uint64_t listed_before;		/* entries of earlier pages */
	struct scan_entry **entries;	/* owned */
	uint64_t *hashes;		/* owned; of each entry */
	size_t count, room, over;
	size_t taken;			/* entries [0, taken) were handed to take() */
	bool is_filled;
};

TAILQ_HEAD(scan_page_list, scan_page);

struct scan_source {
	TAILQ_ENTRY(scan_source) link;
	const struct scan_source_type *type;	/* borrowed */
	struct scan *scan;		/* borrowed */
	void *job;			/* the kind's */
	char *name;			/* owned */

	struct scan_page_list pages;	/* owned; open, the oldest first */
	unsigned page_count;
	struct scan_page *reading;	/* the last one, while it is being read */
	struct buf cursor;		/* of the page to be read next */
	uint64_t listed;
	bool is_at_end, is_complete;

	/* A cursor that was seen before is a loop (Brent's way to find one). */
	struct buf old_cursor;
	uint64_t steps, next_mark;
	unsigned empty_pages;		/* of a server's list, in a row */

	/* Of an earlier attempt, in so many pages: entries that are done, and those
	 * that were not yet when it was written down. */
	struct scan_set done, pending;
	unsigned pages_again;
};

TAILQ_HEAD(scan_source_list, scan_source);

/* What of an earlier attempt waits for its source to be made again. */
struct scan_resumed {
	char *name;
	struct buf cursor;
	uint64_t listed;
	unsigned pages;
	struct scan_set done, pending;
};

struct scan_item {
	STAILQ_ENTRY(scan_item) link;
	char *item, *text;		/* owned */
	char class[SYNC_CLASS_SIZE];
};

STAILQ_HEAD(scan_item_list, scan_item);

struct scan_counts {
	uint64_t processed;		/* repositories */
	uint64_t failed;		/* items: repositories, records, sources */
	uint64_t units, bad_units;	/* repositories and sources; that failed */
	uint64_t bytes;			/* by earlier attempts */
	uint64_t created, updated, deleted;
};

struct scan {
	/* borrowed */
	struct worker *worker;
	const struct scan_kind *kind;
	void *job;
	/* owned */
	struct sync_env env;
	bool has_env;
	struct sync_pool *pool;
	struct link_question *tally;
	struct scan_source_list sources;
	unsigned source_count, open_pages;
	struct scan_item_list items;	/* to be sent with the next checkpoint */
	size_t item_count;
	char *position;

	int64_t started_ms;
	uint64_t stage;
	const char *stage_name;
	bool is_resumed, is_ready, is_last, is_ending;
	bool is_resting;		/* for a pause: nothing is begun */
	bool has_rest;			/* nothing is waited for any more */
	bool has_news;			/* since the last checkpoint */
	struct scan_counts counts;
	uint64_t total;			/* 0: not known */
	char last_class[SYNC_CLASS_SIZE], last_text[ERR_TEXT_SIZE];

	struct scan_resumed resumed[SCAN_SOURCES];
	unsigned resumed_count;

	/* watchers */
	struct ev_timer turn;		/* something can go on */
	struct ev_timer checkpoint;
	struct ev_timer rest;		/* how long a pause waits */
};

/* --- scan.c --- */

void scan_turn_soon(struct scan *scan);
void scan_tell_progress(struct scan *scan);
void scan_send_checkpoint(struct scan *scan);
void scan_add_item(struct scan *scan, struct str item, const char *error_class,
    const char *text);

/* --- scan_rest.c --- */

void scan_rest_init(struct scan *scan);

/* --- scan_page.c --- */

uint64_t scan_hash(struct str did);
void scan_set_add(struct scan_set *set, uint64_t hash);
void scan_set_clear(struct scan_set *set);

/* Begin to read pages where that is possible, take entries, end what is over. */
void scan_sources_turn(struct scan *scan);
void scan_source_free(struct scan_source *source);

/* --- scan_checkpoint.c --- */

/* False while pages of an earlier attempt are read again. */
bool scan_may_checkpoint(const struct scan *scan);
void scan_checkpoint_encode(const struct scan *scan, struct buf *to);
/* -1: not a checkpoint of ours. */
int scan_checkpoint_decode(struct scan *scan, struct bytes from) BF_MUSTCHECK;

#endif

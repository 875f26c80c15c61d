/*
 * scan.h - what operations share that work through a long list of repositories.
 *
 * A scan has sources: a server's list, a walk over the index, ...  A source is read
 * page by page; the entries of a page are repositories.  Each entry ends in one of
 * scan_entry_done(), _skip() or _failed(), mostly by way of the pool that syncs it.
 *
 *	read()  ->  scan_source_add()*  ->  scan_source_page()
 *	take(), for each entry that no earlier attempt has done
 *	        ->  scan_entry_order()  ->  the outcome of its sync
 *	        or  scan_entry_done(), _skip(), _failed()
 *
 * Few pages are open at a time, so memory does not grow with the list.  Where each
 * source stands, and which entries of its open pages are done, is the checkpoint,
 * sent about every second: an attempt that goes on from it does and counts every
 * entry once.  Failed entries are sent right before the checkpoint that has them,
 * refused records as they come.
 * What changed in the index is the indexer's tally.
 *
 * One error ends the whole scan: the link to the indexer.  All else is an item of
 * one repository or of one source.  A scan of which everything failed has failed.
 * Process: workers.
 */
#ifndef BF_WORKERS_SCAN_H
#define BF_WORKERS_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"
#include "common/tid.h"
#include "workers/sync_env.h"
#include "workers/worker.h"

struct scan;
struct scan_page;
struct scan_source;

#define SCAN_PAGE_ENTRIES	500	/* that a source is to ask for at a time */
#define SCAN_STATUS_SIZE	32

struct scan_entry {
	struct scan_page *page;		/* borrowed */
	bool is_over;
	/* owned by the source, for what it does with the entry */
	struct link_question *question;
	void *request;
	/* as the list says; owned */
	char *did;
	char rev[TID_SIZE];		/* or "" */
	char status[SCAN_STATUS_SIZE];	/* "active" */
	char pds[];			/* origin, where it is or was; or "" */
};

/* What a source does.  Callbacks come from the loop. */
struct scan_source_type {
	const char *stage;		/* what an operator reads */
	bool is_of_server;		/* and so may be endless */
	bool is_repeated;		/* that it is cut was an item before */
	bool moves;			/* an entry that is done leaves the list, or its place */
	/* Ask for the page at this cursor, empty for the first.  Ends in
	 * scan_source_page() or scan_source_cut(), never from inside. */
	void (*read)(struct scan_source *source, struct bytes cursor);
	/* Begin with an entry; may end it at once. */
	void (*take)(struct scan_entry *entry);
	/* Drop what was begun for this entry; NULL: nothing ever is. */
	void (*drop)(struct scan_entry *entry);
	/* It was read to its end, or cut, and all its entries are over; or the scan
	 * ends.  Free `job`, stop reading. */
	void (*over)(struct scan_source *source, bool is_complete);
};

struct scan_kind {
	const char *name;		/* of the type of operation */
	int64_t document_max_age_ms;	/* if more than identity_cache_ms */
	/*
	 * Add what sources there are to be next, by scan_add_source().  Called
	 * whenever there is room for one; scan_is_last() says that there are no more.
	 * It may also do nothing and call scan_go_on() later.
	 */
	void (*next)(struct scan *scan);
	/* A later attempt: make the source of that name again, now or in next().
	 * False: it is not wanted any more. */
	bool (*again)(struct scan *scan, const char *name);
	void (*end)(struct scan *scan);	/* free `job`; may be NULL */
};

/* The whole of a type's start() and end(); kind is borrowed. */
struct scan *scan_start(struct worker *worker, const struct scan_kind *kind);
void scan_end(struct scan **scan);

/* A type's pause(), where start() returns the scan. */
void scan_pause(void *scan);

/* --- what a kind knows --- */

const struct sync_env *scan_env(const struct scan *scan);
struct worker *scan_worker(const struct scan *scan);
int64_t scan_started_ms(const struct scan *scan);	/* the first attempt; wall clock */
bool scan_had_work(const struct scan *scan);	/* a repository, or a source that was cut */
bool scan_is_resumed(const struct scan *scan);

/* Its own; freed by its end(). */
void scan_set_job(struct scan *scan, void *job);
void *scan_job(const struct scan *scan);

/* A number and a text that the next attempt gets back. */
uint64_t scan_stage(const struct scan *scan);
const char *scan_position(const struct scan *scan);
void scan_set_position(struct scan *scan, uint64_t stage, const char *position);

/* --- sources --- */

bool scan_has_sources(const struct scan *scan);		/* under way */
struct scan_source *scan_add_source(struct scan *scan,
    const struct scan_source_type *type, const char *name, void *job);
void scan_is_last(struct scan *scan);
void scan_go_on(struct scan *scan);

/* How many there are in all, when that is known before they are listed. */
void scan_set_total(struct scan *scan, uint64_t total);

struct scan *scan_source_scan(const struct scan_source *source);
const char *scan_source_name(const struct scan_source *source);
void *scan_source_job(const struct scan_source *source);
uint64_t scan_source_listed(const struct scan_source *source);	/* entries so far */

/* One entry of the page that is being read.  Texts are copied; rev may be empty,
 * status empty is active. */
struct scan_listed {
	struct str did, pds, rev, status;
};
void scan_source_add(struct scan_source *source, const struct scan_listed *listed);

/* The page is complete; cursor is where the next begins, empty: there is none. */
void scan_source_page(struct scan_source *source, struct bytes cursor);

/* It cannot be read on: an item of the source's own.  What came stays. */
void scan_source_cut(struct scan_source *source, const char *error_class,
    const char *text);

/* --- entries --- */

struct scan *scan_entry_scan(const struct scan_entry *entry);
struct scan_source *scan_entry_source(const struct scan_entry *entry);

struct scan_order {
	bool is_forced, wants_fresh_document, accepts_older;	/* sync_repo.h */
};
void scan_entry_order(struct scan_entry *entry, const struct scan_order *order);

/* All end the entry, which may be freed inside. */
void scan_entry_done(struct scan_entry *entry);
void scan_entry_skip(struct scan_entry *entry);		/* not to be counted */
void scan_entry_failed(struct scan_entry *entry, const char *error_class,
    const char *text);

#endif

/*
 * list_page.h - one page of a list that a server gives with a cursor.
 *
 * com.atproto.sync.listRepos, listReposByCollection and listHosts look alike: an
 * array and, unless it was the last page, a cursor.  A page over
 * LIMIT_LIST_PAGE_ENTRIES or with a cursor over LIMIT_LIST_CURSOR_BYTES is
 * FETCH_INVALID.  An entry that is not as its lexicon says is left out and counted.
 */
#ifndef BF_FETCH_LIST_PAGE_H
#define BF_FETCH_LIST_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"
#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct list_page;

struct list_query {
	const char *origin;		/* of the server; copied */
	const char *nsid;
	struct str collection;		/* of listReposByCollection; or empty */
	struct str cursor;		/* empty: the first page */
	unsigned limit;
	bool is_trusted;		/* as in struct http_get */
};

/* Absent members are empty. */
struct list_entry {
	struct str did, rev, status;	/* of a repository */
	bool is_inactive;		/* it has active: false */
	struct str hostname;		/* of listHosts */
};

struct list_result {
	struct fetch_error error;
	int64_t retry_after_ms;		/* -1: the server did not say */
	/* With FETCH_OK: */
	struct str cursor;		/* empty: this was the last page */
	size_t entries, bad_entries;
};

typedef void list_entry_cb(const struct list_entry *entry, void *arg);

/* After all entries of the page.  The page is freed when this returns. */
typedef void list_page_cb(const struct list_result *result, void *arg);

/* Begin.  Never calls back from inside. */
struct list_page *list_page_get(struct http *http, const struct list_query *query,
    list_entry_cb *on_entry, list_page_cb *on_end, void *arg);

/* Drop it, without a callback; sets *page to NULL.  NULL is fine. */
void list_page_cancel(struct list_page **page);

#endif

#include "fetch/list_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/did.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/tid.h"
#include "fetch/xrpc.h"

#define NUMBER_SIZE	12

struct list_page {
	struct xrpc *xrpc;		/* NULL once it is done */
	bool is_of_hosts, has_revs;
	list_entry_cb *on_entry;
	list_page_cb *on_end;
	void *arg;
};

static struct str
text_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return STR_NONE;
	return (struct str){ json_string_value(value), json_string_length(value) };
}

/* False if it is not as the lexicon says. */
static bool
read_entry(const struct list_page *page, const json_t *json, struct list_entry *entry)
{
	*entry = (struct list_entry){
		.did = text_member(json, "did"), .rev = text_member(json, "rev"),
		.status = text_member(json, "status"),
		.hostname = text_member(json, "hostname"),
		.is_inactive = json_is_false(json_object_get(json, "active")),
	};
	if (page->is_of_hosts)
		return entry->hostname.len > 0 && str_is_visible(entry->hostname);
	return did_is_atproto(entry->did) && (!page->has_revs || entry->is_inactive ||
	    tid_is_valid(entry->rev));
}

static void
read_entries(struct list_page *page, const json_t *array, struct list_result *result)
{
	struct list_entry entry;
	const json_t *json;
	size_t i;

	json_array_foreach(array, i, json) {
		if (read_entry(page, json, &entry)) {
			result->entries++;
			page->on_entry(&entry, page->arg);
		} else {
			result->bad_entries++;
		}
	}
}

static void
read_page(struct list_page *page, const json_t *json, struct list_result *result)
{
	const char *name = page->is_of_hosts ? "hosts" : "repos";
	const json_t *array = json_object_get(json, name);
	const json_t *cursor = json_object_get(json, "cursor");

	result->cursor = text_member(json, "cursor");
	if (!json_is_array(array)) {
		fetch_error_set(&result->error, FETCH_INVALID,
		    "a list without the array \"%s\"", name);
	} else if (!json_is_null(cursor) && cursor != NULL && !json_is_string(cursor)) {
		/* Without it, the first page would pass for the whole list. */
		fetch_error_set(&result->error, FETCH_INVALID, "a cursor that is no text");
	} else if (json_array_size(array) > LIMIT_LIST_PAGE_ENTRIES) {
		fetch_error_set(&result->error, FETCH_INVALID,
		    "a page of %zu entries is over the limit of %d",
		    json_array_size(array), LIMIT_LIST_PAGE_ENTRIES);
	} else if (result->cursor.len > LIMIT_LIST_CURSOR_BYTES) {
		fetch_error_set(&result->error, FETCH_INVALID,
		    "a cursor of %zu bytes is over the limit of %d",
		    result->cursor.len, LIMIT_LIST_CURSOR_BYTES);
	} else {
		read_entries(page, array, result);
	}
}

static void
on_reply(const struct xrpc_reply *reply, void *arg)
{
	struct list_page *page = arg;
	struct list_result result = {
		.error = reply->error, .retry_after_ms = reply->retry_after_ms,
	};

	page->xrpc = NULL;
	if (reply->error.class == FETCH_OK)
		read_page(page, reply->json, &result);
	page->on_end(&result, page->arg);
	free(page);
}

struct list_page *
list_page_get(struct http *http, const struct list_query *query,
    list_entry_cb *on_entry, list_page_cb *on_end, void *arg)
{
	struct list_page *page = xcalloc(1, sizeof(*page));
	char limit[NUMBER_SIZE];
	struct url_param params[] = {
		{ STR("collection"), query->collection },
		{ STR("limit"), { limit, (size_t)snprintf(limit, sizeof(limit), "%u",
		    query->limit) } },
		{ STR("cursor"), query->cursor },
	};
	struct xrpc_query xrpc = {
		.origin = query->origin, .nsid = query->nsid, .params = params,
		.param_count = BF_ARRAY_LEN(params), .is_trusted = query->is_trusted,
	};

	page->is_of_hosts = strcmp(query->nsid, "com.atproto.sync.listHosts") == 0;
	page->has_revs = strcmp(query->nsid, "com.atproto.sync.listRepos") == 0;
	page->on_entry = on_entry;
	page->on_end = on_end;
	page->arg = arg;
	page->xrpc = xrpc_get(http, &xrpc, on_reply, page);
	return page;
}

void
list_page_cancel(struct list_page **page)
{
	/* Inside its own callback there is nothing left to cancel. */
	if (*page != NULL && (*page)->xrpc != NULL) {
		xrpc_cancel(&(*page)->xrpc);
		free(*page);
	}
	*page = NULL;
}

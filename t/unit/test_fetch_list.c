/*
 * test_fetch_list.c - src/fetch/list_page and describe_repo: what servers list.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "atproto/filter.h"
#include "common/limits.h"
#include "fetch/describe_repo.h"
#include "fetch/list_page.h"
#include "t/unit/fetch_fixture.h"

#define LIST		"/xrpc/com.atproto.sync.listRepos"
#define HOSTS		"/xrpc/com.atproto.sync.listHosts"
#define DESCRIBE	"/xrpc/com.atproto.repo.describeRepo"
#define DID		"did:plc:ewvi7nxzyoun6zhxrhs64oiz"

struct seen {
	struct fetch_fixture *f;
	unsigned entries, inactive, ends;
	char last[256];
	enum fetch_class class;
	size_t bad_entries;
	char cursor[64];
	bool is_wanted;
};

static void
on_entry(const struct list_entry *entry, void *arg)
{
	struct seen *seen = arg;
	struct str name = entry->did.len > 0 ? entry->did : entry->hostname;

	seen->entries++;
	seen->inactive += entry->is_inactive;
	(void)str_copy(seen->last, sizeof(seen->last), name);
}

static void
on_end(const struct list_result *result, void *arg)
{
	struct seen *seen = arg;

	seen->ends++;
	seen->class = result->error.class;
	seen->bad_entries = result->bad_entries;
	(void)str_copy(seen->cursor, sizeof(seen->cursor), result->cursor);
	ev_break(seen->f->loop, EVBREAK_ALL);
}

static struct seen
list(struct fetch_fixture *f, const char *nsid)
{
	struct seen seen = { .f = f };
	struct list_page *page = list_page_get(f->http, &(struct list_query){
	    .origin = fetch_server_origin(f->server), .nsid = nsid,
	    .cursor = STR("a b"), .limit = 500 }, on_entry, on_end, &seen);

	assert_non_null(page);
	while (seen.ends == 0)
		(void)ev_run(f->loop, 0);
	return seen;
}

static struct seen
list_json(struct fetch_fixture *f, const char *json)
{
	fetch_server_serve(f->server, LIST, "200 OK", "application/json", json,
	    strlen(json));
	return list(f, "com.atproto.sync.listRepos");
}

static void
list__gives_the_entries_and_the_cursor(void **state)
{
	struct fetch_fixture *f = *state;
	struct seen seen = list_json(f, "{\"cursor\":\"c1\",\"repos\":["
	    "{\"did\":\"" DID "\",\"head\":\"b\",\"rev\":\"3mvan7ylpmc2w\"},"
	    "{\"did\":\"did:web:example.com\",\"active\":false}]}");

	assert_int_equal(seen.class, FETCH_OK);
	assert_int_equal(seen.entries, 2);
	assert_int_equal(seen.inactive, 1);
	assert_string_equal(seen.last, "did:web:example.com");
	assert_string_equal(seen.cursor, "c1");
	assert_non_null(strstr(fetch_server_last_request(f->server),
	    "?limit=500&cursor=a%20b "));
}

static void
list__leaves_out_and_counts_what_is_no_entry(void **state)
{
	struct seen seen = list_json(*state, "{\"repos\":["
	    "{\"did\":\"" DID "\",\"rev\":\"not a revision\"},"
	    "{\"did\":\"did:key:zQ3sh\",\"rev\":\"3mvan7ylpmc2w\"},{},7,null,"
	    "{\"did\":\"" DID "\",\"rev\":\"3mvan7ylpmc2w\"}]}");

	assert_int_equal(seen.class, FETCH_OK);
	assert_int_equal(seen.entries, 1);
	assert_int_equal(seen.bad_entries, 5);
	assert_string_equal(seen.cursor, "");
}

static void
list__refuses_what_is_no_list(void **state)
{
	static const char *const bad[] = { "{}", "{\"repos\":{}}", "{\"repos\":[",
		"[]", "<html>", "{\"repos\":[],\"cursor\":5}" };
	struct fetch_fixture *f = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		fetch_server_serve(f->server, LIST, "200 OK", "application/json", bad[i],
		    strlen(bad[i]));
	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		assert_int_equal(list(f, "com.atproto.sync.listRepos").class,
		    FETCH_INVALID);
}

static void
list__refuses_a_page_over_limit_list_page_entries(void **state)
{
	struct buf json = BUF_INIT;
	struct seen seen;

	buf_printf(&json, "{\"repos\":[{}");
	for (int i = 0; i < LIMIT_LIST_PAGE_ENTRIES; i++)
		buf_printf(&json, ",{}");
	buf_printf(&json, "]}%c", '\0');
	seen = list_json(*state, (const char *)buf_data(&json));
	assert_int_equal(seen.class, FETCH_INVALID);
	assert_int_equal(seen.entries, 0);
	buf_clear(&json);
}

static void
list__refuses_a_cursor_over_limit_list_cursor_bytes(void **state)
{
	struct buf json = BUF_INIT;

	buf_printf(&json, "{\"repos\":[],\"cursor\":\"%0*d\"}%c",
	    LIMIT_LIST_CURSOR_BYTES + 1, 0, '\0');
	assert_int_equal(list_json(*state, (const char *)buf_data(&json)).class,
	    FETCH_INVALID);
	buf_clear(&json);
}

static void
list__reads_hosts(void **state)
{
	struct fetch_fixture *f = *state;
	const char *json = "{\"hosts\":[{\"hostname\":\"pds.example\",\"seq\":7},"
	    "{\"hostname\":\"a b\"}]}";
	struct seen seen;

	fetch_server_serve(f->server, HOSTS, "200 OK", "application/json", json,
	    strlen(json));
	seen = list(f, "com.atproto.sync.listHosts");
	assert_int_equal(seen.entries, 1);
	assert_string_equal(seen.last, "pds.example");
	assert_int_equal(seen.bad_entries, 1);
}

static void
list__can_be_cancelled(void **state)
{
	struct fetch_fixture *f = *state;
	struct seen seen = { .f = f };
	struct list_page *page = list_page_get(f->http, &(struct list_query){
	    .origin = fetch_server_origin(f->server),
	    .nsid = "com.atproto.sync.listRepos", .limit = 1 }, on_entry, on_end, &seen);

	list_page_cancel(&page);
	assert_null(page);
	list_page_cancel(&page);
	for (int i = 0; i < 20; i++)
		(void)ev_run(f->loop, EVRUN_NOWAIT);
	assert_int_equal(seen.ends, 0);
}

/* --- describeRepo --- */

static void
on_described(const struct fetch_error *error, bool is_wanted, void *arg)
{
	struct seen *seen = arg;

	seen->ends++;
	seen->class = error->class;
	seen->is_wanted = is_wanted;
	ev_break(seen->f->loop, EVBREAK_ALL);
}

static void
describe__tells_whether_anything_is_wanted(void **state)
{
	static const struct { const char *json; enum fetch_class class; bool is_wanted; }
	cases[] = {
		{ "{\"collections\":[\"a.b.c\",\"pub.chive.test.thing\"]}", FETCH_OK, true },
		{ "{\"collections\":[\"a.b.c\",7]}", FETCH_OK, false },
		{ "{\"collections\":[]}", FETCH_OK, false },
		{ "{\"collections\":\"pub.chive.test.thing\"}", FETCH_INVALID, false },
	};
	struct fetch_fixture *f = *state;
	struct filter *filter = filter_new();

	assert_int_equal(filter_add(filter, STR("pub.chive.*")), 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++)
		fetch_server_serve(f->server, DESCRIBE, "200 OK", "application/json",
		    cases[i].json, strlen(cases[i].json));
	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct seen seen = { .f = f };
		struct describe_repo *describe;

		describe = describe_repo_get(f->http, fetch_server_origin(f->server),
		    STR(DID), filter, on_described, &seen);
		assert_non_null(describe);
		while (seen.ends == 0)
			(void)ev_run(f->loop, 0);
		assert_int_equal(seen.class, cases[i].class);
		assert_int_equal(seen.is_wanted, cases[i].is_wanted);
	}
	filter_free(&filter);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(list__gives_the_entries_and_the_cursor),
		T(list__leaves_out_and_counts_what_is_no_entry),
		T(list__refuses_what_is_no_list),
		T(list__refuses_a_page_over_limit_list_page_entries),
		T(list__refuses_a_cursor_over_limit_list_cursor_bytes),
		T(list__reads_hosts),
		T(list__can_be_cancelled),
		T(describe__tells_whether_anything_is_wanted),
	};

	return fixture_main(tests, BF_ARRAY_LEN(tests));
}

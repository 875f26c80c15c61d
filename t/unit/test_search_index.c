/*
 * test_search_index.c - the search index's file, and searching it.
 */
#include "t/unit/search_unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "search/index_file.h"
#include "search/search.h"
#include "t/unit/tempdir.h"

/* --- the file --- */

static struct index_file *
file_open(const char *dir, const char *op_id)
{
	struct index_file *file;
	struct err err;

	if (index_file_open(dir, str_from(op_id), STR(MAPPING), &file, &err) == -1)
		fail_msg("%s", err.text);
	return file;
}

static void
add(struct index_file *file, const char *path, const char *json)
{
	struct search_document document = document_of(path, json);
	struct err err;

	if (index_file_add(file, &document, &err) == -1)
		fail_msg("%s", err.text);
	search_document_clear(&document);
}

static void
commit(struct index_file *file, const char *path, uint64_t documents)
{
	struct err err;

	if (index_file_commit(file, &(struct index_position){ .did = STR(DID),
	    .path = str_from(path), .documents = documents }, &err) == -1)
		fail_msg("%s", err.text);
}

static void
publish(struct index_file **file)
{
	struct err err;
	bool is_done = false;

	while (!is_done)
		if (index_file_merge(*file, &is_done, &err) == -1)
			fail_msg("%s", err.text);
	if (index_file_publish(file, &err) == -1)
		fail_msg("%s", err.text);
	assert_null(*file);
}

/* The record keys of the hits in their order: "a,b". */
static void
note_hit(const struct search_hit *hit, void *arg)
{
	struct buf *found = arg;
	const char *slash = memrchr(hit->uri.ptr, '/', hit->uri.len);

	buf_printf(found, "%s%.*s", buf_len(found) > 0 ? "," : "",
	    (int)(hit->uri.ptr + hit->uri.len - slash - 1), slash + 1);
}

static void
assert_hits(struct search *search, struct search_request request, const char *want)
{
	struct buf found = BUF_INIT;
	struct err err;
	bool has_more;

	if (request.limit == 0)
		request.limit = 10;
	if (search_run(search, &request, note_hit, &found, &has_more, &err) == -1)
		fail_msg("%.*s: %s", STR_FMT(request.text), err.text);
	if (!str_eq(buf_str(&found), str_from(want)))
		fail_msg("%.*s: '%.*s', not '%s'", STR_FMT(request.text),
		    STR_FMT(buf_str(&found)), want);
	buf_clear(&found);
}

static void
fill_birds(struct index_file *file)
{
	add(file, EPRINTS "/a", "{\"title\":\"Birds of Z\xc3\xbcrich\",\"abstractPlainText\":"
	    "\"They fly\",\"keywords\":[\"wing\"]}");
	add(file, EPRINTS "/b", "{\"title\":\"Flight\",\"abstractPlainText\":"
	    "\"How birds and bats fly over the electric fence\"}");
	add(file, EPRINTS "/c", "{\"title\":\"Cats\",\"authors\":[{\"name\":\"Bird, Ann\"}]}");
	add(file, "app.bsky.feed.post/d", "{\"text\":\"birds!\"}");
}

static void
index__finds_what_was_put_into_it(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	struct search *search = search_new(dir);

	fill_birds(file);
	commit(file, EPRINTS "/c", 4);
	publish(&file);
	assert_hits(search, (struct search_request){ .text = STR("birds"),
	    .collection = STR(EPRINTS) }, "a,b");
	assert_hits(search, (struct search_request){ .text = STR("title:birds") }, "a");
	assert_hits(search, (struct search_request){ .text = STR("zurich") }, "a");
	assert_hits(search, (struct search_request){ .text = STR("elec*") }, "b");
	assert_hits(search, (struct search_request){ .text = STR("birds -bats"),
	    .collection = STR(EPRINTS) }, "a");
	assert_hits(search, (struct search_request){ .text = STR("cats OR bats") }, "c,b");
	assert_hits(search, (struct search_request){ .text = STR("\"over the\"") }, "b");
	assert_hits(search, (struct search_request){ .text = STR("\"the over\"") }, "");
	assert_hits(search, (struct search_request){ .text = STR("authors:bird") }, "c");
	search_free(&search);
}

static void
note_snippet(const struct search_hit *hit, void *arg)
{
	struct buf *snippet = arg;

	buf_reset(snippet);
	buf_add_str(snippet, hit->snippet);
}

/* A post that begins with other words. */
static void
add_repeated(struct index_file *file, const char *path, const char *word, unsigned times)
{
	struct buf json = BUF_INIT;

	buf_add_str(&json, STR("{\"text\":\""));
	for (int i = 0; i < 40; i++)
		buf_add_str(&json, STR("once upon "));
	while (times-- > 0)
		buf_printf(&json, "%s ", word);
	buf_add(&json, "\"}", sizeof("\"}"));
	add(file, path, (char *)buf_data(&json));
	buf_clear(&json);
}

static void
assert_snippet(struct search *search, const char *text, bool is_beginning)
{
	struct buf snippet = BUF_INIT;
	struct err err;
	bool has_more;

	if (search_run(search, &(struct search_request){ .text = str_from(text),
	    .limit = 10 }, note_snippet, &snippet, &has_more, &err) == -1)
		fail_msg("%s", err.text);
	assert_in_range(buf_len(&snippet), 1, 300);
	assert_int_equal(str_starts_with(buf_str(&snippet), STR("once upon")),
	    is_beginning);
	buf_clear(&snippet);
}

/* The library's snippet() would take minutes, and no budget ends it. */
static void
search__is_not_held_up_by_a_record_of_one_word(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	struct search *search = search_new(dir);
	int64_t began_ms;

	add_repeated(file, "app.bsky.feed.post/a", "a", LIMIT_SEARCH_FIELD_BYTES / 2);
	add_repeated(file, "app.bsky.feed.post/b", "b", LIMIT_SEARCH_SNIPPET_WORDS);
	add_repeated(file, "app.bsky.feed.post/c", "c", LIMIT_SEARCH_SNIPPET_WORDS + 1);
	commit(file, "app.bsky.feed.post/c", 3);
	publish(&file);
	began_ms = clock_mono_ms();
	assert_snippet(search, "a", true);
	assert_in_range(clock_mono_ms() - began_ms, 0, 5000);
	assert_snippet(search, "b", false);
	assert_snippet(search, "c", true);
	search_free(&search);
}

static void
search__gives_pages(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	struct search *search = search_new(dir);
	struct buf found = BUF_INIT;
	struct err err;
	bool has_more;

	for (int i = 0; i < 5; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "app.bsky.feed.post/p%d", i);
		add(file, path, "{\"text\":\"the same\"}");
	}
	commit(file, "", 5);
	publish(&file);
	assert_int_equal(search_run(search, &(struct search_request){ .text = STR("same"),
	    .skip = 2, .limit = 2 }, note_hit, &found, &has_more, &err), 0);
	assert_true(str_eq(buf_str(&found), STR("p2,p3")));
	assert_true(has_more);
	assert_int_equal(search_run(search, &(struct search_request){ .text = STR("same"),
	    .skip = 4, .limit = 2 }, note_hit, &found, &has_more, &err), 0);
	assert_false(has_more);
	assert_int_equal(search_run(search, &(struct search_request){ .text = STR("same"),
	    .skip = LIMIT_SEARCH_SKIP + 1, .limit = 2 }, note_hit, &found, &has_more,
	    &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	buf_clear(&found);
	search_free(&search);
}

static void
search__without_an_index_says_what_to_do(void **state)
{
	struct search *search = search_new(*state);
	struct buf found = BUF_INIT;
	struct err err;
	bool has_more;

	assert_int_equal(search_run(search, &(struct search_request){ .text = STR("x") },
	    note_hit, &found, &has_more, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "full-reindex"));
	search_free(&search);
}

/* As the API does it after LIMIT_SEARCH_MS. */
static void
search__that_takes_too_long_is_ended(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	struct search *search = search_new(dir);
	struct buf found = BUF_INIT;
	struct err err;
	bool has_more;

	for (int i = 0; i < 20000; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "app.bsky.feed.post/p%d", i);
		add(file, path, "{\"text\":\"same same but not quite the same\"}");
	}
	commit(file, "", 20000);
	publish(&file);
	assert_int_equal(search_run(search, &(struct search_request){
	    .text = STR("same -other"), .limit = 1, .budget_ms = 1 }, note_hit, &found,
	    &has_more, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_hits(search, (struct search_request){ .text = STR("same"), .limit = 1 },
	    "p0");
	search_free(&search);
}

static void
live_index__stays_until_the_new_one_is_published(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	struct search *search = search_new(dir);

	add(file, EPRINTS "/old", "{\"title\":\"bird\"}");
	commit(file, "", 1);
	publish(&file);
	assert_hits(search, (struct search_request){ .text = STR("bird") }, "old");

	file = file_open(dir, "op2");
	add(file, EPRINTS "/new", "{\"title\":\"bird\"}");
	commit(file, "", 1);
	assert_hits(search, (struct search_request){ .text = STR("bird") }, "old");
	publish(&file);
	assert_hits(search, (struct search_request){ .text = STR("bird") }, "new");
	search_free(&search);
}

static void
file__goes_on_at_its_last_commit(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	struct search *search = search_new(dir);

	add(file, EPRINTS "/a", "{\"title\":\"bird\"}");
	commit(file, EPRINTS "/a", 1);
	add(file, EPRINTS "/lost", "{\"title\":\"bird\"}");
	index_file_close(&file);

	file = file_open(dir, "op1");
	assert_true(str_eq(index_file_position(file).path, STR(EPRINTS "/a")));
	assert_true(str_eq(index_file_position(file).did, STR(DID)));
	assert_int_equal(index_file_position(file).documents, 1);
	add(file, EPRINTS "/b", "{\"title\":\"bird bird\"}");
	commit(file, EPRINTS "/b", 2);
	publish(&file);
	assert_hits(search, (struct search_request){ .text = STR("bird"), }, "b,a");
	search_free(&search);
}

static void
file__of_another_mapping_or_damaged_is_begun_anew(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	char path[PATH_MAX];
	struct err err;
	FILE *damaged;

	commit(file, EPRINTS "/a", 1);
	index_file_close(&file);
	assert_int_equal(index_file_open(dir, STR("op1"), STR("a.b title=x"), &file,
	    &err), 0);
	assert_int_equal(index_file_position(file).path.len, 0);
	assert_int_equal(index_file_position(file).documents, 0);
	index_file_close(&file);

	(void)snprintf(path, sizeof(path), "%s/building-op1.db", dir);
	damaged = fopen(path, "w");
	assert_non_null(damaged);
	assert_true(fputs("this is no database, and has never been one", damaged) >= 0);
	assert_int_equal(fclose(damaged), 0);
	file = file_open(dir, "op1");
	assert_int_equal(index_file_position(file).documents, 0);
	index_file_discard(&file);
	assert_int_equal(access(path, F_OK), -1);
}

static void
file__takes_a_record_twice_as_its_newer_form(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	struct search *search = search_new(dir);

	add(file, EPRINTS "/a", "{\"title\":\"bird\"}");
	add(file, EPRINTS "/a", "{\"title\":\"cat\"}");
	commit(file, "", 1);
	publish(&file);
	assert_hits(search, (struct search_request){ .text = STR("bird") }, "");
	assert_hits(search, (struct search_request){ .text = STR("cat") }, "a");
	search_free(&search);
}

static void
file__of_an_operation_that_is_over_is_removed(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/building-op1.db", dir);
	index_file_close(&file);
	assert_int_equal(access(path, F_OK), 0);
	file = file_open(dir, "op2");
	assert_int_equal(access(path, F_OK), -1);
	index_file_discard(&file);
}

static void
file__on_a_full_disk_says_so_and_can_go_on(void **state)
{
	const char *dir = *state;
	struct index_file *file = file_open(dir, "op1");
	struct rlimit old, small = { 256 * 1024, 0 };
	struct search_document document;
	struct err err = { .code = 0 };
	struct buf json = BUF_INIT;
	int rc = 0;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	commit(file, EPRINTS "/a", 0);
	buf_add_str(&json, STR("{\"text\":\""));
	for (int i = 0; i < 10000; i++)
		buf_printf(&json, "w%d ", i);
	buf_add(&json, "\"}", 3);
	for (int i = 0; i < 100 && rc == 0; i++) {
		char path[48];

		(void)snprintf(path, sizeof(path), "app.bsky.feed.post/p%d", i);
		document = document_of(path, (char *)buf_data(&json));
		rc = index_file_add(file, &document, &err);
		if (rc == 0)
			rc = index_file_commit(file, &(struct index_position){
			    .path = str_from(path) }, &err);
		search_document_clear(&document);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(rc, -1);
	if (err.code != ERR_DISK_FULL)
		fail_msg("%s", err.text);
	index_file_close(&file);
	file = file_open(dir, "op1");
	assert_true(index_file_position(file).path.len > 0);
	index_file_discard(&file);
	buf_clear(&json);
}

#define WITH_DIR(test)	cmocka_unit_test_setup_teardown(test, tempdir_setup, \
			    tempdir_teardown)

static const struct CMUnitTest search_index_tests[] = {
	WITH_DIR(index__finds_what_was_put_into_it),
	WITH_DIR(search__is_not_held_up_by_a_record_of_one_word),
	WITH_DIR(search__gives_pages),
	WITH_DIR(search__without_an_index_says_what_to_do),
	WITH_DIR(search__that_takes_too_long_is_ended),
	WITH_DIR(live_index__stays_until_the_new_one_is_published),
	WITH_DIR(file__goes_on_at_its_last_commit),
	WITH_DIR(file__of_another_mapping_or_damaged_is_begun_anew),
	WITH_DIR(file__takes_a_record_twice_as_its_newer_form),
	WITH_DIR(file__of_an_operation_that_is_over_is_removed),
	WITH_DIR(file__on_a_full_disk_says_so_and_can_go_on),
};

UNIT_MAIN(search_index_tests)

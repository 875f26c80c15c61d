/*
 * test_scan.c - src/workers/scan_page.c and scan_checkpoint.c: pages, what is done of
 * them, and how a later attempt takes it up; item_class.c.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "workers/item_class.h"
#include "workers/scan_impl.h"

/* A scan that is not ready: nothing of it runs by itself. */
static int
set_up(void **state)
{
	struct scan *scan = xcalloc(1, sizeof(*scan));
	struct http_options options = { .user_agent = "test" };

	http_init();
	scan->env.loop = ev_loop_new(EVFLAG_AUTO);
	scan->env.http = http_new(scan->env.loop, &options);
	scan->position = xstrdup("");
	TAILQ_INIT(&scan->sources);
	STAILQ_INIT(&scan->items);
	*state = scan;
	return 0;
}

static int
tear_down(void **state)
{
	struct scan *scan = *state;
	struct scan_source *source;
	struct scan_item *item;

	while ((source = TAILQ_FIRST(&scan->sources)) != NULL)
		scan_source_free(source);
	while ((item = STAILQ_FIRST(&scan->items)) != NULL) {
		STAILQ_REMOVE_HEAD(&scan->items, link);
		free(item->item);
		free(item->text);
		free(item);
	}
	for (unsigned i = 0; i < scan->resumed_count; i++) {
		free(scan->resumed[i].name);
		buf_clear(&scan->resumed[i].cursor);
		scan_set_clear(&scan->resumed[i].done);
		scan_set_clear(&scan->resumed[i].pending);
	}
	http_free(&scan->env.http);
	ev_loop_destroy(scan->env.loop);
	free(scan->position);
	free(scan);
	http_exit();
	return 0;
}

#define S(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* --- a source that is filled by hand --- */

static unsigned reads, takes, overs;
static bool was_complete;
static struct scan_entry *last_taken;

static void
read_nothing(struct scan_source *source BF_UNUSED, struct bytes cursor BF_UNUSED)
{
	reads++;
}

static void
take_last(struct scan_entry *entry)
{
	takes++;
	last_taken = entry;
}

static void
count_over(struct scan_source *source BF_UNUSED, bool is_complete)
{
	overs++;
	was_complete = is_complete;
}

static const struct scan_source_type type = {
	.stage = "testing", .is_of_server = true, .read = read_nothing,
	.take = take_last, .over = count_over,
};

static struct scan_source *
add_source(struct scan *scan, const char *name)
{
	reads = takes = overs = 0;
	return scan_add_source(scan, &type, name, NULL);
}

/* Entries first .. first + count - 1, then the cursor. */
static void
fill(struct scan_source *source, int first, int count, const char *cursor)
{
	char did[64];

	for (int i = first; i < first + count; i++) {
		(void)snprintf(did, sizeof(did), "did:web:a%d.test", i);
		scan_source_add(source, &(struct scan_listed){ .did = str_from(did) });
	}
	scan_source_page(source, (struct bytes){ (const uint8_t *)cursor,
	    strlen(cursor) });
}

/* --- pages --- */

static void
source__is_read_to_its_end_while_pages_are_open(void **state)
{
	struct scan *scan = *state;
	struct scan_source *source = add_source(scan, "list");

	scan_sources_turn(scan);
	assert_int_equal(reads, 1);
	fill(source, 0, 1, "1");
	for (int page = 1; page < SCAN_PAGES; page++) {
		char cursor[8];

		scan_sources_turn(scan);
		(void)snprintf(cursor, sizeof(cursor), "%d", page + 1);
		fill(source, page, 1, cursor);
	}
	scan_sources_turn(scan);
	assert_int_equal(reads, SCAN_PAGES);
	assert_int_equal(takes, SCAN_PAGES);
	/* The newest is done, but the oldest has to go first. */
	scan_entry_skip(last_taken);
	scan_sources_turn(scan);
	assert_int_equal(reads, SCAN_PAGES);
	scan_entry_skip(TAILQ_FIRST(&source->pages)->entries[0]);
	scan_sources_turn(scan);
	scan_sources_turn(scan);
	assert_int_equal(reads, SCAN_PAGES + 1);
}

static void
source__drops_an_entry_that_is_twice_on_a_page(void **state)
{
	struct scan *scan = *state;
	struct scan_source *source = add_source(scan, "list");

	scan_sources_turn(scan);
	scan_source_add(source, &(struct scan_listed){ .did = STR("did:web:a1.test") });
	fill(source, 1, 2, "");
	scan_sources_turn(scan);
	assert_int_equal(takes, 2);
}

static void
source__notices_cursors_that_go_in_circles(void **state)
{
	for (int length = 1; length <= 7; length++) {
		struct scan *scan = *state;
		struct scan_source *source = add_source(scan, "list");
		int page = 0;

		for (; !source->is_at_end; page++) {
			char cursor[8];

			assert_true(page < 3 * length + 3);
			scan_sources_turn(scan);
			(void)snprintf(cursor, sizeof(cursor), "c%d", page % length);
			fill(source, page, 1, cursor);
			scan_sources_turn(scan);
			scan_entry_skip(last_taken);
		}
		assert_string_equal(scan->last_class, "invalid");
		scan_sources_turn(scan);
		assert_int_equal(overs, 1);
		assert_false(was_complete);
	}
}

static void
source__is_cut_after_limit_list_empty_pages(void **state)
{
	struct scan *scan = *state;
	struct scan_source *source = add_source(scan, "list");

	for (int page = 0; page <= LIMIT_LIST_EMPTY_PAGES; page++) {
		char cursor[8];

		assert_false(source->is_at_end);
		scan_sources_turn(scan);
		(void)snprintf(cursor, sizeof(cursor), "c%d", page);
		fill(source, 0, 0, cursor);
	}
	assert_true(source->is_at_end);
	assert_string_equal(scan->last_class, "too-large");
}

static void
source__is_cut_after_limit_list_repos(void **state)
{
	struct scan *scan = *state;
	struct scan_source *source = add_source(scan, "list");

	scan_sources_turn(scan);
	source->listed = LIMIT_LIST_REPOS;
	fill(source, 0, 1, "more");
	assert_true(source->is_at_end);
	assert_false(source->is_complete);
	assert_string_equal(scan->last_class, "too-large");
}

/* Of DIDs that differ little, 200,000 in the 2^40 hashes there are: two that are
 * alike are to be expected once in 50 times, two such pairs hardly ever. */
static int
compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
hash__tells_dids_apart_that_differ_little(void **state BF_UNUSED)
{
	enum { COUNT = 200000 };
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint64_t *hashes = xcalloc(COUNT, sizeof(*hashes));
	unsigned same = 0;

	for (unsigned i = 0; i < COUNT; i++) {
		char did[] = "did:plc:peeraaaaaaaaaaaaaaaaaaaa";
		size_t at = sizeof(did) - 2;

		for (unsigned n = i; n > 0; n >>= 5)
			did[at--] = digits[n & 31];
		hashes[i] = scan_hash(str_from(did));
	}
	qsort(hashes, COUNT, sizeof(*hashes), compare_hashes);
	for (unsigned i = 1; i < COUNT; i++)
		same += hashes[i] == hashes[i - 1];
	assert_true(same <= 1);
	free(hashes);
}

/* --- the checkpoint --- */

/* Another attempt of this scan, from its checkpoint. */
static void
resume(struct scan *scan, struct scan **other, void **other_state)
{
	struct buf data = BUF_INIT;

	assert_true(scan_may_checkpoint(scan));
	scan_checkpoint_encode(scan, &data);
	assert_true(buf_len(&data) <= LIMIT_CHECKPOINT_BYTES);
	(void)set_up(other_state);
	*other = *other_state;
	assert_int_equal(scan_checkpoint_decode(*other, buf_bytes(&data)), 0);
	/* One byte less is none. */
	(void)set_up(other_state);
	assert_int_equal(scan_checkpoint_decode(*other_state,
	    (struct bytes){ buf_data(&data), buf_len(&data) - 1 }), -1);
	(void)tear_down(other_state);
	*other_state = *other;
	buf_clear(&data);
}

static void
checkpoint__is_gone_on_from_without_doing_anything_twice(void **state)
{
	struct scan *scan = *state, *other;
	struct scan_source *source = add_source(scan, "list");
	void *other_state;

	scan->started_ms = 1234567890123;
	scan->counts.failed = 7;
	scan_set_position(scan, 3, "https://pds.test:443");
	scan_sources_turn(scan);
	fill(source, 0, 10, "c10");
	scan_sources_turn(scan);
	for (int i = 0; i < 10; i += 2) {
		scan->counts.processed++;
		scan_entry_skip(TAILQ_FIRST(&source->pages)->entries[i]);
	}
	resume(scan, &other, &other_state);
	assert_int_equal(other->started_ms, 1234567890123);
	assert_int_equal(other->counts.processed, 5);
	assert_int_equal(other->counts.failed, 7);
	assert_int_equal(scan_stage(other), 3);
	assert_string_equal(scan_position(other), "https://pds.test:443");

	/* Two have gone from the list meanwhile: one that was done, and one that was
	 * not said to be, but must have been. */
	assert_false(scan_may_checkpoint(other));
	source = add_source(other, "list");
	assert_int_equal(buf_len(&source->cursor), 0);
	scan_sources_turn(other);
	fill(source, 2, 9, "c11");
	assert_true(scan_may_checkpoint(other));
	assert_int_equal(other->counts.processed, 6);
	scan_sources_turn(other);
	assert_int_equal(takes, 5);		/* 3 5 7 9 10 */
	(void)tear_down(&other_state);
}

static void
checkpoint__fits_into_limit_checkpoint_bytes_when_all_is_full(void **state)
{
	struct scan *scan = *state, *other;
	struct scan_source *source;
	char name[URL_ORIGIN_SIZE], cursor[LIMIT_LIST_CURSOR_BYTES + 1];
	void *other_state;

	memset(name, 'n', sizeof(name) - 1);
	memset(cursor, 'c', sizeof(cursor) - 1);
	name[sizeof(name) - 1] = cursor[sizeof(cursor) - 1] = '\0';
	scan_set_position(scan, 1, name);
	for (int i = 0; i < SCAN_SOURCES; i++) {
		name[0] = (char)('a' + i);
		(void)add_source(scan, name);
	}
	for (int round = 0; round < 2; round++) {
		scan_sources_turn(scan);
		cursor[0] = (char)('a' + round);
		TAILQ_FOREACH(source, &scan->sources, link)
			if (source->reading != NULL)
				fill(source, round * 1000, SCAN_PAGE_ENTRIES, cursor);
	}
	assert_int_equal(scan->open_pages, SCAN_PAGES);
	resume(scan, &other, &other_state);
	assert_int_equal(other->resumed_count, SCAN_SOURCES);
	(void)tear_down(&other_state);
}

static void
checkpoint__of_other_bytes_is_refused(void **state)
{
	static const uint8_t other[64] = { 2 };

	assert_int_equal(scan_checkpoint_decode(*state, BYTES_NONE), -1);
	assert_int_equal(scan_checkpoint_decode(*state,
	    (struct bytes){ other, sizeof(other) }), -1);
}

/* --- classes --- */

static void
item_class__gives_few_words_for_many(void **state BF_UNUSED)
{
	assert_string_equal(item_class_of("server-error"), "unreachable");
	assert_string_equal(item_class_of("BadSignature"), "invalid");
	assert_string_equal(item_class_of("TooLarge"), "too-large");
	assert_string_equal(item_class_of("rate-limited"), "rate-limited");
	assert_string_equal(item_class_of("busy"), "busy");
}

static const struct CMUnitTest scan_tests[] = {
	S(source__is_read_to_its_end_while_pages_are_open),
	S(source__drops_an_entry_that_is_twice_on_a_page),
	S(source__notices_cursors_that_go_in_circles),
	S(source__is_cut_after_limit_list_empty_pages),
	S(source__is_cut_after_limit_list_repos),
	cmocka_unit_test(hash__tells_dids_apart_that_differ_little),
	S(checkpoint__is_gone_on_from_without_doing_anything_twice),
	S(checkpoint__fits_into_limit_checkpoint_bytes_when_all_is_full),
	S(checkpoint__of_other_bytes_is_refused),
	cmocka_unit_test(item_class__gives_few_words_for_many),
};

UNIT_MAIN(scan_tests)

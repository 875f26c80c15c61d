/*
 * test_replay_total.c - how many events a stream will have had.
 */
#include "t/unit/unit.h"

#include "workers/replay_total.h"

#define HOUR_MS	(3600 * 1000ll)

/* An event every ten seconds; the stream's clock begins at one hour. */
static struct replay_position
event(uint64_t n)
{
	return (struct replay_position){ .seq = 1000 + 3 * n, .events = n,
	    .time_ms = HOUR_MS + (int64_t)n * 10000 };
}

static void
see(struct replay_total *total, uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++) {
		struct replay_position at = event(n);

		replay_total_see(total, &at);
	}
}

static void
assert_about(uint64_t events, uint64_t expected)
{
	assert_in_range(events, expected - expected / 50, expected + expected / 50);
}

static void
the_rest_is_like_what_was_read(void **state BF_UNUSED)
{
	struct replay_position from = event(0);
	struct replay_total total;

	/* Numbers have gaps: there are 360 events in an hour, whatever these say. */
	replay_total_init(&total, &from, HOUR_MS + HOUR_MS);
	see(&total, 1, 20);
	assert_about(replay_total_events(&total), 360);
	see(&total, 21, 300);
	assert_about(replay_total_events(&total), 360);
	see(&total, 301, 380);
	assert_int_equal(replay_total_events(&total), 380);
}

static void
little_says_nothing(void **state BF_UNUSED)
{
	struct replay_position from = event(0);
	struct replay_total total;

	replay_total_init(&total, &from, HOUR_MS + 100 * HOUR_MS);
	see(&total, 1, 300);
	assert_int_equal(replay_total_events(&total), 0);
	see(&total, 301, 400);
	assert_about(replay_total_events(&total), 36000);
	replay_total_init(&total, &from, HOUR_MS + 60 * 1000);
	see(&total, 1, 6);
	assert_int_equal(replay_total_events(&total), 0);
}

static void
a_stream_without_a_position_is_measured_from_its_first_event(void **state BF_UNUSED)
{
	struct replay_position from = { .seq = 0 };
	struct replay_total total;

	replay_total_init(&total, &from, HOUR_MS + HOUR_MS);
	see(&total, 1, 60);
	assert_about(replay_total_events(&total), 360);
}

static void
an_attempt_that_goes_on_counts_what_was_read_before(void **state BF_UNUSED)
{
	struct replay_position from = event(200);
	struct replay_total total;

	replay_total_init(&total, &from, HOUR_MS + HOUR_MS);
	assert_int_equal(replay_total_events(&total), 0);
	see(&total, 201, 260);
	assert_about(replay_total_events(&total), 360);
}

static void
what_is_missing_is_not_measured(void **state BF_UNUSED)
{
	struct replay_position from = { .seq = 1, .time_ms = 0 };
	struct replay_total total;

	replay_total_init(&total, &from, HOUR_MS + HOUR_MS);
	replay_total_skip(&total);
	see(&total, 1, 60);
	assert_about(replay_total_events(&total), 360);
}

/* Hosts whose clocks are wrong, a day too late and too early. */
static void
one_time_that_is_wrong_moves_nothing(void **state BF_UNUSED)
{
	struct replay_position from = event(0);
	struct replay_total total;

	replay_total_init(&total, &from, HOUR_MS + HOUR_MS);
	for (uint64_t n = 1; n <= 200; n++) {
		struct replay_position at = event(n);

		if (n == 100)
			at.time_ms += 24 * HOUR_MS;
		if (n == 150)
			at.time_ms -= 24 * HOUR_MS;
		replay_total_see(&total, &at);
		if (n >= 20)
			assert_in_range(replay_total_events(&total), 350, 420);
	}
}

static void
a_list_is_as_long_as_what_is_indexed_lies_in_it(void **state BF_UNUSED)
{
	assert_int_equal(replay_total_listed(1000, 100, 400), 4000);
	assert_int_equal(replay_total_listed(1000, 1000, 2000), 2000);
	assert_int_equal(replay_total_listed(1000, 15, 400), 0);	/* too few */
	assert_int_equal(replay_total_listed(1000, 16, 2000), 0);	/* under a hundredth */
	assert_int_equal(replay_total_listed(1000, 400, 400), 0);	/* and there is more */
	assert_int_equal(replay_total_listed(1000, 0, 0), 0);
	assert_int_equal(replay_total_listed(1000, 2, 3), 0);
}

static const struct CMUnitTest replay_total[] = {
	cmocka_unit_test(the_rest_is_like_what_was_read),
	cmocka_unit_test(little_says_nothing),
	cmocka_unit_test(a_stream_without_a_position_is_measured_from_its_first_event),
	cmocka_unit_test(an_attempt_that_goes_on_counts_what_was_read_before),
	cmocka_unit_test(what_is_missing_is_not_measured),
	cmocka_unit_test(one_time_that_is_wrong_moves_nothing),
	cmocka_unit_test(a_list_is_as_long_as_what_is_indexed_lies_in_it),
};

UNIT_MAIN(replay_total)

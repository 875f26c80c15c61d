/*
 * test_replay_window.c - what may be saved of a stream, and what counts as a loss.
 */
#include "t/unit/unit.h"

#include <string.h>

#include "workers/replay_window.h"

static struct replay_position
at(uint64_t seq)
{
	return (struct replay_position){ .seq = seq, .time_ms = (int64_t)seq * 10,
	    .events = seq };
}

static void
nothing_is_saved_beyond_an_open_event(void **state BF_UNUSED)
{
	struct replay_window window;
	struct replay_position position = at(5);
	uint64_t ids[3];

	replay_window_init(&window, &position);
	assert_int_equal(window.done.seq, 5);
	for (uint64_t i = 0; i < 3; i++) {
		position = at(10 + i);
		ids[i] = replay_window_begin(&window, &position);
	}
	replay_window_end(&window, ids[1]);
	replay_window_end(&window, ids[2]);
	assert_int_equal(window.done.seq, 5);
	assert_int_equal(replay_window_count(&window), 3);
	replay_window_end(&window, ids[0]);
	assert_int_equal(window.done.seq, 12);
	assert_int_equal(window.done.time_ms, 120);
	assert_int_equal(replay_window_count(&window), 0);
	replay_window_clear(&window);
}

static void
any_order_of_ends_leads_to_the_last_event(void **state BF_UNUSED)
{
	enum { EVENTS = 1000 };
	struct replay_window window;
	struct replay_position position = at(0);
	uint64_t ids[EVENTS], random = 1;
	bool open[EVENTS];

	replay_window_init(&window, &position);
	for (size_t i = 0; i < EVENTS; i++) {
		position = at(i + 1);
		ids[i] = replay_window_begin(&window, &position);
		open[i] = true;
		/* Close another one now and then, and look for the first open one. */
		for (int k = 0; k < 2; k++) {
			size_t j, first = 0;

			random = random * 6364136223846793005u + 1442695040888963407u;
			j = (size_t)(random >> 33) % (i + 1);
			if (!open[j])
				continue;
			open[j] = false;
			replay_window_end(&window, ids[j]);
			while (first <= i && !open[first])
				first++;
			assert_int_equal(window.done.seq, first);
		}
	}
	for (size_t i = 0; i < EVENTS; i++)
		if (open[i])
			replay_window_end(&window, ids[i]);
	assert_int_equal(window.done.seq, EVENTS);
	assert_int_equal(replay_window_count(&window), 0);
	replay_window_clear(&window);
}

static void
a_loss_is_a_leap_in_numbers_and_time(void **state BF_UNUSED)
{
	struct replay_position known = { .seq = 1000, .time_ms = 5000000 };
	struct replay_position start = { .seq = 0 };

	assert_false(replay_is_loss(&start, 99999, 1));
	assert_false(replay_is_loss(&known, 1001, 5000001));
	/* Quiet for a day, but nothing in between. */
	assert_false(replay_is_loss(&known, 1001, 5000000 + 86400000));
	assert_false(replay_is_loss(&known, 1000, 5000000));
	assert_false(replay_is_loss(&known, 900, 4000000));
	assert_false(replay_is_loss(&known, 1005, 5000000 + REPLAY_LEAP_MS));
	assert_true(replay_is_loss(&known, 1005, 5000001 + REPLAY_LEAP_MS));
	assert_true(replay_is_loss(&known, 1001 + REPLAY_LEAP_EVENTS, 5000000));
	assert_true(replay_is_loss(&known, 1000, 1));
	assert_true(replay_is_loss(&known, 1005, 1));
}

static const struct CMUnitTest replay_window_tests[] = {
	cmocka_unit_test(nothing_is_saved_beyond_an_open_event),
	cmocka_unit_test(any_order_of_ends_leads_to_the_last_event),
	cmocka_unit_test(a_loss_is_a_leap_in_numbers_and_time),
};

UNIT_MAIN(replay_window_tests)

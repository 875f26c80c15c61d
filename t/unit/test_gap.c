/*
 * test_gap.c - src/op/gap: which operation a gap needs.
 */
#include "t/unit/unit.h"

#include "op/gap.h"
#include "op/op_type.h"

#define HOUR_MS		(3600 * 1000ll)
#define NOW_MS		(1700000000000ll)
#define MAX_AGE_MS	(48 * HOUR_MS)

static enum gap
decide(bool has_position, int64_t age_ms, bool is_empty)
{
	return gap_decide(&(struct gap_facts){
		.has_position = has_position, .position_ms = NOW_MS - age_ms,
		.index_is_empty = is_empty, .now_ms = NOW_MS,
		.max_age_ms = MAX_AGE_MS,
	});
}

static void
without_a_position_everything_is_synced(void **state BF_UNUSED)
{
	assert_int_equal(decide(false, 0, false), GAP_FULL_SYNC);
	assert_int_equal(decide(false, 0, true), GAP_FULL_SYNC);
}

static void
an_empty_index_is_filled_however_recent_the_position(void **state BF_UNUSED)
{
	assert_int_equal(decide(true, 0, true), GAP_FULL_SYNC);
	assert_int_equal(decide(true, 100 * HOUR_MS, true), GAP_FULL_SYNC);
}

static void
an_old_position_needs_a_catch_up(void **state BF_UNUSED)
{
	assert_int_equal(decide(true, MAX_AGE_MS, false), GAP_NONE);
	assert_int_equal(decide(true, MAX_AGE_MS + 1, false), GAP_CATCH_UP);
}

static void
a_recent_position_needs_nothing(void **state BF_UNUSED)
{
	assert_int_equal(decide(true, HOUR_MS, false), GAP_NONE);
	assert_int_equal(decide(true, -HOUR_MS, false), GAP_NONE);
}

static void
an_absurd_event_time_overflows_nothing(void **state BF_UNUSED)
{
	struct gap_facts facts = {
		.has_position = true, .position_ms = INT64_MIN,
		.now_ms = NOW_MS, .max_age_ms = MAX_AGE_MS,
	};

	assert_int_equal(gap_decide(&facts), GAP_CATCH_UP);
	facts.position_ms = INT64_MAX;
	assert_int_equal(gap_decide(&facts), GAP_NONE);
}

static void
force_takes_the_words_of_atbb_and_no_others(void **state BF_UNUSED)
{
	enum gap gap = GAP_NONE;

	assert_true(gap_parse_force(STR("catch_up"), &gap));
	assert_int_equal(gap, GAP_CATCH_UP);
	assert_true(gap_parse_force(STR("full_sync"), &gap));
	assert_int_equal(gap, GAP_FULL_SYNC);
	assert_false(gap_parse_force(STR("catch-up"), &gap));
	assert_false(gap_parse_force(STR(""), &gap));
	assert_int_equal(gap, GAP_FULL_SYNC);
	assert_string_equal(gap_force_word(GAP_CATCH_UP), "catch_up");
	assert_null(gap_force_word(GAP_NONE));
}

static void
each_gap_names_a_type_of_operation(void **state BF_UNUSED)
{
	assert_non_null(op_type_find(str_from(gap_op_type(GAP_CATCH_UP))));
	assert_non_null(op_type_find(str_from(gap_op_type(GAP_FULL_SYNC))));
	assert_null(gap_op_type(GAP_NONE));
}

static const struct CMUnitTest gap_tests[] = {
	cmocka_unit_test(without_a_position_everything_is_synced),
	cmocka_unit_test(an_empty_index_is_filled_however_recent_the_position),
	cmocka_unit_test(an_old_position_needs_a_catch_up),
	cmocka_unit_test(a_recent_position_needs_nothing),
	cmocka_unit_test(an_absurd_event_time_overflows_nothing),
	cmocka_unit_test(force_takes_the_words_of_atbb_and_no_others),
	cmocka_unit_test(each_gap_names_a_type_of_operation),
};

UNIT_MAIN(gap_tests)

/*
 * test_schedule_rule.c - rules of the configuration that are parsed by hand:
 * schedules, and limits per type (src/supervisor/schedule_rule.h, type_limit.h).
 */
#include "t/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/schedule_rule.h"
#include "supervisor/type_limit.h"

#define MIN_MS	60000ll

/* 2026-03-28 12:00 UTC; the clocks of Berlin go forward in the next night. */
#define NOON_MS	1774699200000ll

static struct schedule_rule
every(const char *text)
{
	struct schedule_rule rule;
	struct err err;

	assert_int_equal(schedule_rule_every(str_from(text), &rule, &err), 0);
	return rule;
}

static struct schedule_rule
daily(const char *text)
{
	struct schedule_rule rule;
	struct err err;

	assert_int_equal(schedule_rule_daily(str_from(text), &rule, &err), 0);
	return rule;
}

static void
every__keeps_its_rhythm_however_late_a_turn_comes(void **state BF_UNUSED)
{
	struct schedule_rule rule = every("30 min");

	assert_string_equal(rule.text, "every 30 min");
	assert_int_equal(schedule_rule_next(&rule, 0, 1000), 1000 + 30 * MIN_MS);
	assert_int_equal(schedule_rule_next(&rule, 1000, 1000), 1000 + 30 * MIN_MS);
	assert_int_equal(schedule_rule_next(&rule, 1000, 1000 + 95 * MIN_MS),
	    1000 + 120 * MIN_MS);
	/* The clock was put back: not to wait for the old time again. */
	assert_int_equal(schedule_rule_next(&rule, 90 * MIN_MS, 5), 5 + 30 * MIN_MS);
	assert_true(schedule_rule_is_off(&rule, 90 * MIN_MS, 5));
	assert_false(schedule_rule_is_off(&rule, 5 + 30 * MIN_MS, 5));
	assert_false(schedule_rule_is_off(&rule, 5, 90 * MIN_MS));
}

static void
every__takes_the_units_that_it_names(void **state BF_UNUSED)
{
	static const char *const bad[] = { "", "30", "min", "30 weeks", "0 min", "-1 h",
	    "367 d", "99999999999999999999 s", "1 h 30 min" };
	struct schedule_rule rule;
	struct err err;

	assert_int_equal(every("90 s").every_ms, 90000);
	assert_int_equal(every("6h").every_ms, 6 * 60 * MIN_MS);
	assert_int_equal(every("1 d").every_ms, 24 * 60 * MIN_MS);
	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		assert_int_equal(schedule_rule_every(str_from(bad[i]), &rule, &err), -1);
}

static void
daily__is_at_the_local_time_also_when_the_clocks_change(void **state BF_UNUSED)
{
	struct schedule_rule rule = daily("04:30");
	int64_t next;

	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
	next = schedule_rule_next(&rule, 0, NOON_MS);
	/* From 13:00 to 04:30 with an hour left out. */
	assert_int_equal(next, NOON_MS + (15 * 60 + 30 - 60) * MIN_MS);
	assert_int_equal(schedule_rule_next(&rule, next, next), next + 24 * 60 * MIN_MS);
	assert_int_equal(schedule_rule_next(&rule, next, next - 1), next);
	assert_int_equal(setenv("TZ", "UTC0", 1), 0);
	tzset();
	assert_int_equal(schedule_rule_next(&rule, 0, NOON_MS), NOON_MS +
	    (16 * 60 + 30) * MIN_MS);
}

static void
daily__takes_a_time_of_day(void **state BF_UNUSED)
{
	static const char *const bad[] = { "", "3:00", "24:00", "12:60", "12-30", "1 :00",
	    "12:30:00" };
	struct schedule_rule rule;
	struct err err;

	assert_string_equal(daily("00:00").text, "daily 00:00");
	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		assert_int_equal(schedule_rule_daily(str_from(bad[i]), &rule, &err), -1);
}

static void
type_limit__is_found_by_either_spelling(void **state BF_UNUSED)
{
	const char *list = "pdsScan=1 did-sync=4 own-type=2";
	static const char *const bad[] = { "pds-scan", "pds-scan=", "=1", "pds-scan=0",
	    "pds-scan=1001", "No Type=1", "did-sync=4 x" };
	struct err err;

	assert_int_equal(type_limit_check(list, &err), 0);
	assert_int_equal(type_limit(list, STR("pds-scan")), 1);
	assert_int_equal(type_limit(list, STR("did-sync")), 4);
	assert_int_equal(type_limit(list, STR("own-type")), 2);
	assert_true(type_limit(list, STR("full-sync")) == TYPE_LIMIT_NONE);
	assert_int_equal(type_limit_check("", &err), 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		assert_int_equal(type_limit_check(bad[i], &err), -1);
}

static const struct CMUnitTest schedule_rule_tests[] = {
	cmocka_unit_test(every__keeps_its_rhythm_however_late_a_turn_comes),
	cmocka_unit_test(every__takes_the_units_that_it_names),
	cmocka_unit_test(daily__is_at_the_local_time_also_when_the_clocks_change),
	cmocka_unit_test(daily__takes_a_time_of_day),
	cmocka_unit_test(type_limit__is_found_by_either_spelling),
};

UNIT_MAIN(schedule_rule_tests)

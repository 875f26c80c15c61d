/*
 * test_fetch_polite.c - src/fetch/polite: when the next request may begin.
 */
#include "t/unit/unit.h"

#include <stdio.h>

#include "common/limits.h"
#include "fetch/polite.h"

static const struct polite_options slow = {
	.requests_per_s = 2, .burst = 3, .per_host_max = 3, .bulk_per_host_max = 1,
	.backoff_ms = 1000,
};

static int
polite_set_up(void **state)
{
	*state = polite_new(&slow);
	return 0;
}

static int
polite_tear_down(void **state)
{
	struct polite *polite = *state;

	polite_free(&polite);
	return 0;
}

static void
answer(struct polite_host *host, enum fetch_class class, int64_t retry_after_ms,
    double chance, int64_t now)
{
	struct polite_report report = { .class = class,
	    .retry_after_ms = retry_after_ms };

	polite_host_begin(host, false, now);
	polite_host_end(host, false, &report, chance, now);
}

static void
a_host_gets_a_burst_and_then_the_rate(void **state)
{
	struct polite_host *host = polite_host_get(*state, "https://a:443", 0);

	for (int i = 0; i < 3; i++) {
		assert_int_equal(polite_host_wait_ms(host, false, 0), 0);
		answer(host, FETCH_OK, -1, 0, 0);
	}
	assert_in_range(polite_host_wait_ms(host, false, 0), 500, 502);
	assert_int_equal(polite_host_wait_ms(host, false, 502), 0);
	polite_host_put(host);
}

static void
requests_at_the_same_time_are_bounded_and_large_ones_apart(void **state)
{
	struct polite_host *host = polite_host_get(*state, "https://a:443", 0);

	polite_host_begin(host, true, 0);
	assert_int_equal(polite_host_wait_ms(host, true, 60000), POLITE_WHEN_ONE_ENDS);
	assert_int_equal(polite_host_wait_ms(host, false, 60000), 0);
	polite_host_begin(host, false, 60000);
	polite_host_begin(host, false, 60000);
	assert_int_equal(polite_host_wait_ms(host, false, 60000), POLITE_WHEN_ONE_ENDS);
	polite_host_end(host, true, NULL, 0, 60000);
	assert_int_equal(polite_host_wait_ms(host, true, 60000), 0);
	polite_host_end(host, false, NULL, 0, 60000);
	polite_host_end(host, false, NULL, 0, 60000);
	polite_host_put(host);
}

static void
what_the_server_asks_for_is_done(void **state)
{
	struct polite_host *host = polite_host_get(*state, "https://a:443", 0);
	struct polite_report spent = { .class = FETCH_OK, .retry_after_ms = -1,
	    .has_budget = true, .budget_left = 0, .budget_reset_ms = 9000 };

	answer(host, FETCH_RATE_LIMITED, 7000, 0, 0);
	assert_int_equal(polite_host_wait_ms(host, false, 0), 7000);
	assert_int_equal(polite_host_fails_as(host), FETCH_OK);
	assert_int_equal(polite_host_wait_ms(host, false, 7000), 0);

	/* RateLimit-Remaining: 0, before there is a 429. */
	polite_host_begin(host, false, 7000);
	polite_host_end(host, false, &spent, 0, 7000);
	assert_int_equal(polite_host_wait_ms(host, false, 7000), 9000);
	polite_host_put(host);
}

static void
a_429_without_headers_teaches_a_lower_rate_that_climbs_back(void **state)
{
	struct polite_host *host = polite_host_get(*state, "https://a:443", 0);
	struct polite_memory memory;
	int64_t now = 0;

	assert_false(polite_host_remember(host, now, &memory));
	answer(host, FETCH_RATE_LIMITED, -1, 0.5, now);
	assert_int_equal(polite_host_wait_ms(host, false, now), 1500);
	/* Those that were under way at the time teach nothing more. */
	answer(host, FETCH_RATE_LIMITED, -1, 0.5, now + 10);
	assert_true(polite_host_remember(host, now, &memory));
	assert_true(memory.requests_per_s == 1.0);
	assert_int_equal(memory.failures, 0);

	now += 1500;
	answer(host, FETCH_RATE_LIMITED, -1, 0.5, now);
	assert_true(polite_host_remember(host, now, &memory));
	assert_true(memory.requests_per_s == 0.5);
	assert_int_equal(polite_host_wait_ms(host, false, now), 2000);

	for (int i = 0; i < 100; i++)
		answer(host, FETCH_OK, -1, 0, now += 20000);
	assert_false(polite_host_remember(host, now, &memory));
	polite_host_put(host);
}

static void
failures_wait_longer_each_time_and_then_park_the_host(void **state)
{
	static const int64_t most[] = { 1000, 2000, 4000, 8000, 60000, 120000, 240000,
	    480000, 900000, 900000 };
	struct polite_host *host = polite_host_get(*state, "https://a:443", 0);
	int64_t now = 0;

	for (size_t i = 0; i < BF_ARRAY_LEN(most); i++) {
		int64_t wait;

		answer(host, i % 2 ? FETCH_TIMEOUT : FETCH_SERVER_ERROR, -1, 0.999999,
		    now);
		wait = polite_host_wait_ms(host, false, now);
		assert_in_range(wait, most[i] - 1, most[i]);
		assert_int_equal(polite_host_fails_as(host),
		    i % 2 ? FETCH_TIMEOUT : FETCH_SERVER_ERROR);
		now += wait;
		/* One request finds out whether the host is back. */
		assert_int_equal(polite_host_wait_ms(host, false, now), 0);
		polite_host_begin(host, false, now);
		assert_int_equal(polite_host_wait_ms(host, false, now),
		    POLITE_WHEN_ONE_ENDS);
		polite_host_end(host, false, NULL, 0, now);
	}
	answer(host, FETCH_NOT_FOUND, -1, 0, now);
	assert_int_equal(polite_host_fails_as(host), FETCH_OK);
	assert_int_equal(polite_host_wait_ms(host, false, now + 1000), 0);
	polite_host_put(host);
}

static void
one_outage_is_one_failure(void **state)
{
	struct polite_host *host = polite_host_get(*state, "https://a:443", 0);
	struct polite_report report = { .class = FETCH_UNREACHABLE,
	    .retry_after_ms = -1 };
	struct polite_memory memory;

	for (int i = 0; i < 3; i++)
		polite_host_begin(host, false, 0);
	for (int i = 0; i < 3; i++)
		polite_host_end(host, false, &report, 0.9, 10);
	assert_true(polite_host_remember(host, 10, &memory));
	assert_int_equal(memory.failures, 1);
	polite_host_put(host);
}

static void
one_host_does_not_slow_another(void **state)
{
	struct polite_host *a = polite_host_get(*state, "https://a:443", 0);
	struct polite_host *b = polite_host_get(*state, "https://b:443", 0);

	answer(a, FETCH_RATE_LIMITED, 60000, 0, 0);
	assert_int_equal(polite_host_wait_ms(b, false, 0), 0);
	assert_ptr_equal(polite_host_get(*state, "https://a:443", 0), a);
	polite_host_put(a);
	polite_host_put(a);
	polite_host_put(b);
}

static void
a_host_that_publishes_its_limits_gets_them(void **state)
{
	struct polite_host *host = polite_host_get(*state,
	    "https://morel.us-east.host.bsky.network:443", 0);

	for (int i = 0; i < 4; i++) {
		assert_int_equal(polite_host_wait_ms(host, true, 0), 0);
		polite_host_begin(host, true, 0);
	}
	assert_int_equal(polite_host_wait_ms(host, true, 0), POLITE_WHEN_ONE_ENDS);
	for (int i = 0; i < 4; i++)
		polite_host_end(host, true, NULL, 0, 0);
	polite_host_put(host);
}

static void
what_was_learned_is_recalled_within_bounds(void **state)
{
	struct polite_host *host = polite_host_get(*state, "https://a:443", 0);
	struct polite_memory absurd = { .requests_per_s = 1e9, .pause_ms = INT64_MAX,
	    .failures = UINT32_MAX }, memory;

	polite_host_recall(host, &absurd, 0);
	assert_int_equal(polite_host_wait_ms(host, false, 0), 15 * 60 * 1000);
	assert_true(polite_host_remember(host, 0, &memory));
	assert_int_equal(memory.failures, 5);
	assert_true(memory.requests_per_s == 0);
	polite_host_put(host);
}

static void
count_host(const char *origin BF_UNUSED, struct polite_host *host BF_UNUSED, void *arg)
{
	++*(unsigned *)arg;
}

static void
hosts_are_forgotten_beyond_the_limit_the_well_behaved_first(void **state)
{
	struct polite_host *held = polite_host_get(*state, "https://held:443", 0);
	struct polite_host *host = polite_host_get(*state, "https://bad:443", 0);
	unsigned count = 0;

	answer(host, FETCH_TIMEOUT, -1, 1, 0);
	polite_host_put(host);
	for (int i = 0; i < LIMIT_FETCH_HOSTS + 10; i++) {
		char origin[64];

		(void)snprintf(origin, sizeof(origin), "https://h%d:443", i);
		polite_host_put(polite_host_get(*state, origin, 0));
	}
	polite_each(*state, count_host, &count);
	assert_in_range(count, 2, LIMIT_FETCH_HOSTS);
	host = polite_host_get(*state, "https://bad:443", 0);
	assert_int_equal(polite_host_fails_as(host), FETCH_TIMEOUT);
	assert_ptr_equal(polite_host_get(*state, "https://held:443", 0), held);
	polite_host_put(host);
	polite_host_put(held);
	polite_host_put(held);
}

static void
even_bad_hosts_are_forgotten_beyond_the_limit(void **state)
{
	unsigned count = 0;

	for (int i = 0; i < LIMIT_FETCH_HOSTS + 10; i++) {
		struct polite_host *host;
		char origin[64];

		(void)snprintf(origin, sizeof(origin), "https://h%d:443", i);
		host = polite_host_get(*state, origin, 0);
		answer(host, FETCH_TIMEOUT, -1, 1, 0);
		polite_host_put(host);
	}
	polite_each(*state, count_host, &count);
	assert_in_range(count, 1, LIMIT_FETCH_HOSTS);
}

#define P(test) cmocka_unit_test_setup_teardown(test, polite_set_up, polite_tear_down)

static const struct CMUnitTest tests[] = {
	P(a_host_gets_a_burst_and_then_the_rate),
	P(requests_at_the_same_time_are_bounded_and_large_ones_apart),
	P(what_the_server_asks_for_is_done),
	P(a_429_without_headers_teaches_a_lower_rate_that_climbs_back),
	P(failures_wait_longer_each_time_and_then_park_the_host),
	P(one_outage_is_one_failure),
	P(one_host_does_not_slow_another),
	P(a_host_that_publishes_its_limits_gets_them),
	P(what_was_learned_is_recalled_within_bounds),
	P(hosts_are_forgotten_beyond_the_limit_the_well_behaved_first),
	P(even_bad_hosts_are_forgotten_beyond_the_limit),
};

UNIT_MAIN(tests)

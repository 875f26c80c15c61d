/*
 * test_sync_pool.c - src/workers/sync_pool.c and pool_host.c: many repositories on
 * good, dead and unwilling hosts, against scripted servers and a fake indexer.
 */
#include "t/unit/sync_bench.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "workers/pool_host.h"
#include "workers/sync_pool.h"

#define OTHERS	6	/* accounts on the bad host */

struct pool_bench {
	struct sync_bench *bench;
	struct fetch_server *bad;
	struct sync_pool *pool;
	unsigned outcomes, notes;
	bool good_is_done;
	unsigned done_before_good;
	char class[SYNC_CLASS_SIZE], text[ERR_TEXT_SIZE];
};

static void
on_outcome(struct sync_pool *pool BF_UNUSED, void *item,
    const struct sync_outcome *outcome, void *arg)
{
	struct pool_bench *rig = arg;

	rig->outcomes++;
	if (strcmp(item, K256_DID) == 0) {
		assert_int_equal(outcome->result, SYNC_DONE);
		rig->good_is_done = true;
	} else {
		assert_int_equal(outcome->result, SYNC_FAILED);
		rig->done_before_good += !rig->good_is_done;
		(void)snprintf(rig->class, sizeof(rig->class), "%s",
		    outcome->error_class);
		(void)snprintf(rig->text, sizeof(rig->text), "%s", outcome->error_text);
	}
	ev_break(rig->bench->loop, EVBREAK_ALL);
}

static void
on_bad_record(struct sync_pool *pool BF_UNUSED, struct str did BF_UNUSED,
    struct str path BF_UNUSED, const struct fault *fault BF_UNUSED, void *arg BF_UNUSED)
{
	fail();
}

static void
on_note(struct sync_pool *pool BF_UNUSED, struct str did BF_UNUSED,
    const char *text BF_UNUSED, void *arg)
{
	struct pool_bench *rig = arg;

	rig->notes++;
}

static const struct sync_pool_events events = {
	.on_outcome = on_outcome, .on_bad_record = on_bad_record, .on_note = on_note,
};

static char others[OTHERS][40];

/* The good account last, behind all those of the bad host. */
static void
open_rig(struct pool_bench *rig, void **state, const char *patience_ms)
{
	*rig = (struct pool_bench){ .bench = *state };
	bench_add_k256(rig->bench);		/* these skip the test without vectors */
	account_add_car(rig->bench->server, "good-k256.car");
	rig->bad = fetch_server_new(rig->bench->loop);
	bench_set(rig->bench, "host_patience_ms", patience_ms);
	bench_set(rig->bench, "rate_limit_patience_ms", patience_ms);
	rig->bench->defers = true;
	bench_set(rig->bench, "fetch_retries", "0");
	for (int i = 0; i < OTHERS; i++) {
		(void)snprintf(others[i], sizeof(others[i]),
		    "did:plc:other%caaaaaaaaaaaaaaaaaa", 'a' + i);
		account_add_document(rig->bench->server, others[i],
		    fetch_server_origin(rig->bad), K256_KEY);
	}
	rig->pool = sync_pool_new(&rig->bench->env, &rig->bench->spill_fd, 1, &events,
	    rig);
}

static void
order(struct pool_bench *rig, char *did, const struct fetch_server *server)
{
	sync_pool_add(rig->pool, &(struct sync_pool_order){ .did = str_from(did),
	    .pds = str_from(fetch_server_origin(server)), .item = did });
}

static void
order_all(struct pool_bench *rig)
{
	static char good[] = K256_DID;

	for (int i = 0; i < OTHERS; i++)
		order(rig, others[i], rig->bad);
	order(rig, good, rig->bench->server);
}

static void
run_until(struct pool_bench *rig, unsigned outcomes)
{
	while (rig->outcomes < outcomes)
		(void)ev_run(rig->bench->loop, 0);
}

static void
close_rig(struct pool_bench *rig)
{
	sync_pool_free(&rig->pool);
	bench_turn(rig->bench);
	fetch_server_free(&rig->bad);
}

/* --- the pool --- */

static void
pool__a_host_that_asks_for_a_pause_holds_no_slot(void **state)
{
	struct pool_bench rig;

	open_rig(&rig, state, "600000");
	fetch_server_say(rig.bad, GET_REPO, "HTTP/1.1 429 Slow Down\r\n"
	    "Retry-After: 600\r\nContent-Length: 0\r\n\r\n");
	order_all(&rig);
	run_until(&rig, 1);
	assert_true(rig.good_is_done);
	assert_int_equal(sync_pool_count(rig.pool), OTHERS);
	assert_int_equal(fetch_server_requests(rig.bad), 1);
	close_rig(&rig);
}

static void
pool__a_host_that_only_says_no_is_given_up_in_the_end(void **state)
{
	struct pool_bench rig;

	open_rig(&rig, state, "1000");
	fetch_server_say(rig.bad, GET_REPO, "HTTP/1.1 429 Slow Down\r\n"
	    "Retry-After: 4\r\nContent-Length: 0\r\n\r\n");
	order_all(&rig);
	run_until(&rig, OTHERS + 1);
	assert_int_equal(rig.done_before_good, 0);
	assert_string_equal(rig.class, "rate-limited");
	assert_true(fetch_server_requests(rig.bad) < OTHERS);
	assert_true(rig.notes > 0);
	close_rig(&rig);
}

static void
pool__a_dead_host_is_given_up_and_the_good_one_is_done(void **state)
{
	struct pool_bench rig;

	open_rig(&rig, state, "1000");
	fetch_server_add(rig.bad, GET_REPO,
	    &(struct fetch_answer){ .bytes = "", .then = THEN_RESET });
	order_all(&rig);
	run_until(&rig, OTHERS + 1);
	assert_true(rig.good_is_done);
	assert_string_equal(rig.class, "unreachable");
	assert_int_equal(sync_pool_count(rig.pool), 0);
	close_rig(&rig);
}

static void
pool__a_final_failure_of_one_is_no_trouble_for_others(void **state)
{
	struct pool_bench rig;

	open_rig(&rig, state, "600000");
	fetch_server_serve(rig.bad, GET_REPO, "200 OK", "text/html", "<html>", 6);
	order_all(&rig);
	run_until(&rig, OTHERS + 1);
	assert_string_equal(rig.class, "invalid");
	assert_int_equal(fetch_server_requests(rig.bad), OTHERS);
	assert_int_equal(rig.notes, 0);
	close_rig(&rig);
}

static void
pool__has_room_for_limit_pool_orders(void **state)
{
	struct pool_bench rig;

	open_rig(&rig, state, "600000");
	for (int i = 0; i < LIMIT_POOL_ORDERS; i++) {
		assert_true(sync_pool_has_room(rig.pool));
		order(&rig, others[0], rig.bad);
	}
	assert_false(sync_pool_has_room(rig.pool));
	close_rig(&rig);
}

static void
pool__freed_in_the_middle_tells_nothing_more(void **state)
{
	struct pool_bench rig;

	open_rig(&rig, state, "600000");
	order_all(&rig);
	for (int i = 0; i < 3; i++)
		(void)ev_run(rig.bench->loop, EVRUN_NOWAIT);
	close_rig(&rig);
	assert_int_equal(rig.outcomes, 0);
}

/* --- a host --- */

static struct sync_outcome
failed(const char *class, int64_t retry_after_ms)
{
	struct sync_outcome outcome = { .result = SYNC_FAILED,
		.retry_after_ms = retry_after_ms };

	strcpy(outcome.error_class, class);
	return outcome;
}

static void
host__learns_pauses_and_forgets_them_with_any_answer(void **state BF_UNUSED)
{
	struct sync_outcome busy = failed("rate-limited", 7000);
	struct sync_outcome bad = failed("BadSignature", -1);
	struct pool_host host = { 0 };
	struct settings settings;

	settings_init(&settings);
	pool_host_learn(&host, &busy, &settings, 1000);
	assert_true(pool_host_is_in_trouble(&host));
	assert_int_equal(pool_host_wait_ms(&host, 1000), 7000);
	assert_int_equal(pool_host_wait_ms(&host, 8000), 0);
	assert_false(host.is_given_up);
	pool_host_learn(&host, &bad, &settings, 9000);
	assert_false(pool_host_is_in_trouble(&host));
	settings_clear(&settings);
}

static void
host__is_given_up_after_its_patience_by_what_it_says(void **state BF_UNUSED)
{
	struct sync_outcome dead = failed("timeout", -1);
	struct sync_outcome busy = failed("rate-limited", 1000);
	struct pool_host host = { 0 };
	struct settings settings;

	settings_init(&settings);
	pool_host_learn(&host, &dead, &settings, 1000);
	pool_host_learn(&host, &dead, &settings, 1000 + 599999);
	assert_false(host.is_given_up);
	pool_host_learn(&host, &busy, &settings, 1000 + 600000);
	assert_false(host.is_given_up);
	pool_host_learn(&host, &dead, &settings, 1000 + 600001);
	assert_true(host.is_given_up);
	settings_clear(&settings);
}

/* --- a full disk --- */

static void
on_rest(void *arg)
{
	*(bool *)arg = true;
}

/* It holds its place, so nothing else is fetched; a pause does not wait for it. */
static void
pool__rests_without_what_waits_for_room(void **state)
{
	static char good[] = K256_DID;
	struct pool_bench rig;
	bool is_resting = false;

	open_rig(&rig, state, "600000");
	rig.bench->indexer.refuse_commit = "disk-full";
	order(&rig, good, rig.bench->server);
	while (rig.notes == 0)
		(void)ev_run(rig.bench->loop, EVRUN_ONCE);
	sync_pool_rest(rig.pool, on_rest, &is_resting);
	while (!is_resting)
		(void)ev_run(rig.bench->loop, EVRUN_ONCE);
	assert_int_equal(rig.outcomes, 0);
	assert_int_equal(sync_pool_count(rig.pool), 1);
	close_rig(&rig);
}

static const struct CMUnitTest sync_pool_tests[] = {
	B(pool__a_host_that_asks_for_a_pause_holds_no_slot),
	B(pool__a_host_that_only_says_no_is_given_up_in_the_end),
	B(pool__a_dead_host_is_given_up_and_the_good_one_is_done),
	B(pool__a_final_failure_of_one_is_no_trouble_for_others),
	B(pool__has_room_for_limit_pool_orders),
	B(pool__freed_in_the_middle_tells_nothing_more),
	B(pool__rests_without_what_waits_for_room),
	cmocka_unit_test(host__learns_pauses_and_forgets_them_with_any_answer),
	cmocka_unit_test(host__is_given_up_after_its_patience_by_what_it_says),
};

UNIT_MAIN(sync_pool_tests)

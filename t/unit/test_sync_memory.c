/*
 * test_sync_memory.c - what one sync remembers of servers and DIDs, and what it heeds
 * of that: src/workers/identity_memory.c and host_memory.c, for who reads only the
 * rows of the servers that it meets.
 */
#include "t/unit/sync_bench.h"

#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "rows/host_row.h"
#include "rows/identity_row.h"
#include "rows/row_table.h"
#include "workers/host_memory.h"

static struct bytes
text_bytes(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static void
put_host(struct sync_bench *bench, const char *origin, struct host_row row)
{
	struct buf value = BUF_INIT;

	host_row_encode(&value, &row);
	fake_rows_put(&bench->indexer, ROW_HOST, text_bytes(origin), buf_bytes(&value));
	buf_clear(&value);
}

static struct host_row
get_host(struct sync_bench *bench)
{
	const struct fake_row *row = fake_rows_get(&bench->indexer, ROW_HOST,
	    text_bytes(fetch_server_origin(bench->server)));
	struct host_row host;

	assert_non_null(row);
	assert_int_equal(host_row_decode(row->key, row->value, &host), 0);
	return host;
}

static void
on_written(const char *why, void *arg)
{
	struct sync_bench *bench = arg;

	assert_null(why);
	ev_break(bench->loop, EVBREAK_ALL);
}

static void
sync_and_write(struct sync_bench *bench)
{
	(void)bench_sync(bench, K256_DID);
	sync_env_write(&bench->env, on_written, bench);
	ev_run(bench->loop, 0);
}

static void
memory__of_a_sync_has_its_server_and_its_document(void **state)
{
	struct sync_bench *bench = *state;
	const struct fake_row *row;
	struct identity_row identity;

	sync_env_remember_met(&bench->env);
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	sync_and_write(bench);
	assert_int_equal(bench->outcome.result, SYNC_DONE);
	assert_int_equal(get_host(bench).source, HOST_FROM_DOCUMENT);
	assert_int_equal(get_host(bench).failures, 0);
	row = fake_rows_get(&bench->indexer, ROW_IDENTITY, text_bytes(K256_DID));
	assert_non_null(row);
	assert_int_equal(identity_row_decode(row->key, row->value, &identity), 0);
	assert_true(str_eq(identity.pds_url, str_from(fetch_server_origin(bench->server))));
}

static void
memory__keeps_what_others_know_of_a_server(void **state)
{
	struct sync_bench *bench = *state;

	put_host(bench, fetch_server_origin(bench->server), (struct host_row){
	    .source = HOST_FROM_CONFIG, .listed_ms = 77, .repos = 12, .first_seen_ms = 5 });
	put_host(bench, "https://other.test:443", (struct host_row){ .failures = 3 });
	bench_set(bench, "fetch_retries", "0");
	sync_env_remember_met(&bench->env);
	bench_add_k256(bench);
	account_add_error(bench->server, GET_REPO, "502 Bad Gateway", "UpstreamFailure");
	sync_and_write(bench);
	assert_int_equal(bench->outcome.result, SYNC_FAILED);
	assert_int_equal(get_host(bench).failures, 1);
	assert_true(str_eq(get_host(bench).last_error, STR("server-error")));
	assert_int_equal(get_host(bench).source, HOST_FROM_CONFIG);
	assert_int_equal(get_host(bench).listed_ms, 77);
	assert_int_equal(get_host(bench).repos, 12);
}

/* The pause is short, so that the test is; what is told of it needs a longer one. */
static void
memory__lets_a_parked_server_alone(void **state)
{
	struct sync_bench *bench = *state;
	int64_t pause_ms = 2500, start_ms = clock_mono_ms();

	sync_env_remember_met(&bench->env);
	put_host(bench, fetch_server_origin(bench->server), (struct host_row){
	    .source = HOST_FROM_DOCUMENT, .failures = 5,
	    .parked_until_ms = (uint64_t)(clock_wall_ms() + pause_ms) });
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	sync_and_write(bench);
	assert_int_equal(bench->outcome.result, SYNC_DONE);
	assert_true(clock_mono_ms() - start_ms >= pause_ms - 100);
	assert_non_null(strstr(bench->notes, "is not asked for another 2 s"));
	assert_int_equal(get_host(bench).parked_until_ms, 0);
}

/* A pause that was written before the clock was set back by a day. */
static void
memory__of_a_pause_is_no_longer_than_a_pause_may_be(void **state)
{
	struct sync_bench *bench = *state;
	const char *origin = fetch_server_origin(bench->server);
	int64_t now_ms = clock_wall_ms(), pause_ms;
	const struct fake_row *kept;

	sync_env_remember_met(&bench->env);
	put_host(bench, origin, (struct host_row){ .source = HOST_FROM_DOCUMENT,
	    .failures = 5, .parked_until_ms = (uint64_t)now_ms + 24 * 3600 * 1000 });
	kept = fake_rows_get(&bench->indexer, ROW_HOST, text_bytes(origin));
	pause_ms = host_memory_take(bench->env.hosts, kept->key, kept->value);
	assert_in_range(pause_ms, HOST_PAUSE_MAX_MS - 1000, HOST_PAUSE_MAX_MS);
	sync_env_write(&bench->env, on_written, bench);
	ev_run(bench->loop, 0);
	assert_in_range(get_host(bench).parked_until_ms, now_ms + HOST_PAUSE_MAX_MS - 1000,
	    clock_wall_ms() + HOST_PAUSE_MAX_MS);
}

static void
on_ready(const char *why, void *arg)
{
	on_written(why, arg);
}

/* An operation that runs for hours recalls what others have found out to be past. */
static void
memory__writes_only_what_it_learned_itself(void **state)
{
	static const char *const others[] = { "https://failed.test:443",
	    "https://parked.test:443", "https://slow.test:443" };
	struct sync_bench *bench = *state;
	struct host_row row;

	put_host(bench, others[0], (struct host_row){ .failures = 3 });
	put_host(bench, others[1], (struct host_row){ .failures = 5,
	    .parked_until_ms = (uint64_t)(clock_wall_ms() + 600000) });
	put_host(bench, others[2], (struct host_row){ .rate_milli = 1234 });
	sync_env_remember(&bench->env, on_ready, bench);
	ev_run(bench->loop, 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(others); i++)
		put_host(bench, others[i], (struct host_row){ .repos = 9 });
	sync_env_write(&bench->env, on_written, bench);
	ev_run(bench->loop, 0);
	for (size_t i = 0; i < BF_ARRAY_LEN(others); i++) {
		const struct fake_row *kept = fake_rows_get(&bench->indexer, ROW_HOST,
		    text_bytes(others[i]));

		assert_int_equal(host_row_decode(kept->key, kept->value, &row), 0);
		assert_int_equal(row.repos, 9);
		assert_int_equal(row.failures, 0);
	}
}

static const struct CMUnitTest memory_tests[] = {
	B(memory__of_a_sync_has_its_server_and_its_document),
	B(memory__keeps_what_others_know_of_a_server),
	B(memory__lets_a_parked_server_alone),
	B(memory__of_a_pause_is_no_longer_than_a_pause_may_be),
	B(memory__writes_only_what_it_learned_itself),
};

UNIT_MAIN(memory_tests)

/*
 * test_sync_stop.c - src/workers/sync_*.c, one repository from DID to ack, against a
 * scripted server and a fake indexer: failures of the network and of the indexer, and
 * cancelling.
 */
#include "t/unit/sync_bench.h"

#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "workers/room.h"

/* --- failures of the network --- */

static void
sync__fails_with_the_class_of_what_the_server_did(void **state)
{
	struct sync_bench *bench = *state;

	(void)bench_index_old_k256(bench);
	bench_add_k256(bench);
	account_add_error(bench->server, GET_LATEST, "403 Forbidden", "Forbidden");
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "refused");
}

static void
sync__tries_a_transfer_again_that_was_cut(void **state)
{
	struct sync_bench *bench = *state;
	struct buf car = account_read_car("good-k256.car"), cut = BUF_INIT;

	buf_printf(&cut, "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipld.car\r\n"
	    "Content-Length: %zu\r\n\r\n", buf_len(&car));
	buf_add(&cut, buf_data(&car), 20000);
	fetch_server_add(bench->server, GET_REPO, &(struct fetch_answer){
	    .bytes = buf_data(&cut), .len = buf_len(&cut), .then = THEN_CLOSE });
	fetch_server_serve(bench->server, GET_REPO, "200 OK", "application/vnd.ipld.car",
	    buf_data(&car), buf_len(&car));
	bench_add_k256(bench);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench_k256(bench)->records.count, GOOD_RECORDS);
	assert_int_equal(bench->indexer.puts, GOOD_RECORDS);
	buf_clear(&car);
	buf_clear(&cut);
}

/* fetch_retries counts requests that are made again, whoever makes them. */
static void
sync__gives_up_after_fetch_retries(void **state)
{
	struct sync_bench *bench = *state;

	bench_set(bench, "fetch_retries", "2");
	bench_add_k256(bench);
	account_add_error(bench->server, GET_REPO, "502 Bad Gateway", "UpstreamFailure");
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "server-error");
	assert_int_equal(fetch_server_requests(bench->server), 1 + 3);
}

static void
sync__bounds_a_download_by_fetch_timeout_ms(void **state)
{
	struct sync_bench *bench = *state;

	bench->settings.fetch_timeout_ms = 200;
	bench_set(bench, "fetch_retries", "0");
	bench_add_k256(bench);
	bench_hang_at(bench, GET_REPO, "", 0);
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "timeout");
}

static void
sync__waits_for_a_429_as_long_as_it_says(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	fetch_server_say(bench->server, GET_REPO, "HTTP/1.1 429 Too Many Requests\r\n"
	    "Retry-After: 1\r\nContent-Length: 0\r\n\r\n");
	account_add_car(bench->server, "good-k256.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(fetch_server_requests(bench->server), 3);
}

/* However often it is said: http.h gives up after LIMIT_FETCH_REFUSALS of them. */
static void
sync__never_fails_for_a_429(void **state)
{
	struct sync_bench *bench = *state;
	bench->env.rate_limit_wait_ms = 10;
	bench_add_k256(bench);
	for (int i = 0; i < LIMIT_FETCH_REFUSALS; i++)
		fetch_server_say(bench->server, GET_REPO,
		    "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
	account_add_car(bench->server, "good-k256.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(fetch_server_requests(bench->server),
	    1 + LIMIT_FETCH_REFUSALS + 1);
	assert_non_null(strstr(bench->notes, "waiting"));
}

/* --- the indexer's side --- */

static void
sync__claims_again_while_another_has_it(void **state)
{
	struct sync_bench *bench = *state;

	bench->indexer.busy = 2;
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench->indexer.begins, 3);
}

static void
sync__fails_when_the_indexer_refuses(void **state)
{
	struct sync_bench *bench = *state;

	bench->indexer.refuse_commit = "index-failed";
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "index-failed");
	assert_string_equal(bench->outcome.error_text, "the indexer: as the test wants");
}

/* --- a full disk --- */

static void
run_until_begins(struct sync_bench *bench, unsigned begins)
{
	while (bench->indexer.begins < begins)
		(void)ev_run(bench->loop, EVRUN_ONCE);
}

/* It is told once, what was fetched is kept, and each record is put once more. */
static void
sync__waits_for_room_on_the_disk(void **state)
{
	struct sync_bench *bench = *state;
	const char *told;

	bench->indexer.refuse_commit = "disk-full";
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	bench_start(bench, K256_DID);
	run_until_begins(bench, 3);
	assert_int_equal(bench->dones, 0);
	bench->indexer.refuse_commit = NULL;
	assert_int_equal(bench_wait(bench)->result, SYNC_DONE);
	assert_int_equal(bench->indexer.commits, 1);
	assert_int_equal(bench->outcome.created, bench_k256(bench)->records.count);
	assert_int_equal(bench->outcome.progress.processed, bench->outcome.created);
	assert_int_equal(fetch_server_requests(bench->server), 2);	/* a document, and all */
	assert_non_null(told = strstr(bench->notes, "disk is full"));
	assert_null(strstr(told + 1, "disk is full"));
	assert_non_null(strstr(told, "as the test wants"));
	assert_non_null(strstr(told, ROOM_IS_THERE));
	assert_non_null(strstr(bench->stages, "indexing waiting for room resolving indexing"));
}

/* Meanwhile somebody else has written what we have: it is not written again. */
static void
sync__that_waited_for_room_looks_again_at_what_is_indexed(void **state)
{
	struct sync_bench *bench = *state;
	struct fake_repo *repo;

	bench->indexer.refuse_commit = "disk-full";
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	bench_start(bench, K256_DID);
	while (strstr(bench->notes, "disk is full") == NULL)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
	repo = bench_k256(bench);
	strcpy(repo->rev, "3zzzzzzzzzzz2");	/* later than ours */
	strcpy(repo->status, "active");
	bench->indexer.refuse_commit = NULL;
	assert_int_equal(bench_wait(bench)->result, SYNC_FAILED);
	assert_int_equal(bench->indexer.commits, 0);
	assert_string_equal(repo->rev, "3zzzzzzzzzzz2");
}

static void
sync__is_silent_when_the_indexer_goes(void **state)
{
	struct sync_bench *bench = *state;

	bench->indexer.is_silent = true;
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	bench_start(bench, K256_DID);
	while (bench->indexer.begins == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	channel_free(&bench->indexer.channel);
	while (bench->links_gone == 0)
		(void)ev_run(bench->loop, 0);
	bench_turn(bench);
	assert_int_equal(bench->dones, 0);
}

#define ENTRIES	10000	/* of 550 bytes: more than half of LIMIT_CHANNEL_QUEUE_BYTES */

/* More entries than the channel holds, each of which is to be deleted, while many
 * records are to be put: neither side may wait for the other for ever. */
static void
sync__keeps_going_when_both_directions_are_full(void **state)
{
	struct sync_bench *bench = *state;
	struct fake_repo *repo = bench_index_old_k256(bench);
	struct cid cid = { { 0x01, 0x71, 0x12, 0x20, 7 } };
	char path[600];

	for (int i = 0; i < ENTRIES; i++) {
		(void)snprintf(path, sizeof(path), "app.bsky.feed.post/%05d%0500d", i, 0);
		fake_records_put(&repo->records, str_from(path), &cid, 1);
	}
	bench_add_k256(bench);
	account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
	account_add_car(bench->server, "good-k256.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench->outcome.deleted, ENTRIES + 2);
	assert_int_equal(repo->records.count, GOOD_RECORDS);
}

/* --- cancelling --- */

static void
sync__can_be_cancelled_before_it_began(void **state)
{
	struct sync_bench *bench = *state;

	bench_start(bench, K256_DID);
	bench_cancel_now(bench);
	assert_int_equal(fetch_server_requests(bench->server), 0);
}

static void
sync__can_be_cancelled_while_it_resolves(void **state)
{
	struct sync_bench *bench = *state;

	bench_hang_at(bench, "/" K256_DID, "", 0);
	bench_start(bench, K256_DID);
	while (fetch_server_requests(bench->server) == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	bench_cancel_now(bench);
}

static void
sync__can_be_cancelled_while_it_claims(void **state)
{
	struct sync_bench *bench = *state;

	bench->indexer.is_silent = true;
	bench_add_k256(bench);
	bench_start(bench, K256_DID);
	while (bench->indexer.begins == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	bench_cancel_now(bench);
}

static void
sync__can_be_cancelled_while_it_compares(void **state)
{
	struct sync_bench *bench = *state;

	(void)bench_index_old_k256(bench);
	bench_add_k256(bench);
	bench_hang_at(bench, GET_LATEST, "", 0);
	bench_start(bench, K256_DID);
	while (fetch_server_requests(bench->server) < 2)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	bench_cancel_now(bench);
	assert_int_equal(bench->indexer.aborts, 1);
}

static void
sync__can_be_cancelled_while_it_fetches(void **state)
{
	struct sync_bench *bench = *state;
	struct buf car = account_read_car("good-k256.car"), part = BUF_INIT;

	buf_printf(&part, "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipld.car\r\n"
	    "Content-Length: %zu\r\n\r\n", buf_len(&car));
	buf_add(&part, buf_data(&car), 10000);
	bench_add_k256(bench);
	bench_hang_at(bench, GET_REPO, (const char *)buf_data(&part), buf_len(&part));
	bench_start(bench, K256_DID);
	while (bench->progress.bytes == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	bench_cancel_now(bench);
	buf_clear(&car);
	buf_clear(&part);
}

static void
sync__can_be_cancelled_as_any_stage_begins(void **state)
{
	static const char *const stages[] = {
		"fetching", "verifying", "indexing",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(stages); i++) {
		struct sync_bench *bench;

		(void)bench_tear_down(state);
		(void)bench_set_up(state);
		bench = *state;
		(void)bench_index_old_k256(bench);
		bench_add_k256(bench);
		account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
		account_add_car(bench->server, "good-k256.car");
		bench_start(bench, K256_DID);
		bench_cancel_at(bench, stages[i]);
		bench_cancel_now(bench);
		assert_int_equal(bench_k256(bench)->records.count, 2);
		assert_int_equal(bench->indexer.aborts, 1);
	}
}

/* The commit may be on its way to the disk: cancelling then is too late to undo
 * anything, but must not wait for the answer. */
static void
sync__can_be_cancelled_while_it_waits_for_the_ack(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	bench_start(bench, K256_DID);
	while (bench->progress.processed == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	bench->indexer.is_silent = true;
	while (bench->indexer.commits == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	sync_repo_cancel(&bench->sync);
	bench_turn(bench);
	assert_int_equal(bench->dones, 0);
	assert_int_equal(bench->indexer.aborts, 0);
}

static void
sync__can_be_cancelled_while_it_waits_for_a_claim(void **state)
{
	struct sync_bench *bench = *state;

	bench->indexer.busy = 100;
	bench_add_k256(bench);
	bench_start(bench, K256_DID);
	while (bench->indexer.begins == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	bench_turn(bench);
	bench_cancel_now(bench);
}

static const struct CMUnitTest sync_stop_tests[] = {
	B(sync__fails_with_the_class_of_what_the_server_did),
	B(sync__tries_a_transfer_again_that_was_cut),
	B(sync__gives_up_after_fetch_retries),
	B(sync__bounds_a_download_by_fetch_timeout_ms),
	B(sync__waits_for_a_429_as_long_as_it_says),
	B(sync__never_fails_for_a_429),
	B(sync__claims_again_while_another_has_it),
	B(sync__fails_when_the_indexer_refuses),
	B(sync__waits_for_room_on_the_disk),
	B(sync__that_waited_for_room_looks_again_at_what_is_indexed),
	B(sync__is_silent_when_the_indexer_goes),
	B(sync__keeps_going_when_both_directions_are_full),
	B(sync__can_be_cancelled_before_it_began),
	B(sync__can_be_cancelled_while_it_resolves),
	B(sync__can_be_cancelled_while_it_claims),
	B(sync__can_be_cancelled_while_it_compares),
	B(sync__can_be_cancelled_while_it_fetches),
	B(sync__can_be_cancelled_as_any_stage_begins),
	B(sync__can_be_cancelled_while_it_waits_for_the_ack),
	B(sync__can_be_cancelled_while_it_waits_for_a_claim),
};

UNIT_MAIN(sync_stop_tests)

/*
 * test_sync_bad.c - src/workers/sync_*.c, one repository from DID to ack, against a
 * scripted server and a fake indexer: what is refused, and what is asked for a
 * second time.
 */
#include "t/unit/sync_bench.h"

#include <stdio.h>
#include <string.h>

#include "common/limits.h"

/* --- bad repositories --- */

static void
sync__refuses_bad_repositories_without_a_commit(void **state)
{
	static const struct { const char *file, *class; } bad[] = {
		{ "bad-html.car", "invalid" },
		{ "bad-truncated-block.car", "Truncated" },
		{ "bad-overlong-varint.car", "BadBlock" },
		{ "bad-version2.car", "BadCar" },
		{ "bad-no-roots.car", "BadCar" },
		{ "bad-root-not-cid.car", "BadCar" },
		{ "bad-root-missing.car", "Incomplete" },
		{ "bad-record-missing.car", "Incomplete" },
		{ "bad-hash-mismatch.car", "BadBlock" },
		{ "bad-commit-version4.car", "BadCommit" },
		{ "bad-commit-no-sig.car", "BadCommit" },
		{ "bad-commit-rev-not-tid.car", "BadCommit" },
		{ "bad-commit-other-did.car", "BadCommit" },
		{ "bad-sig-high-s.car", "BadSignature" },
		{ "bad-sig-der.car", "BadSignature" },
		{ "bad-sig-wrong-key.car", "BadSignature" },
		{ "bad-key-no-slash.car", "BadTree" },
		{ "bad-key-space.car", "BadTree" },
		{ "mst-unsorted.car", "BadTree" },
		{ "mst-duplicate-key.car", "BadTree" },
		{ "mst-child-below-layer0.car", "BadTree" },
		{ "mst-pointer-only-top.car", "BadTree" },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++) {
		struct sync_bench *bench;

		(void)bench_tear_down(state);
		(void)bench_set_up(state);
		bench = *state;
		(void)bench_index_old_k256(bench);
		bench_add_k256(bench);
		account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
		account_add_car(bench->server, bad[i].file);
		bench_start(bench, K256_DID);
		bench_expect_failed(bench, bad[i].class);
		assert_int_equal(bench_k256(bench)->records.count, 2);
		bench_turn(bench);
		assert_int_equal(bench->indexer.aborts, 1);
	}
}

static void
sync__skips_a_bad_record_and_indexes_the_others(void **state)
{
	static const char *const files[] = {
		"rec-float.car", "rec-indefinite.car", "rec-unsorted.car",
		"rec-tag-not-42.car", "rec-bad-cid-prefix.car", "rec-bad-utf8.car",
		"rec-not-map.car", "rec-huge-claim.car", "rec-trailing.car",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(files); i++) {
		struct sync_bench *bench;
		const struct sync_outcome *outcome;

		(void)bench_tear_down(state);
		(void)bench_set_up(state);
		bench = *state;
		bench_add_k256(bench);
		account_add_car(bench->server, files[i]);
		outcome = bench_sync(bench, K256_DID);
		assert_int_equal(outcome->result, SYNC_DONE);
		assert_int_equal(outcome->progress.failed, 1);
		assert_int_equal(outcome->progress.processed, outcome->progress.total);
		assert_int_equal(bench->bad_records, 1);
		assert_null(fake_records_get(&bench_k256(bench)->records,
		    bench->bad_path));
		assert_int_equal(bench_k256(bench)->records.count,
		    outcome->progress.total - 1);
	}
}

/* An older version would be something that the account no longer says. */
static void
sync__deletes_the_older_version_of_a_record_that_is_bad_now(void **state)
{
	struct sync_bench *bench = *state;
	struct cid cid = { { 0x01, 0x71, 0x12, 0x20, 7 } };
	char path[512];

	bench_add_k256(bench);
	account_add_car(bench->server, "rec-float.car");
	account_add_latest(bench->server, "3mzzzzzzzzzzz", GOOD_COMMIT);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	(void)snprintf(path, sizeof(path), "%s", bench->bad_path);
	fake_records_put(&bench_k256(bench)->records, str_from(path), &cid, 1);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench->outcome.deleted, 1);
	assert_int_equal(bench->outcome.progress.failed, 1);
	assert_null(fake_records_get(&bench_k256(bench)->records, path));
}

static void
sync__fetches_once_more_when_a_block_is_missing(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	account_add_car(bench->server, "bad-record-missing.car");
	account_add_car(bench->server, "good-k256.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench_k256(bench)->records.count, GOOD_RECORDS);
	assert_non_null(strstr(bench->notes, "once more"));
	assert_int_equal(fetch_server_requests(bench->server), 3);
}

static void
sync__never_fetches_more_than_once_more(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	account_add_car(bench->server, "bad-record-missing.car");
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "Incomplete");
	assert_int_equal(fetch_server_requests(bench->server), 3);
}

static void
sync__refuses_a_revision_older_than_the_indexed_one(void **state)
{
	struct sync_bench *bench = *state;

	strcpy(bench_index_old_k256(bench)->rev, "3zaaaaaaaaaa2");
	bench_add_k256(bench);
	account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
	account_add_car(bench->server, "good-k256.car");
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "BadCommit");
}

/* Eight at a time that would each fill the index of blocks end the whole worker. */
static void
sync__shares_LIMIT_CAR_BLOCKS_as_it_shares_memory(void **state)
{
	struct sync_bench *bench = *state;

	sync_env_share(&bench->env, 8);
	assert_int_equal(bench->env.max_blocks, LIMIT_CAR_BLOCKS / 8);
	bench->env.max_blocks = 100;	/* the repository has more */
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "TooLarge");
}

static void
sync__refuses_a_repository_over_repo_max_bytes(void **state)
{
	struct sync_bench *bench = *state;

	bench->settings.repo_max_bytes = 20000;
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	bench_start(bench, K256_DID);
	(void)bench_wait(bench);
	assert_int_equal(bench->outcome.result, SYNC_FAILED);
	assert_int_equal(bench->indexer.commits, 0);
}

/* --- keys and moves --- */

static void
sync__asks_for_the_document_again_when_the_signature_does_not_fit(void **state)
{
	struct sync_bench *bench = *state;

	account_add(bench->server, K256_DID, P256_KEY);
	account_add(bench->server, K256_DID, K256_KEY);
	account_add_car(bench->server, "good-k256.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	/* The repository is not fetched again for it. */
	assert_int_equal(fetch_server_requests(bench->server), 3);
}

static void
sync__asks_for_the_document_again_only_once(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	account_add_car(bench->server, "bad-sig-wrong-key.car");
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "BadSignature");
	assert_int_equal(fetch_server_requests(bench->server), 3);
}

static void
sync__follows_an_account_that_moved_meanwhile(void **state)
{
	struct sync_bench *bench = *state;
	char pds[128];

	/* "localhost" and "127.0.0.1" are two servers to everybody but us. */
	(void)snprintf(pds, sizeof(pds), "http://localhost:%u",
	    fetch_server_port(bench->server));
	account_add(bench->server, K256_DID, P256_KEY);
	account_add_document(bench->server, K256_DID, pds, K256_KEY);
	account_add_car(bench->server, "good-k256.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_string_equal(bench_k256(bench)->pds_url, pds);
	assert_non_null(strstr(bench->notes, "has moved"));
	assert_int_equal(fetch_server_requests(bench->server), 4);
}

static void
sync__fails_for_a_document_without_server_or_key(void **state)
{
	struct sync_bench *bench = *state;

	fetch_server_serve(bench->server, "/" K256_DID, "200 OK", "application/json",
	    "{\"id\":\"" K256_DID "\"}", strlen("{\"id\":\"" K256_DID "\"}"));
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "no-server");

	account_add_document(bench->server, P256_DID, fetch_server_origin(bench->server), "zz");
	bench_start(bench, P256_DID);
	bench_expect_failed(bench, "no-key");
	assert_int_equal(bench->indexer.begins, 0);
}

static const struct CMUnitTest sync_bad_tests[] = {
	B(sync__refuses_bad_repositories_without_a_commit),
	B(sync__skips_a_bad_record_and_indexes_the_others),
	B(sync__deletes_the_older_version_of_a_record_that_is_bad_now),
	B(sync__fetches_once_more_when_a_block_is_missing),
	B(sync__never_fetches_more_than_once_more),
	B(sync__refuses_a_revision_older_than_the_indexed_one),
	B(sync__shares_LIMIT_CAR_BLOCKS_as_it_shares_memory),
	B(sync__refuses_a_repository_over_repo_max_bytes),
	B(sync__asks_for_the_document_again_when_the_signature_does_not_fit),
	B(sync__asks_for_the_document_again_only_once),
	B(sync__follows_an_account_that_moved_meanwhile),
	B(sync__fails_for_a_document_without_server_or_key),
};

UNIT_MAIN(sync_bad_tests)

/*
 * test_sync_repo.c - src/workers/sync_*.c, one repository from DID to ack, against a
 * scripted server and a fake indexer: good repositories and the states of
 * accounts.
 */
#include "t/unit/sync_bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- good repositories --- */

static void
sync__indexes_good_repositories_of_every_form(void **state)
{
	static const struct { const char *file, *did, *key; } good[] = {
		{ "good-k256.car", K256_DID, K256_KEY },
		{ "good-preorder.car", K256_DID, K256_KEY },
		{ "good-duplicate-blocks.car", K256_DID, K256_KEY },
		{ "good-unlinked-block.car", K256_DID, K256_KEY },
		{ "good-unknown-commit-field.car", K256_DID, K256_KEY },
		{ "mst-good-empty-intermediate.car", K256_DID, K256_KEY },
		{ "good-p256.car", P256_DID, P256_KEY },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(good); i++) {
		struct sync_bench *bench;
		const struct sync_outcome *outcome;
		struct fake_repo *repo;

		(void)bench_tear_down(state);
		(void)bench_set_up(state);
		bench = *state;
		account_add(bench->server, good[i].did, good[i].key);
		account_add_car(bench->server, good[i].file);
		outcome = bench_sync(bench, good[i].did);
		assert_string_equal(outcome->error_text, "");
		assert_int_equal(outcome->result, SYNC_DONE);
		repo = fake_indexer_repo(&bench->indexer, good[i].did);
		assert_true(repo->records.count > 0);
		assert_int_equal(outcome->created, repo->records.count);
		assert_int_equal(outcome->progress.processed, repo->records.count);
		assert_int_equal(outcome->progress.total, repo->records.count);
		assert_int_equal(bench->indexer.puts, repo->records.count);
		assert_int_equal(bench->indexer.bad_cids, 0);
		assert_string_equal(repo->rev, outcome->rev);
		assert_string_equal(repo->status, "active");
		assert_string_equal(repo->pds_url, fetch_server_origin(bench->server));
		assert_string_equal(bench->stages,
		    "resolving fetching verifying indexing ");
	}
}

static void
sync__takes_revision_and_cids_from_the_commit(void **state)
{
	struct sync_bench *bench = *state;
	struct fake_repo *repo;
	struct cid cid;

	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	repo = bench_k256(bench);
	assert_string_equal(repo->rev, GOOD_REV);
	assert_int_equal(repo->records.count, GOOD_RECORDS);
	assert_int_equal(cid_parse(STR(GOOD_COMMIT), &cid), 0);
	assert_true(cid_eq(&repo->commit, &cid));
	assert_int_equal(bench->outcome.progress.bytes, 30022);
	/* Nothing was indexed, so nothing is asked: document and repository. */
	assert_int_equal(fetch_server_requests(bench->server), 2);
	assert_int_equal(bench->indexer.scans, 0);
}

static void
sync__indexes_an_empty_repository(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	account_add_car(bench->server, "good-empty.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench->indexer.commits, 1);
	assert_int_equal(bench_k256(bench)->records.count, 0);
	assert_string_equal(bench_k256(bench)->rev, GOOD_REV);
}

static void
sync__does_not_fetch_a_repository_that_has_not_moved(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_UNCHANGED);
	assert_string_equal(bench->outcome.rev, GOOD_REV);
	assert_int_equal(bench->outcome.progress.processed, 0);
	assert_int_equal(fetch_server_requests(bench->server), 4);
	bench_turn(bench);
	assert_int_equal(bench->indexer.commits, 1);
	assert_int_equal(bench->indexer.aborts, 1);	/* the claim is given back */
}

/* The same revision with another commit is a repository that was forked. */
static void
sync__fetches_when_the_commit_differs_at_the_same_revision(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	account_add_latest(bench->server, GOOD_REV,
	    "bafyreihyytygaobgawe7aqhkwh6ekwzoytfpxo4skvx5vu4rsr6jaowpda");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench->outcome.created, 0);
	assert_int_equal(bench->outcome.progress.processed, GOOD_RECORDS);
}

static void
sync__brings_an_older_index_up_to_date(void **state)
{
	struct sync_bench *bench = *state;
	struct cid other = { { 0x01, 0x71, 0x12, 0x20, 9 } };
	const struct sync_outcome *outcome;
	struct fake_records wanted;
	struct fake_repo *repo;
	char first[512];

	/* What it should become is known from a sync into nothing. */
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	repo = bench_k256(bench);
	wanted = repo->records;
	repo->records = (struct fake_records){ 0 };

	(void)bench_index_old_k256(bench);
	(void)snprintf(first, sizeof(first), "%s", wanted.items[0].path);
	fake_records_put(&repo->records, str_from(first), &other, 1);
	fake_records_put(&repo->records, str_from(wanted.items[1].path),
	    &wanted.items[1].cid, wanted.items[1].bytes);
	outcome = bench_sync(bench, K256_DID);
	assert_int_equal(outcome->result, SYNC_DONE);
	assert_int_equal(outcome->created, GOOD_RECORDS - 2);
	assert_int_equal(outcome->updated, 1);
	assert_int_equal(outcome->deleted, 2);
	assert_int_equal(outcome->progress.processed, GOOD_RECORDS);
	assert_int_equal(repo->records.count, wanted.count);
	for (size_t i = 0; i < wanted.count; i++) {
		assert_string_equal(repo->records.items[i].path, wanted.items[i].path);
		assert_true(cid_eq(&repo->records.items[i].cid, &wanted.items[i].cid));
	}
	fake_records_clear(&wanted);
	/* What was there already is not sent again. */
	assert_int_equal(bench->indexer.puts, GOOD_RECORDS + GOOD_RECORDS - 1);
}

static void
sync__keeps_only_wanted_collections(void **state)
{
	struct sync_bench *bench = *state;
	const struct sync_outcome *outcome;
	struct fake_repo *repo = bench_index_old_k256(bench);

	bench_set(bench, "collections", "app.bsky.graph.* app.bsky.actor.profile");
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
	outcome = bench_sync(bench, K256_DID);
	assert_int_equal(outcome->result, SYNC_DONE);
	assert_true(repo->records.count > 0 && repo->records.count < GOOD_RECORDS);
	for (size_t i = 0; i < repo->records.count; i++)
		assert_true(str_starts_with(str_from(repo->records.items[i].path),
		    STR("app.bsky.graph.")) ||
		    str_starts_with(str_from(repo->records.items[i].path),
		    STR("app.bsky.actor.profile/")));
	assert_int_equal(outcome->deleted, 2);
	assert_int_equal(outcome->progress.total, repo->records.count);
	assert_int_equal(outcome->progress.processed, repo->records.count);
}

static void
sync__notices_another_list_of_collections_though_nothing_has_changed(void **state)
{
	struct sync_bench *bench = *state;
	struct fake_repo *repo;
	size_t wanted;

	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
	bench_set(bench, "collections", "app.bsky.graph.*");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	repo = bench_k256(bench);
	wanted = repo->records.count;
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_UNCHANGED);

	bench_set(bench, "collections", "*");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(repo->records.count, GOOD_RECORDS);
	assert_int_equal(bench->outcome.created, GOOD_RECORDS - wanted);

	bench_set(bench, "collections", "app.bsky.graph.*");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(repo->records.count, wanted);
	assert_int_equal(bench->outcome.deleted, GOOD_RECORDS - wanted);
}

static void
sync__spills_what_is_over_its_memory(void **state)
{
	struct sync_bench *bench = *state;
	struct stat st;

	bench->env.memory_bytes = 4096;
	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench_k256(bench)->records.count, GOOD_RECORDS);
	assert_int_equal(bench->indexer.bad_cids, 0);
	assert_int_equal(fstat(bench->spill_fd, &st), 0);
	assert_true(st.st_size > 20000);
}

static void
sync__runs_many_at_once_over_one_link(void **state)
{
	struct sync_bench *bench = *state;
	struct buf p256 = account_read_car("good-p256.car");

	/* The second repository is answered after the first. */
	bench_add_k256(bench);
	account_add(bench->server, P256_DID, P256_KEY);
	account_add_car(bench->server, "good-k256.car");
	fetch_server_serve(bench->server, GET_REPO, "200 OK", "application/vnd.ipld.car",
	    buf_data(&p256), buf_len(&p256));
	bench_start(bench, K256_DID);
	while (bench->progress.bytes == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	bench->spill_fd = dup(bench->spill_fd);
	bench_start(bench, P256_DID);
	while (bench->dones < 2)
		(void)ev_run(bench->loop, 0);
	assert_int_equal(bench->indexer.commits, 2);
	assert_int_equal(bench_k256(bench)->records.count, GOOD_RECORDS);
	assert_true(fake_indexer_repo(&bench->indexer, P256_DID)->records.count > 0);
	buf_clear(&p256);
}

/* --- account states --- */

static void
sync__writes_an_inactive_account_as_its_status(void **state)
{
	static const struct { const char *error, *status; } states[] = {
		{ "RepoDeactivated", "deactivated" },
		{ "RepoTakendown", "takendown" },
		{ "RepoSuspended", "suspended" },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(states); i++) {
		struct sync_bench *bench;
		struct fake_repo *repo;

		(void)bench_tear_down(state);
		(void)bench_set_up(state);
		bench = *state;
		repo = bench_index_old_k256(bench);
		bench_add_k256(bench);
		account_add_error(bench->server, GET_LATEST, "400 Bad Request", states[i].error);
		assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_INACTIVE);
		assert_string_equal(bench->outcome.status, states[i].status);
		assert_string_equal(repo->status, states[i].status);
		/* The records stay, and what they were proved by. */
		assert_string_equal(repo->rev, "3kaaaaaaaaaa2");
		assert_true(repo->has_cids);
		assert_int_equal(repo->records.count, 2);
	}
}

static void
sync__learns_of_a_new_inactive_account_from_get_repo(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	account_add_error(bench->server, GET_REPO, "400 Bad Request", "RepoTakendown");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_INACTIVE);
	assert_string_equal(bench_k256(bench)->status, "takendown");
	assert_string_equal(bench_k256(bench)->rev, "");
}

static void
sync__purges_a_deleted_account(void **state)
{
	struct sync_bench *bench = *state;
	struct fake_repo *repo = bench_index_old_k256(bench);

	bench_add_k256(bench);
	account_add_error(bench->server, GET_LATEST, "400 Bad Request", "RepoNotFound");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_INACTIVE);
	assert_string_equal(bench->outcome.status, "deleted");
	assert_int_equal(bench->outcome.deleted, 2);
	assert_string_equal(repo->status, "deleted");
	assert_string_equal(repo->rev, "");
	assert_int_equal(repo->records.count, 0);
}

static void
sync__purges_an_account_whose_did_is_tombstoned(void **state)
{
	struct sync_bench *bench = *state;
	struct fake_repo *repo = bench_index_old_k256(bench);

	account_add_error(bench->server, "/" K256_DID, "410 Gone", "x");
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_INACTIVE);
	assert_string_equal(repo->status, "deleted");
	assert_int_equal(repo->records.count, 0);
	assert_int_equal(fetch_server_requests(bench->server), 1);
}

/* A directory that has lost its data must not empty the index. */
static void
sync__purges_nothing_for_a_did_that_the_directory_does_not_know(void **state)
{
	struct sync_bench *bench = *state;

	(void)bench_index_old_k256(bench);
	account_add_error(bench->server, "/" K256_DID, "404 Not Found", "x");
	bench_start(bench, K256_DID);
	bench_expect_failed(bench, "not-found");
	assert_int_equal(bench_k256(bench)->records.count, 2);
}

/* Nor must a proxy in front of a PDS that has lost its way. */
static void
sync__purges_nothing_for_a_404_that_is_not_the_servers_own_word(void **state)
{
	struct sync_bench *bench = *state;

	(void)bench_index_old_k256(bench);
	bench_add_k256(bench);
	fetch_server_serve(bench->server, GET_LATEST, "404 Not Found", "text/html",
	    "<h1>nginx</h1>", 14);
	bench_start(bench, K256_DID);
	(void)bench_wait(bench);
	assert_int_equal(bench->outcome.result, SYNC_FAILED);
	assert_int_equal(bench_k256(bench)->records.count, 2);
}

static void
sync__revives_an_account_that_came_back_as_it_was(void **state)
{
	struct sync_bench *bench = *state;

	bench_add_k256(bench);
	account_add_car(bench->server, "good-k256.car");
	account_add_error(bench->server, GET_LATEST, "400 Bad Request", "RepoDeactivated");
	account_add_latest(bench->server, GOOD_REV, GOOD_COMMIT);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_DONE);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_INACTIVE);
	assert_int_equal(bench_sync(bench, K256_DID)->result, SYNC_UNCHANGED);
	assert_string_equal(bench_k256(bench)->status, "active");
	assert_int_equal(bench_k256(bench)->records.count, GOOD_RECORDS);
	assert_int_equal(bench->indexer.puts, GOOD_RECORDS);
}

static const struct CMUnitTest sync_repo_tests[] = {
	B(sync__indexes_good_repositories_of_every_form),
	B(sync__takes_revision_and_cids_from_the_commit),
	B(sync__indexes_an_empty_repository),
	B(sync__does_not_fetch_a_repository_that_has_not_moved),
	B(sync__fetches_when_the_commit_differs_at_the_same_revision),
	B(sync__brings_an_older_index_up_to_date),
	B(sync__keeps_only_wanted_collections),
	B(sync__notices_another_list_of_collections_though_nothing_has_changed),
	B(sync__spills_what_is_over_its_memory),
	B(sync__runs_many_at_once_over_one_link),
	B(sync__writes_an_inactive_account_as_its_status),
	B(sync__learns_of_a_new_inactive_account_from_get_repo),
	B(sync__purges_a_deleted_account),
	B(sync__purges_an_account_whose_did_is_tombstoned),
	B(sync__purges_nothing_for_a_did_that_the_directory_does_not_know),
	B(sync__purges_nothing_for_a_404_that_is_not_the_servers_own_word),
	B(sync__revives_an_account_that_came_back_as_it_was),
};

UNIT_MAIN(sync_repo_tests)

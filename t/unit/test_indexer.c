/*
 * test_indexer.c - backfill-indexer as workers and readers know it.
 */
#include "t/unit/indexer_unit.h"

#include <signal.h>

#include "common/limits.h"
#include "proto/fdlayout.h"

#define DID	"did:plc:alice"
#define OTHER	"did:web:bob.example"

static struct msg
abort_lane(uint64_t lane)
{
	return (struct msg){ .type = MSG_TYPE_ABORT, .abort = { .lane = lane } };
}

static void
assert_ack(struct client *peer, uint64_t lane, uint64_t created, uint64_t updated,
    uint64_t deleted)
{
	struct msg msg = peer_hear(peer, MSG_TYPE_ACK);

	assert_int_equal(msg.ack.lane, lane);
	assert_int_equal(msg.ack.created, created);
	assert_int_equal(msg.ack.updated, updated);
	assert_int_equal(msg.ack.deleted, deleted);
}

/* One repository with records a/0 .. a/<count - 1> of a version. */
static void
fill(struct client *peer, const char *did, unsigned count, uint32_t version)
{
	open_lane(peer, 9, did);
	for (unsigned i = 0; i < count; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "a/%06u", i);
		say_put(peer, 9, path, version, 10);
	}
	say_commit(peer, 9, "rev1");
	(void)peer_hear(peer, MSG_TYPE_ACK);
}

static void
assert_entries(struct client *peer, uint64_t lane, const char *const *paths)
{
	struct msg msg;

	say_scan(peer, lane);
	for (; *paths != NULL; paths++) {
		msg = peer_hear(peer, MSG_TYPE_ENTRY);
		assert_int_equal(msg.entry.lane, lane);
		assert_true(str_eq(msg.entry.path, str_from(*paths)));
		assert_int_equal(msg.entry.cid.len, 36);
	}
	msg = peer_hear(peer, MSG_TYPE_END);
	assert_int_equal(msg.end.lane, lane);
}

static void
indexer__commits_puts_and_deletes_and_tells_what_changed(void **state)
{
	static const char *const before[] = { "a/1", "a/2", "b/1", NULL };
	static const char *const after[] = { "a/2", "b/1", "c/1", NULL };
	struct client worker;
	struct msg msg;

	peer_attach(*state, &worker, "3migo7fijwi2k", true);
	say_begin(&worker, 5, DID);
	msg = peer_hear(&worker, MSG_TYPE_STATE);
	assert_int_equal(msg.state.lane, 5);
	assert_false(msg.state.is_known);
	assert_entries(&worker, 5, (const char *const[]){ NULL });
	say_put(&worker, 5, "b/1", 1, 100);
	say_put(&worker, 5, "a/2", 1, 1);
	say_put(&worker, 5, "a/1", 1, 5000);
	say_commit(&worker, 5, "rev1");
	assert_ack(&worker, 5, 3, 0, 0);

	say_begin(&worker, 5, DID);
	msg = peer_hear(&worker, MSG_TYPE_STATE);
	assert_true(msg.state.is_known);
	assert_true(str_eq(msg.state.rev, STR("rev1")));
	assert_true(str_eq(msg.state.pds_url, STR("https://pds.example")));
	assert_true(str_eq(msg.state.status, STR("active")));
	assert_int_equal(msg.state.records, 3);
	assert_int_equal(msg.state.commit_cid.len, 36);
	assert_true(msg.state.synced_ms > 0);
	assert_entries(&worker, 5, before);
	say_put(&worker, 5, "c/1", 2, 10);
	say_put(&worker, 5, "a/2", 2, 10);
	say_put(&worker, 5, "b/1", 1, 100);
	say_delete(&worker, 5, "a/1");
	say_delete(&worker, 5, "never/there");
	say_commit(&worker, 5, "rev2");
	assert_ack(&worker, 5, 1, 1, 1);

	open_lane(&worker, 6, DID);
	assert_entries(&worker, 6, after);
	client_clear(&worker);
}

static void
indexer__shows_nothing_before_commit_and_nothing_of_an_abort(void **state)
{
	static const char *const only[] = { "a/000000", NULL };
	struct client worker, reader;

	peer_attach(*state, &worker, "op", true);
	peer_attach(*state, &reader, "", false);
	fill(&worker, DID, 1, 1);
	open_lane(&worker, 1, DID);
	say_put(&worker, 1, "a/new", 2, 10);
	say_delete(&worker, 1, "a/000000");
	assert_entries(&worker, 1, only);
	peer_say(&worker, abort_lane(1));
	open_lane(&worker, 1, DID);
	assert_entries(&worker, 1, only);
	client_clear(&worker);
	client_clear(&reader);
}

static void
indexer__drops_what_a_dead_worker_had_staged(void **state)
{
	static const char *const only[] = { "a/000000", NULL };
	struct client worker;

	peer_attach(*state, &worker, "op1", true);
	fill(&worker, DID, 1, 1);
	open_lane(&worker, 1, DID);
	say_put(&worker, 1, "a/new", 2, 10);
	client_clear(&worker);

	peer_attach(*state, &worker, "op2", true);
	for (bool is_busy = true; is_busy;) {
		say_begin(&worker, 1, DID);
		is_busy = peer_hear(&worker, MSG_TYPE_STATE).state.is_busy;
	}
	assert_entries(&worker, 1, only);
	client_clear(&worker);
}

static void
indexer__gives_a_repository_to_one_lane_at_a_time(void **state)
{
	struct client one, two;
	struct msg msg;

	peer_attach(*state, &one, "op1", true);
	peer_attach(*state, &two, "op2", true);
	open_lane(&one, 1, DID);
	say_begin(&two, 1, DID);
	msg = peer_hear(&two, MSG_TYPE_STATE);
	assert_true(msg.state.is_busy);
	assert_false(msg.state.is_known);
	say_begin(&one, 2, DID);
	assert_true(peer_hear(&one, MSG_TYPE_STATE).state.is_busy);

	/* The lane of a busy answer is free, and other repositories are. */
	open_lane(&two, 1, OTHER);
	say_put(&one, 1, "a/1", 1, 1);
	say_commit(&one, 1, "rev");
	assert_ack(&one, 1, 1, 0, 0);
	open_lane(&two, 2, DID);
	client_clear(&one);
	client_clear(&two);
}

static void
indexer__keeps_many_lanes_of_many_workers_apart(void **state)
{
	enum { WORKERS = 3, LANES = 60, RECORDS = 20 };
	struct client workers[WORKERS];
	char did[64], path[32];

	for (int w = 0; w < WORKERS; w++) {
		peer_attach(*state, &workers[w], "op", true);
		for (int lane = 0; lane < LANES; lane++) {
			(void)snprintf(did, sizeof(did), "did:plc:%d-%d", w, lane);
			open_lane(&workers[w], (uint64_t)lane, did);
		}
	}
	for (int r = 0; r < RECORDS; r++) {
		(void)snprintf(path, sizeof(path), "a/%d", r);
		for (int lane = 0; lane < LANES; lane++)
			for (int w = 0; w < WORKERS; w++)
				say_put(&workers[w], (uint64_t)lane, path,
				    (uint32_t)(w * LANES + lane), 50);
	}
	for (int lane = 0; lane < LANES; lane++)
		for (int w = 0; w < WORKERS; w++)
			say_commit(&workers[w], (uint64_t)lane, "rev");
	for (int w = 0; w < WORKERS; w++)
		for (int lane = 0; lane < LANES; lane++)
			assert_ack(&workers[w], (uint64_t)lane, RECORDS, 0, 0);
	for (int lane = 0; lane < LANES; lane++) {
		(void)snprintf(did, sizeof(did), "did:plc:1-%d", lane);
		open_lane(&workers[0], (uint64_t)lane, did);
		say_scan(&workers[0], (uint64_t)lane);
		for (int r = 0; r < RECORDS; r++)
			assert_int_equal(version_of(peer_hear(&workers[0],
			    MSG_TYPE_ENTRY).entry.cid), LANES + lane);
		(void)peer_hear(&workers[0], MSG_TYPE_END);
	}
	for (int w = 0; w < WORKERS; w++)
		client_clear(&workers[w]);
}

static void
indexer__takes_a_repository_that_does_not_fit_into_memory(void **state)
{
	enum { RECORDS = 40, BYTES = 200000 };
	struct client worker, reader;
	char path[32];
	struct msg msg;

	peer_attach(*state, &worker, "op", true);
	open_lane(&worker, 1, DID);
	for (uint32_t i = 0; i < RECORDS; i++) {
		(void)snprintf(path, sizeof(path), "a/%02u", i);
		say_put(&worker, 1, path, i, BYTES);
	}
	say_put(&worker, 1, "b/most", 7, LIMIT_RECORD_BYTES);
	say_commit(&worker, 1, "rev");
	assert_ack(&worker, 1, RECORDS + 1, 0, 0);

	peer_attach(*state, &reader, "", false);
	peer_say(&reader, (struct msg){ .type = MSG_TYPE_RECORDS,
	    .records = { .lane = 3, .did = STR(DID) } });
	for (uint32_t i = 0; i <= RECORDS; i++) {
		msg = peer_hear(&reader, MSG_TYPE_RECORD);
		assert_int_equal(msg.record.lane, 3);
		assert_true(str_eq(msg.record.did, STR(DID)));
		assert_int_equal(msg.record.record.len, i < RECORDS ? BYTES :
		    LIMIT_RECORD_BYTES);
		assert_true(is_record_of(msg.record.record, i < RECORDS ? i : 7));
	}
	assert_int_equal(peer_hear(&reader, MSG_TYPE_END).end.lane, 3);
	client_clear(&worker);
	client_clear(&reader);
}

/* --- readers --- */

static void
assert_records(struct client *reader, const char *did, const char *collection,
    const char *expected)
{
	struct buf seen = BUF_INIT;
	struct msg msg;
	struct err err;

	peer_say(reader, (struct msg){ .type = MSG_TYPE_RECORDS, .records = { .lane = 1,
	    .did = str_from(did), .collection = str_from(collection) } });
	while (client_receive(reader, 20000, &msg, &err) == 0 &&
	    msg.type == MSG_TYPE_RECORD)
		buf_printf(&seen, "%.*s ", STR_FMT(msg.record.path));
	assert_int_equal(msg.type, MSG_TYPE_END);
	buf_add_byte(&seen, '\0');
	assert_string_equal((char *)buf_data(&seen), expected);
	buf_clear(&seen);
}

static void
indexer__answers_readers_by_repository_and_collection(void **state)
{
	struct client worker, reader;
	struct msg msg;

	peer_attach(*state, &worker, "op", true);
	peer_attach(*state, &reader, "", false);
	assert_records(&reader, "", "", "");
	open_lane(&worker, 1, DID);
	say_put(&worker, 1, "pub.chive.eprint/1", 1, 5);
	say_put(&worker, 1, "pub.chive.eprintx/2", 1, 5);
	say_put(&worker, 1, "app.bsky.post/3", 1, 5);
	say_commit(&worker, 1, "rev");
	(void)peer_hear(&worker, MSG_TYPE_ACK);
	open_lane(&worker, 1, OTHER);
	say_put(&worker, 1, "pub.chive.eprint/4", 1, 5);
	say_commit(&worker, 1, "rev");
	(void)peer_hear(&worker, MSG_TYPE_ACK);

	assert_records(&reader, DID, "", "app.bsky.post/3 pub.chive.eprint/1 "
	    "pub.chive.eprintx/2 ");
	assert_records(&reader, DID, "pub.chive.eprint", "pub.chive.eprint/1 ");
	assert_records(&reader, DID, "pub.chive.*", "pub.chive.eprint/1 "
	    "pub.chive.eprintx/2 ");
	assert_records(&reader, "", "pub.chive.eprint", "pub.chive.eprint/1 "
	    "pub.chive.eprint/4 ");
	assert_records(&reader, "", "*", "app.bsky.post/3 pub.chive.eprint/1 "
	    "pub.chive.eprintx/2 pub.chive.eprint/4 ");
	assert_records(&reader, OTHER, "app.bsky.post", "");

	peer_say(&reader, (struct msg){ .type = MSG_TYPE_RECORDS, .records = { .lane = 8,
	    .did = STR("did:plc:nobody") } });
	msg = peer_hear(&reader, MSG_TYPE_REFUSE);
	assert_int_equal(msg.refuse.lane, 8);
	assert_true(str_eq(msg.refuse.class, STR("not-found")));
	client_clear(&worker);
	client_clear(&reader);
}

static void
indexer__tells_readers_of_its_repositories(void **state)
{
	struct client worker, reader;
	struct msg msg;

	peer_attach(*state, &worker, "op", true);
	peer_attach(*state, &reader, "", false);
	fill(&worker, DID, 3, 1);
	fill(&worker, OTHER, 4, 1);
	peer_say(&reader, (struct msg){ .type = MSG_TYPE_REPOS, .repos = { .lane = 2 } });
	msg = peer_hear(&reader, MSG_TYPE_REPO);
	assert_true(str_eq(msg.repo.did, STR(DID)));
	assert_int_equal(msg.repo.records, 3);
	msg = peer_hear(&reader, MSG_TYPE_REPO);
	assert_true(str_eq(msg.repo.did, STR(OTHER)));
	assert_true(str_eq(msg.repo.rev, STR("rev1")));
	(void)peer_hear(&reader, MSG_TYPE_END);

	peer_say(&reader, (struct msg){ .type = MSG_TYPE_REPOS,
	    .repos = { .lane = 2, .did = STR(OTHER) } });
	assert_int_equal(peer_hear(&reader, MSG_TYPE_REPO).repo.records, 4);
	(void)peer_hear(&reader, MSG_TYPE_END);
	peer_say(&reader, (struct msg){ .type = MSG_TYPE_REPOS,
	    .repos = { .lane = 2, .did = STR("did:plc:nobody") } });
	(void)peer_hear(&reader, MSG_TYPE_END);
	client_clear(&worker);
	client_clear(&reader);
}

static void
indexer__serves_others_while_a_reader_does_not_read(void **state)
{
	enum { RECORDS = 6000 };	/* 12 MB: more than queue and sockets hold */
	struct client worker, slow;
	char path[32];
	struct msg msg;

	peer_attach(*state, &worker, "op", true);
	peer_attach(*state, &slow, "", false);
	open_lane(&worker, 1, DID);
	for (uint32_t i = 0; i < RECORDS; i++) {
		(void)snprintf(path, sizeof(path), "a/%06u", i);
		say_put(&worker, 1, path, i, 2000);
	}
	say_commit(&worker, 1, "rev");
	assert_ack(&worker, 1, RECORDS, 0, 0);
	peer_say(&slow, (struct msg){ .type = MSG_TYPE_RECORDS, .records = { .lane = 1 } });
	(void)peer_hear(&slow, MSG_TYPE_RECORD);
	for (int i = 0; i < 20; i++)
		fill(&worker, OTHER, 3, (uint32_t)i + 1);
	for (uint32_t i = 1; i < RECORDS; i++) {
		msg = peer_hear(&slow, MSG_TYPE_RECORD);
		assert_int_equal(version_of(msg.record.cid), i);
	}
	for (int i = 0; i < 3; i++)
		(void)peer_hear(&slow, MSG_TYPE_RECORD);
	(void)peer_hear(&slow, MSG_TYPE_END);
	client_clear(&worker);
	client_clear(&slow);
}

static const struct CMUnitTest indexer[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)
	TEST(indexer__commits_puts_and_deletes_and_tells_what_changed),
	TEST(indexer__shows_nothing_before_commit_and_nothing_of_an_abort),
	TEST(indexer__drops_what_a_dead_worker_had_staged),
	TEST(indexer__gives_a_repository_to_one_lane_at_a_time),
	TEST(indexer__keeps_many_lanes_of_many_workers_apart),
	TEST(indexer__takes_a_repository_that_does_not_fit_into_memory),
	TEST(indexer__answers_readers_by_repository_and_collection),
	TEST(indexer__tells_readers_of_its_repositories),
	TEST(indexer__serves_others_while_a_reader_does_not_read),
};

UNIT_MAIN(indexer)

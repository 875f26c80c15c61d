/*
 * test_indexer_asks.c - questions to the index: looks, walks and their limits, and
 * what crosses a refusal.
 */
#include "t/unit/indexer_unit.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "store/records_internal.h"

#define DID	"did:plc:alice"
#define OP	"3migo7fijwi2k"
#define TABLE	ROWS_TABLE

static void
indexer__looks_at_a_repository_that_another_has_claimed(void **state)
{
	struct client worker, other;
	struct msg msg;

	peer_attach(*state, &worker, "one", true);
	peer_attach(*state, &other, "two", true);
	open_lane(&worker, 1, DID);
	say_put(&worker, 1, "a/b", 1, 5);
	for (int round = 0; round < 2; round++) {
		peer_say(&other, (struct msg){ .type = MSG_TYPE_LOOK,
		    .look = { .lane = 3, .did = STR(DID) } });
		msg = peer_hear(&other, MSG_TYPE_STATE);
		assert_false(msg.state.is_busy);
		assert_int_equal(msg.state.is_known, round == 1);
		if (round == 1)
			break;
		say_commit(&worker, 1, "rev1");
		(void)peer_hear(&worker, MSG_TYPE_ACK);
		open_lane(&worker, 1, DID);
	}
	assert_true(str_eq(msg.state.rev, STR("rev1")));
	assert_int_equal(msg.state.records, 1);
	assert_true(msg.state.id > 0);
	assert_true(msg.state.checked_ms == msg.state.synced_ms);
	client_clear(&worker);
	client_clear(&other);
}

/* --- walks --- */

/* "alice a/0, bob a/1": one page of records. */
static void
assert_records(struct client *peer, const struct msg_records *ask, const char *expected)
{
	struct buf got = BUF_INIT;
	struct msg msg;
	struct err err;

	peer_say(peer, (struct msg){ .type = MSG_TYPE_RECORDS, .records = *ask });
	for (;;) {
		assert_int_equal(client_receive(peer, 60000, &msg, &err), 0);
		if (msg.type != MSG_TYPE_RECORD)
			break;
		buf_printf(&got, "%s%.*s %.*s", buf_len(&got) > 0 ? ", " : "",
		    (int)msg.record.did.len - 8, msg.record.did.ptr + 8,
		    STR_FMT(msg.record.path));
	}
	assert_int_equal(msg.type, MSG_TYPE_END);
	buf_add_byte(&got, '\0');
	assert_string_equal((const char *)buf_data(&got), expected);
	buf_clear(&got);
}

static void
indexer__goes_on_with_records_behind_any_of_them(void **state)
{
	struct client worker;

	peer_attach(*state, &worker, OP, true);
	say_repo(&worker, "did:plc:alice", 2);
	say_repo(&worker, "did:plc:bob", 2);
	assert_records(&worker, &(struct msg_records){ .lane = 1, .limit = 3 },
	    "alice a/0, alice a/1, bob a/0");
	assert_records(&worker, &(struct msg_records){ .lane = 1, .limit = 2,
	    .after_did = STR("did:plc:alice"), .after_path = STR("a/0") },
	    "alice a/1, bob a/0");
	/* A record that is gone, a repository from its start, its last one. */
	assert_records(&worker, &(struct msg_records){ .lane = 1,
	    .after_did = STR("did:plc:alice"), .after_path = STR("a/00") },
	    "alice a/1, bob a/0, bob a/1");
	assert_records(&worker, &(struct msg_records){ .lane = 1,
	    .after_did = STR("did:plc:bob") }, "bob a/0, bob a/1");
	assert_records(&worker, &(struct msg_records){ .lane = 1,
	    .after_did = STR("did:plc:bob"), .after_path = STR("a/1") }, "");
	assert_records(&worker, &(struct msg_records){ .lane = 1,
	    .did = STR("did:plc:alice"), .after_did = STR("did:plc:alice"),
	    .after_path = STR("a/0") }, "alice a/1");

	peer_say(&worker, (struct msg){ .type = MSG_TYPE_RECORDS, .records = { .lane = 1,
	    .after_did = STR("did:plc:nobody"), .after_path = STR("a/0") } });
	assert_true(str_eq(peer_hear(&worker, MSG_TYPE_REFUSE).refuse.class,
	    STR("not-found")));
	client_clear(&worker);
}

/* One repository of a walk by checked_ms; its cursor goes to `cursor`. */
static void
next_checked(struct client *peer, struct buf *cursor, const char *did, uint64_t checked_ms)
{
	struct msg msg;

	peer_say(peer, (struct msg){ .type = MSG_TYPE_REPOS, .repos = { .lane = 1,
	    .order = 1, .after = buf_bytes(cursor), .limit = 1 } });
	if (did == NULL) {
		(void)peer_hear(peer, MSG_TYPE_END);
		return;
	}
	msg = peer_hear(peer, MSG_TYPE_REPO);
	assert_true(str_eq(msg.repo.did, str_from(did)));
	if (checked_ms != 0)
		assert_int_equal(msg.repo.checked_ms, checked_ms);
	assert_int_equal(msg.repo.commit_cid.len, LIMIT_CID_BYTES);
	assert_int_equal(msg.repo.data_cid.len, LIMIT_CID_BYTES);
	buf_reset(cursor);
	buf_add(cursor, msg.repo.cursor.ptr, msg.repo.cursor.len);
	(void)peer_hear(peer, MSG_TYPE_END);
}

static void
indexer__lists_first_what_was_not_checked_for_longest(void **state)
{
	struct buf cursor = BUF_INIT;
	struct client worker;
	uint64_t now;

	peer_attach(*state, &worker, OP, true);
	say_repo(&worker, "did:plc:alice", 1);
	say_repo(&worker, "did:plc:bob", 1);
	now = (uint64_t)clock_wall_ms();
	while ((uint64_t)clock_wall_ms() <= now)
		continue;
	now = (uint64_t)clock_wall_ms();
	say_checked(&worker, 1, "did:plc:alice", now);
	say_checked(&worker, 1, "did:plc:alice", 5);		/* never back */
	say_checked(&worker, 1, "did:plc:nobody", now);
	say_row_commit(&worker, 1, true);
	assert_acked(&worker, 1, 0, 0, 0);

	next_checked(&worker, &cursor, "did:plc:bob", 0);
	next_checked(&worker, &cursor, "did:plc:alice", now);
	next_checked(&worker, &cursor, NULL, 0);

	/* A time that is not yet is taken for now. */
	say_checked(&worker, 1, "did:plc:bob", UINT64_MAX);
	say_row_commit(&worker, 1, false);
	(void)peer_hear(&worker, MSG_TYPE_ACK);
	peer_say(&worker, (struct msg){ .type = MSG_TYPE_LOOK,
	    .look = { .lane = 3, .did = STR("did:plc:bob") } });
	assert_in_range(peer_hear(&worker, MSG_TYPE_STATE).state.checked_ms, now,
	    (uint64_t)clock_wall_ms());
	buf_clear(&cursor);
	client_clear(&worker);
}

static const char *
long_did(void)
{
	static char did[LIMIT_DID_BYTES + 2];

	memset(did, 'a', sizeof(did) - 1);
	return did;
}

static void
misuse_lanes(struct client *peer, int how)
{
	switch (how) {
	case 0:	/* a batch is no repository, and back */
		say_row_put(peer, 1, "a", "1");
		say_put(peer, 1, "a/b", 1, 1);
		break;
	case 1:
		open_lane(peer, 1, "did:plc:bad");
		say_row_put(peer, 1, "a", "1");
		break;
	case 2:	/* a question on a lane that is taken */
		say_row_put(peer, 1, "a", "1");
		peer_say(peer, (struct msg){ .type = MSG_TYPE_TALLY, .tally = { 1 } });
		break;
	case 3:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_REPOS,
		    .repos = { .lane = 1, .order = 2 } });
		break;
	case 4:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_REPOS,
		    .repos = { .lane = 1, .after = bytes_of("x") } });
		break;
	case 5:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_RECORDS,
		    .records = { .lane = 1, .after_path = STR("a/b") } });
		break;
	case 6:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_RECORDS, .records = {
		    .lane = 1, .did = STR("did:plc:a"), .after_did = STR("did:plc:b") } });
		break;
	case 7:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_LOOK,
		    .look = { .lane = 1, .did = str_from(long_did()) } });
		break;
	case 8:
		for (uint64_t lane = 0; lane <= LIMIT_LANES; lane++)
			say_row_put(peer, lane, "a", "1");
		break;
	}
}
#define MISUSES	9

static void
indexer__closes_who_asks_for_what_there_is_not(void **state)
{
	struct client bystander, peer;

	peer_attach(*state, &bystander, "good", true);
	for (int how = 0; how < MISUSES; how++) {
		peer_attach(*state, &peer, "bad", true);
		misuse_lanes(&peer, how);
		assert_closed(&peer);
	}
	say_row_commit(&bystander, 1, true);
	assert_acked(&bystander, 1, 0, 0, 0);
	client_clear(&bystander);
}

static void
indexer__answers_so_many_questions_at_a_time_and_no_more(void **state)
{
	struct buf frames = BUF_INIT;
	struct client peer;
	char key[16];

	/* More rows than a turn sends, so that none of the answers ends before the
	 * last question has come. */
	peer_attach(*state, &peer, OP, true);
	for (unsigned i = 0; i < LIMIT_SCAN_ROWS_PER_TURN + 1000; i++) {
		(void)snprintf(key, sizeof(key), "%u", i);
		say_row_put(&peer, 1, key, "");
	}
	say_row_commit(&peer, 1, false);
	(void)peer_hear(&peer, MSG_TYPE_ACK);
	for (uint64_t lane = 0; lane <= LIMIT_QUESTIONS; lane++)
		msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_ROWS,
		    .rows = { .lane = lane, .table = TABLE } });
	assert_int_equal(write(peer.fd, buf_data(&frames), buf_len(&frames)),
	    buf_len(&frames));
	assert_closed(&peer);

	/* One fewer is answered. */
	buf_reset(&frames);
	peer_attach(*state, &peer, OP, true);
	for (uint64_t lane = 0; lane < LIMIT_QUESTIONS; lane++)
		msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_LOOK,
		    .look = { .lane = lane, .did = STR(DID) } });
	assert_int_equal(write(peer.fd, buf_data(&frames), buf_len(&frames)),
	    buf_len(&frames));
	for (int i = 0; i < LIMIT_QUESTIONS; i++)
		assert_false(peer_hear(&peer, MSG_TYPE_STATE).state.is_known);
	buf_clear(&frames);
	client_clear(&peer);
}

/* --- refusals --- */

/* A record of a repository that is too short to be one. */
static void
damage(struct daemon *daemon, const char *did)
{
	struct records_write *write;
	struct records *records;
	struct err err;
	uint64_t id;
	char *dir;

	assert_int_equal(daemon_stop(daemon), 0);
	assert_true(asprintf(&dir, "%s/records", daemon->state_dir) > 0);
	assert_int_equal(records_open(dir, RECORDS_WRITE, &records, &err), 0);
	assert_int_equal(records_write_begin(records, &write, &err), 0);
	assert_int_equal(records_repo_id(write, str_from(did), &id, &err), 0);
	assert_int_equal(keyspace_put(&write->txn, &records->tables[RECORDS_RECORD], id,
	    bytes_of("a/b"), bytes_of("short"), BYTES_NONE, &err), 0);
	assert_int_equal(records_write_commit(&write, &err), 0);
	records_close(&records);
	free(dir);
	daemon_start(daemon);
}

static void
indexer__passes_over_what_crosses_the_refusal_of_a_scan(void **state)
{
	struct client worker, other;
	struct msg msg;

	damage(*state, DID);
	peer_attach(*state, &worker, OP, true);
	peer_attach(*state, &other, "other", true);
	open_lane(&worker, 1, DID);
	say_scan(&worker, 1);
	msg = peer_hear(&worker, MSG_TYPE_REFUSE);
	assert_int_equal(msg.refuse.lane, 1);
	assert_true(str_eq(msg.refuse.class, STR("index-corrupt")));
	/* The worker has not read that yet; the claim is given up. */
	say_put(&worker, 1, "a/c", 1, 5);
	say_delete(&worker, 1, "a/d");
	open_lane(&other, 1, DID);
	say_commit(&worker, 1, "rev");

	/* No answer, and the number is free: the next one is that of this batch. */
	say_row_put(&worker, 1, "a", "1");
	say_row_commit(&worker, 1, false);
	assert_acked(&worker, 1, 1, 0, 0);

	/* The same, ended by an abort. */
	peer_say(&other, (struct msg){ .type = MSG_TYPE_ABORT, .abort = { 1 } });
	peer_say(&other, (struct msg){ .type = MSG_TYPE_TALLY, .tally = { 2 } });
	assert_acked(&other, 2, 0, 0, 0);
	open_lane(&worker, 1, DID);
	say_scan(&worker, 1);
	(void)peer_hear(&worker, MSG_TYPE_REFUSE);
	say_put(&worker, 1, "a/c", 1, 5);
	peer_say(&worker, (struct msg){ .type = MSG_TYPE_ABORT, .abort = { 1 } });
	open_lane(&worker, 1, "did:plc:bob");
	client_clear(&worker);
	client_clear(&other);
}

static void
indexer__keeps_a_refused_lane_until_its_worker_frees_it(void **state)
{
	struct client worker;

	damage(*state, DID);
	peer_attach(*state, &worker, OP, true);
	open_lane(&worker, 1, DID);
	say_scan(&worker, 1);
	(void)peer_hear(&worker, MSG_TYPE_REFUSE);
	say_begin(&worker, 1, "did:plc:bob");
	assert_closed(&worker);
}

static void
assert_counted(struct client *peer, const char *collection, uint64_t records,
    uint64_t repos)
{
	struct msg msg;

	peer_say(peer, (struct msg){ .type = MSG_TYPE_COUNT, .count = { 5,
	    str_from(collection) } });
	msg = peer_hear(peer, MSG_TYPE_COUNTED);
	assert_int_equal(msg.counted.lane, 5);
	assert_int_equal(msg.counted.records, records);
	assert_int_equal(msg.counted.repos, repos);
}

static void
indexer__counts_records_by_collection_and_repositories(void **state)
{
	struct client peer;

	peer_attach(*state, &peer, OP, true);
	assert_counted(&peer, "", 0, 0);
	say_repo(&peer, DID, 3);
	say_repo(&peer, "did:plc:bob", 2);
	assert_counted(&peer, "", 5, 2);
	assert_counted(&peer, "a", 5, 2);
	assert_counted(&peer, "b", 0, 2);
	client_clear(&peer);
}

static void
indexer__closes_who_counts_a_collection_over_its_limit(void **state)
{
	char name[LIMIT_COLLECTION_BYTES + 2] = { 0 };
	struct client peer;

	memset(name, 'a', LIMIT_COLLECTION_BYTES + 1);
	peer_attach(*state, &peer, OP, true);
	peer_say(&peer, (struct msg){ .type = MSG_TYPE_COUNT, .count = { 5,
	    str_from(name) } });
	assert_closed(&peer);
}

static void
indexer__forgets_a_question_that_is_aborted(void **state)
{
	struct buf frames = BUF_INIT;
	struct client peer;

	peer_attach(*state, &peer, OP, true);
	msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_TALLY, .tally = { 1 } });
	msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_ABORT, .abort = { 1 } });
	msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_ABORT, .abort = { 1 } });
	msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_TALLY, .tally = { 2 } });
	assert_int_equal(write(peer.fd, buf_data(&frames), buf_len(&frames)),
	    buf_len(&frames));
	assert_acked(&peer, 2, 0, 0, 0);
	buf_clear(&frames);
	client_clear(&peer);
}

static const struct CMUnitTest indexer_asks[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)
	TEST(indexer__looks_at_a_repository_that_another_has_claimed),
	TEST(indexer__goes_on_with_records_behind_any_of_them),
	TEST(indexer__lists_first_what_was_not_checked_for_longest),
	TEST(indexer__closes_who_asks_for_what_there_is_not),
	TEST(indexer__counts_records_by_collection_and_repositories),
	TEST(indexer__closes_who_counts_a_collection_over_its_limit),
	TEST(indexer__answers_so_many_questions_at_a_time_and_no_more),
	TEST(indexer__passes_over_what_crosses_the_refusal_of_a_scan),
	TEST(indexer__keeps_a_refused_lane_until_its_worker_frees_it),
	TEST(indexer__forgets_a_question_that_is_aborted),
};

UNIT_MAIN(indexer_asks)

/*
 * test_indexer_rows.c - batches of rows, questions to the index, and what an
 * operation has changed.
 */
#include "t/unit/indexer_unit.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/tid.h"
#include "store/records_internal.h"

#define DID	"did:plc:alice"
#define OP	"3migo7fijwi2k"
#define TABLE	4

static struct bytes
b(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static void
say_row_put(struct client *peer, uint64_t lane, const char *key, const char *value)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_PUT, .row_put = {
		.lane = lane, .table = TABLE, .key = b(key), .value = b(value) } });
}

static void
say_row_delete(struct client *peer, uint64_t lane, const char *key)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_DELETE, .row_delete = {
		.lane = lane, .table = TABLE, .key = b(key) } });
}

static void
say_row_clear(struct client *peer, uint64_t lane, unsigned table, const char *prefix)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_CLEAR, .row_clear = {
		.lane = lane, .table = table, .prefix = b(prefix) } });
}

static void
say_checked(struct client *peer, uint64_t lane, const char *did, uint64_t at_ms)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_CHECKED, .checked = {
		.lane = lane, .did = str_from(did), .at_ms = at_ms } });
}

static void
say_row_commit(struct client *peer, uint64_t lane, bool is_counted)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_COMMIT, .row_commit = {
		.lane = lane, .is_counted = is_counted } });
}

static void
assert_acked(struct client *peer, uint64_t lane, uint64_t created, uint64_t updated,
    uint64_t deleted)
{
	struct msg msg = peer_hear(peer, MSG_TYPE_ACK);

	assert_int_equal(msg.ack.lane, lane);
	assert_int_equal(msg.ack.created, created);
	assert_int_equal(msg.ack.updated, updated);
	assert_int_equal(msg.ack.deleted, deleted);
}

/* "a=1 b=2": what `rows` answers. */
static void
assert_rows(struct client *peer, const char *prefix, const char *after, uint64_t limit,
    const char *expected)
{
	struct buf got = BUF_INIT;
	struct msg msg;
	struct err err;

	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROWS, .rows = { .lane = 99,
	    .table = TABLE, .prefix = b(prefix), .after = b(after), .limit = limit } });
	for (;;) {
		assert_int_equal(client_receive(peer, 60000, &msg, &err), 0);
		if (msg.type != MSG_TYPE_ROW)
			break;
		buf_printf(&got, "%s%.*s=%.*s", buf_len(&got) > 0 ? " " : "",
		    (int)msg.row.key.len, (const char *)msg.row.key.ptr,
		    (int)msg.row.value.len, (const char *)msg.row.value.ptr);
	}
	assert_int_equal(msg.type, MSG_TYPE_END);
	buf_add_byte(&got, '\0');
	assert_string_equal((const char *)buf_data(&got), expected);
	buf_clear(&got);
}

static void
indexer__writes_a_batch_of_rows_and_tells_them(void **state)
{
	struct client worker, reader;

	peer_attach(*state, &worker, OP, true);
	say_row_put(&worker, 1, "b/1", "x");
	say_row_put(&worker, 1, "a/2", "y");
	say_row_put(&worker, 1, "a/1", "z");
	say_row_commit(&worker, 1, false);
	assert_acked(&worker, 1, 3, 0, 0);
	say_row_put(&worker, 1, "a/1", "z");
	say_row_put(&worker, 1, "a/2", "new");
	say_row_delete(&worker, 1, "b/1");
	say_row_delete(&worker, 1, "none");
	say_row_commit(&worker, 1, false);
	assert_acked(&worker, 1, 0, 1, 1);

	peer_attach(*state, &reader, "", false);
	assert_rows(&worker, "", "", 0, "a/1=z a/2=new");
	assert_rows(&reader, "", "", 0, "a/1=z a/2=new");
	assert_rows(&reader, "", "a/1", 0, "a/2=new");
	assert_rows(&reader, "", "", 1, "a/1=z");
	assert_rows(&reader, "b", "", 0, "");
	peer_say(&reader, (struct msg){ .type = MSG_TYPE_ROW_GET,
	    .row_get = { 5, TABLE, b("a/2") } });
	assert_true(bytes_eq(peer_hear(&reader, MSG_TYPE_ROW).row.value, b("new")));
	assert_int_equal(peer_hear(&reader, MSG_TYPE_END).end.lane, 5);
	peer_say(&reader, (struct msg){ .type = MSG_TYPE_ROW_GET,
	    .row_get = { 5, TABLE, b("a/3") } });
	(void)peer_hear(&reader, MSG_TYPE_END);
	client_clear(&worker);
	client_clear(&reader);
}

static void
indexer__applies_a_batch_in_the_order_sent_or_not_at_all(void **state)
{
	struct client worker, other;

	peer_attach(*state, &worker, OP, true);
	peer_attach(*state, &other, OP, true);
	say_row_put(&worker, 1, "a", "1");
	say_row_clear(&worker, 1, TABLE, "");
	say_row_put(&worker, 1, "b", "2");
	assert_rows(&other, "", "", 0, "");
	say_row_commit(&worker, 1, false);
	assert_acked(&worker, 1, 2, 0, 1);
	assert_rows(&other, "", "", 0, "b=2");

	/* Aborted, and left behind. */
	say_row_put(&worker, 1, "c", "3");
	peer_say(&worker, (struct msg){ .type = MSG_TYPE_ABORT, .abort = { 1 } });
	say_row_put(&other, 7, "d", "4");
	assert_rows(&other, "", "", 0, "b=2");
	client_clear(&other);
	assert_rows(&worker, "", "", 0, "b=2");
	say_row_commit(&worker, 1, false);
	assert_acked(&worker, 1, 0, 0, 0);
	client_clear(&worker);
}

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

static void
fill(struct client *worker, const char *did, unsigned records)
{
	open_lane(worker, 1, did);
	for (unsigned i = 0; i < records; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "a/%u", i);
		say_put(worker, 1, path, 1, 3);
	}
	say_commit(worker, 1, "rev");
	(void)peer_hear(worker, MSG_TYPE_ACK);
}

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
	fill(&worker, "did:plc:alice", 2);
	fill(&worker, "did:plc:bob", 2);
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
	fill(&worker, "did:plc:alice", 1);
	fill(&worker, "did:plc:bob", 1);
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

/* --- tally --- */

static void
assert_tally(struct client *peer, uint64_t created, uint64_t updated, uint64_t deleted)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_TALLY, .tally = { 77 } });
	assert_acked(peer, 77, created, updated, deleted);
}

static void
indexer__counts_what_an_operation_changed_whatever_dies(void **state)
{
	struct daemon *daemon = *state;
	struct client worker, other;
	char op[TID_SIZE];

	tid_format(tid_next(0, clock_wall_ms() * 1000, 0), op);
	peer_attach(daemon, &worker, op, true);
	assert_tally(&worker, 0, 0, 0);
	fill(&worker, DID, 3);
	say_row_put(&worker, 1, "a", "1");
	say_row_commit(&worker, 1, true);
	assert_acked(&worker, 1, 1, 0, 0);
	say_row_put(&worker, 1, "note", "1");
	say_row_commit(&worker, 1, false);
	assert_acked(&worker, 1, 1, 0, 0);
	assert_tally(&worker, 4, 0, 0);

	/* Not committed, so never counted; committed again, so not again. */
	say_row_put(&worker, 1, "b", "1");
	daemon_kill(daemon);
	client_clear(&worker);
	daemon_start(daemon);
	peer_attach(daemon, &worker, op, true);
	assert_tally(&worker, 4, 0, 0);
	fill(&worker, DID, 4);
	say_row_put(&worker, 1, "a", "1");
	say_row_put(&worker, 1, "b", "1");
	say_row_commit(&worker, 1, true);
	(void)peer_hear(&worker, MSG_TYPE_ACK);
	assert_tally(&worker, 6, 0, 0);

	peer_attach(daemon, &other, OP, true);
	assert_tally(&other, 0, 0, 0);
	client_clear(&worker);
	client_clear(&other);
}

static void
indexer__forgets_the_numbers_of_old_operations(void **state)
{
	struct daemon *daemon = *state;
	int64_t now_us = clock_wall_ms() * 1000;
	int64_t day_us = 24 * 3600 * INT64_C(1000000);
	char ids[2][TID_SIZE];
	struct client worker;

	tid_format(tid_next(0, now_us - (LIMIT_TALLY_DAYS + 1) * day_us, 0), ids[0]);
	tid_format(tid_next(0, now_us - (LIMIT_TALLY_DAYS - 1) * day_us, 0), ids[1]);
	for (int i = 0; i < 2; i++) {
		peer_attach(daemon, &worker, ids[i], true);
		say_row_put(&worker, 1, ids[i], "1");
		say_row_commit(&worker, 1, true);
		(void)peer_hear(&worker, MSG_TYPE_ACK);
		assert_tally(&worker, 1, 0, 0);
		client_clear(&worker);
	}
	assert_int_equal(daemon_stop(daemon), 0);
	daemon_start(daemon);
	for (int i = 0; i < 2; i++) {
		peer_attach(daemon, &worker, ids[i], true);
		assert_tally(&worker, (uint64_t)i, 0, 0);
		client_clear(&worker);
	}
}

/* --- limits --- */

static const char *
long_did(void)
{
	static char did[LIMIT_DID_BYTES + 2];

	memset(did, 'a', sizeof(did) - 1);
	return did;
}

static void
misuse_rows(struct client *peer, int how)
{
	static uint8_t big[LIMIT_ROW_VALUE_BYTES + 1];
	struct bytes long_key = { big, LIMIT_ROW_KEY_BYTES + 1 };

	switch (how) {
	case 0: say_row_clear(peer, 1, 0, ""); break;
	case 1: say_row_clear(peer, 1, LIMIT_ROW_TABLES + 1, ""); break;
	case 2: say_row_put(peer, 1, "", "x"); break;
	case 3: say_row_delete(peer, 1, ""); break;
	case 4:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_PUT,
		    .row_put = { 1, TABLE, long_key, BYTES_NONE } });
		break;
	case 5:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_PUT,
		    .row_put = { 1, TABLE, b("a"), { big, sizeof(big) } } });
		break;
	case 6:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ROWS,
		    .rows = { 1, TABLE, long_key, BYTES_NONE, 0 } });
		break;
	case 7:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_GET,
		    .row_get = { 1, LIMIT_ROW_TABLES + 1, b("a") } });
		break;
	case 8: say_checked(peer, 1, "", 1); break;
	case 9: say_checked(peer, 1, long_did(), 1); break;
	}
}
#define ROW_MISUSES	10

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
		    .repos = { .lane = 1, .after = b("x") } });
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
#define LANE_MISUSES	9

static void
indexer__closes_who_asks_for_what_there_is_not(void **state)
{
	struct client bystander, peer;

	peer_attach(*state, &bystander, "good", true);
	for (int how = 0; how < ROW_MISUSES + LANE_MISUSES; how++) {
		peer_attach(*state, &peer, "bad", true);
		if (how < ROW_MISUSES)
			misuse_rows(&peer, how);
		else
			misuse_lanes(&peer, how - ROW_MISUSES);
		assert_closed(&peer);
	}
	say_row_commit(&bystander, 1, true);
	assert_acked(&bystander, 1, 0, 0, 0);
	assert_rows(&bystander, "", "", 0, "");
	client_clear(&bystander);
}

static void
indexer__takes_what_is_as_long_as_may_be(void **state)
{
	static uint8_t key[LIMIT_ROW_KEY_BYTES], value[LIMIT_ROW_VALUE_BYTES];
	struct msg_row row;
	struct client peer;

	memset(key, 'k', sizeof(key));
	memset(value, 'v', sizeof(value));
	peer_attach(*state, &peer, OP, true);
	peer_say(&peer, (struct msg){ .type = MSG_TYPE_ROW_PUT, .row_put = { 1,
	    LIMIT_ROW_TABLES, { key, sizeof(key) }, { value, sizeof(value) } } });
	say_row_commit(&peer, 1, false);
	assert_acked(&peer, 1, 1, 0, 0);
	peer_say(&peer, (struct msg){ .type = MSG_TYPE_ROWS,
	    .rows = { .lane = 1, .table = LIMIT_ROW_TABLES } });
	row = peer_hear(&peer, MSG_TYPE_ROW).row;
	assert_true(bytes_eq(row.key, (struct bytes){ key, sizeof(key) }));
	assert_true(bytes_eq(row.value, (struct bytes){ value, sizeof(value) }));
	(void)peer_hear(&peer, MSG_TYPE_END);
	say_row_clear(&peer, 1, LIMIT_ROW_TABLES, "k");
	say_row_commit(&peer, 1, false);
	assert_acked(&peer, 1, 0, 0, 1);
	client_clear(&peer);
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
	    b("a/b"), b("short"), BYTES_NONE, &err), 0);
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

static const struct CMUnitTest indexer_rows[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)
	TEST(indexer__writes_a_batch_of_rows_and_tells_them),
	TEST(indexer__applies_a_batch_in_the_order_sent_or_not_at_all),
	TEST(indexer__looks_at_a_repository_that_another_has_claimed),
	TEST(indexer__goes_on_with_records_behind_any_of_them),
	TEST(indexer__lists_first_what_was_not_checked_for_longest),
	TEST(indexer__counts_what_an_operation_changed_whatever_dies),
	TEST(indexer__forgets_the_numbers_of_old_operations),
	TEST(indexer__closes_who_asks_for_what_there_is_not),
	TEST(indexer__takes_what_is_as_long_as_may_be),
	TEST(indexer__answers_so_many_questions_at_a_time_and_no_more),
	TEST(indexer__passes_over_what_crosses_the_refusal_of_a_scan),
	TEST(indexer__keeps_a_refused_lane_until_its_worker_frees_it),
	TEST(indexer__forgets_a_question_that_is_aborted),
};

UNIT_MAIN(indexer_rows)

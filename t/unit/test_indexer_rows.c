/*
 * test_indexer_rows.c - batches of rows, and what an operation has changed.
 */
#include "t/unit/indexer_unit.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/tid.h"
#include "store/records_internal.h"

#define DID	"did:plc:alice"
#define OP	"3migo7fijwi2k"
#define TABLE	ROWS_TABLE

/* "a=1 b=2": what `rows` answers. */
static void
assert_rows(struct client *peer, const char *prefix, const char *after, uint64_t limit,
    const char *expected)
{
	struct buf got = BUF_INIT;
	struct msg msg;
	struct err err;

	peer_say(peer, (struct msg){ .type = MSG_TYPE_ROWS, .rows = { .lane = 99,
	    .table = TABLE, .prefix = bytes_of(prefix), .after = bytes_of(after), .limit = limit } });
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
	    .row_get = { 5, TABLE, bytes_of("a/2") } });
	assert_true(bytes_eq(peer_hear(&reader, MSG_TYPE_ROW).row.value, bytes_of("new")));
	assert_int_equal(peer_hear(&reader, MSG_TYPE_END).end.lane, 5);
	peer_say(&reader, (struct msg){ .type = MSG_TYPE_ROW_GET,
	    .row_get = { 5, TABLE, bytes_of("a/3") } });
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
	say_repo(&worker, DID, 3);
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
	say_repo(&worker, DID, 4);
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
		    .row_put = { 1, TABLE, bytes_of("a"), { big, sizeof(big) } } });
		break;
	case 6:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ROWS,
		    .rows = { 1, TABLE, long_key, BYTES_NONE, 0 } });
		break;
	case 7:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_GET,
		    .row_get = { 1, LIMIT_ROW_TABLES + 1, bytes_of("a") } });
		break;
	case 8: say_checked(peer, 1, "", 1); break;
	case 9: say_checked(peer, 1, long_did(), 1); break;
	}
}
#define MISUSES	10

static void
indexer__closes_who_writes_rows_that_there_cannot_be(void **state)
{
	struct client bystander, peer;

	peer_attach(*state, &bystander, "good", true);
	for (int how = 0; how < MISUSES; how++) {
		peer_attach(*state, &peer, "bad", true);
		misuse_rows(&peer, how);
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

static const struct CMUnitTest indexer_rows[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)
	TEST(indexer__writes_a_batch_of_rows_and_tells_them),
	TEST(indexer__applies_a_batch_in_the_order_sent_or_not_at_all),
	TEST(indexer__counts_what_an_operation_changed_whatever_dies),
	TEST(indexer__forgets_the_numbers_of_old_operations),
	TEST(indexer__closes_who_writes_rows_that_there_cannot_be),
	TEST(indexer__takes_what_is_as_long_as_may_be),
};

UNIT_MAIN(indexer_rows)

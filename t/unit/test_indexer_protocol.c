/*
 * test_indexer_protocol.c - backfill-indexer and peers that break the protocol
 * or go to its limits.
 */
#include "t/unit/indexer_unit.h"

#include <unistd.h>

#include "common/limits.h"
#include "proto/fdlayout.h"

#define DID	"did:plc:alice"

static char long_text[70000];

static struct str
text_of(size_t len)
{
	memset(long_text, 'x', len);
	return (struct str){ long_text, len };
}

static void
put_with(struct client *peer, uint64_t lane, struct str path, size_t cid_len,
    size_t record_len)
{
	static uint8_t bytes[LIMIT_RECORD_BYTES + 1];

	peer_say(peer, (struct msg){ .type = MSG_TYPE_PUT, .put = { .lane = lane,
	    .path = path, .cid = { bytes, cid_len }, .record = { bytes, record_len } } });
}

static void
commit_with(struct client *peer, struct str rev, struct str status, struct str pds_url,
    size_t cid_len)
{
	static const uint8_t cid[100];

	peer_say(peer, (struct msg){ .type = MSG_TYPE_COMMIT, .commit = { .lane = 1,
	    .rev = rev, .status = status, .pds_url = pds_url,
	    .commit_cid = { cid, cid_len } } });
}

/* In one write, so that both come in the same turn. */
static void
commit_twice(struct client *peer)
{
	struct msg commit = { .type = MSG_TYPE_COMMIT, .commit = { .lane = 1 } };
	struct buf frames = BUF_INIT;

	msg_pack(&frames, &commit);
	msg_pack(&frames, &commit);
	assert_int_equal(write(peer->fd, buf_data(&frames), buf_len(&frames)),
	    buf_len(&frames));
	buf_clear(&frames);
}

/* Each is done by a writer that has lane 1 open; lane 9 is not. */
static void
misbehave(struct client *peer, int how)
{
	switch (how) {
	case 0: put_with(peer, 9, STR("a/b"), 36, 0); break;
	case 1: put_with(peer, 1, STR("no-slash"), 36, 0); break;
	case 2: put_with(peer, 1, STR("/b"), 36, 0); break;
	case 3: put_with(peer, 1, STR("a/b/c"), 36, 0); break;
	case 4: put_with(peer, 1, text_of(900), 36, 0); break;
	case 5: put_with(peer, 1, STR("a/b"), LIMIT_CID_BYTES - 1, 0); break;
	case 6: put_with(peer, 1, STR("a/b"), 0, 0); break;
	case 7: put_with(peer, 1, STR("a/b"), 36, LIMIT_RECORD_BYTES + 1); break;
	case 8: say_delete(peer, 9, "a/b"); break;
	case 9: say_delete(peer, 1, "nothing"); break;
	case 10: say_commit(peer, 9, "rev"); break;
	case 11: commit_with(peer, text_of(LIMIT_REV_BYTES + 1), STR(""), STR(""), 36); break;
	case 12: commit_with(peer, STR(""), text_of(LIMIT_STATUS_BYTES + 1), STR(""), 36); break;
	case 13: commit_with(peer, STR(""), STR(""), text_of(LIMIT_URL_BYTES + 1), 36); break;
	case 14: commit_with(peer, STR(""), STR(""), STR(""), 35); break;
	case 15: say_begin(peer, 1, "did:plc:other"); break;
	case 16: say_begin(peer, 2, "alice.example"); break;
	case 17: say_begin(peer, 2, ""); break;
	case 18: say_scan(peer, 9); break;
	case 19:
		commit_twice(peer);
		break;
	case 20:	/* a message of the other direction */
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ACK });
		break;
	case 21:	/* there is no table 0 */
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_CLEAR,
		    .row_clear = { .lane = 2 } });
		break;
	case 22:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_HELLO,
		    .hello = { .version = PROTO_VERSION } });
		break;
	case 23:	/* no frame at all */
		(void)!write(peer->fd, "\xff\xff\xff\xff", 4);
		break;
	case 24:
		(void)!write(peer->fd, "\0\0\0\5\xdd\x10\0\0\0", 9);
		break;
	case 25:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_PUT,
		    .row_put = { 2, ROWS_OF_OTHERS, bytes_of("a"), bytes_of("1") } });
		break;
	case 26:
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ROW_DELETE,
		    .row_delete = { 2, ROWS_OF_OTHERS, bytes_of("a") } });
		break;
	case 27: say_row_clear(peer, 2, ROWS_OF_OTHERS, "a"); break;
	}
}
#define MISDEEDS	28

static void
indexer__closes_who_breaks_the_protocol_and_nobody_else(void **state)
{
	struct client bystander, peer;

	peer_attach(*state, &bystander, "good", true);
	open_lane(&bystander, 1, "did:plc:good");
	for (int how = 0; how < MISDEEDS; how++) {
		char path[32];

		peer_attach(*state, &peer, "bad", true);
		open_lane(&peer, 1, "did:plc:bad");
		put_with(&peer, 1, STR("a/b"), 36, 5);
		misbehave(&peer, how);
		assert_closed(&peer);
		(void)snprintf(path, sizeof(path), "a/%d", how);
		say_put(&bystander, 1, path, 1, 10);
	}
	say_commit(&bystander, 1, "rev");
	assert_int_equal(peer_hear(&bystander, MSG_TYPE_ACK).ack.created, MISDEEDS);
	open_lane(&bystander, 2, "did:plc:bad");
	say_scan(&bystander, 2);
	(void)peer_hear(&bystander, MSG_TYPE_END);
	client_clear(&bystander);
}

static void
indexer__expects_hello_of_its_version_first(void **state)
{
	struct client peer;

	peer_attach_silent(*state, &peer, true);
	say_begin(&peer, 1, DID);
	assert_closed(&peer);
	peer_attach_silent(*state, &peer, true);
	peer_say(&peer, (struct msg){ .type = MSG_TYPE_HELLO,
	    .hello = { .version = PROTO_VERSION + 1 } });
	assert_closed(&peer);
}

static void
indexer__lets_a_reader_only_read(void **state)
{
	struct client peer;

	peer_attach(*state, &peer, "", false);
	say_begin(&peer, 1, DID);
	assert_closed(&peer);
}

static void
indexer__allows_so_many_lanes_and_reads_and_no_more(void **state)
{
	struct client peer;
	char did[64];

	peer_attach(*state, &peer, "op", true);
	for (uint64_t lane = 0; lane < LIMIT_LANES; lane++) {
		(void)snprintf(did, sizeof(did), "did:plc:%u", (unsigned)lane);
		open_lane(&peer, lane, did);
	}
	say_begin(&peer, LIMIT_LANES, "did:plc:more");
	assert_closed(&peer);

	/* In one write, so that no read is answered before the last has come. */
	struct buf frames = BUF_INIT;
	peer_attach(*state, &peer, "", false);
	for (uint64_t lane = 0; lane <= LIMIT_READS; lane++)
		msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_RECORDS,
		    .records = { .lane = lane } });
	assert_int_equal(write(peer.fd, buf_data(&frames), buf_len(&frames)),
	    buf_len(&frames));
	assert_closed(&peer);
	buf_clear(&frames);
}

static void
indexer__shares_its_turns_among_scans(void **state)
{
	enum { ROWS = LIMIT_SCAN_ROWS_PER_TURN + 1000 };
	unsigned seen[3] = { 0 }, when_first_ended = 0, ended = 0;
	struct buf frames = BUF_INIT;
	struct client worker, reader;

	peer_attach(*state, &worker, "op", true);
	open_lane(&worker, 1, DID);
	for (uint32_t i = 0; i < ROWS; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "a/%u", i);
		say_put(&worker, 1, path, 1, 1);
	}
	say_commit(&worker, 1, "rev");
	(void)peer_hear(&worker, MSG_TYPE_ACK);

	peer_attach(*state, &reader, "", false);
	for (uint64_t lane = 1; lane <= 2; lane++)
		msg_pack(&frames, &(struct msg){ .type = MSG_TYPE_RECORDS,
		    .records = { .lane = lane } });
	assert_int_equal(write(reader.fd, buf_data(&frames), buf_len(&frames)),
	    buf_len(&frames));
	buf_clear(&frames);
	while (ended < 2) {
		struct msg msg;
		struct err err;

		assert_int_equal(client_receive(&reader, 20000, &msg, &err), 0);
		if (msg.type == MSG_TYPE_RECORD)
			seen[msg.record.lane]++;
		else if (ended++ == 0)
			when_first_ended = seen[3 - msg.end.lane];
	}
	assert_int_equal(seen[1], ROWS);
	assert_int_equal(seen[2], ROWS);
	assert_true(when_first_ended > 0);
	client_clear(&worker);
	client_clear(&reader);
}

static const struct CMUnitTest indexer_protocol[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)
	TEST(indexer__closes_who_breaks_the_protocol_and_nobody_else),
	TEST(indexer__expects_hello_of_its_version_first),
	TEST(indexer__lets_a_reader_only_read),
	TEST(indexer__allows_so_many_lanes_and_reads_and_no_more),
	TEST(indexer__shares_its_turns_among_scans),
};

UNIT_MAIN(indexer_protocol)

/*
 * test_indexer_faults.c - backfill-indexer when peers misbehave, the disk is
 * full, or it is killed.
 */
#include "t/unit/indexer_unit.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/exitcode.h"
#include "common/limits.h"
#include "proto/fdlayout.h"

#define DID	"did:plc:alice"

/* --- peers that break the protocol --- */

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

static void
scan_lane(struct client *peer, uint64_t lane)
{
	peer_say(peer, (struct msg){ .type = MSG_TYPE_SCAN, .scan = { .lane = lane } });
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
	case 18: scan_lane(peer, 9); break;
	case 19:
		commit_twice(peer);
		break;
	case 20:	/* a message of the other direction */
		peer_say(peer, (struct msg){ .type = MSG_TYPE_ACK });
		break;
	case 21:	/* one of a reader */
		peer_say(peer, (struct msg){ .type = MSG_TYPE_REPOS });
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
	}
}
#define MISDEEDS	25

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
	scan_lane(&bystander, 2);
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

/* --- disk full --- */

static void
assert_refused(struct client *peer, uint64_t lane)
{
	struct msg msg = peer_hear(peer, MSG_TYPE_REFUSE);

	assert_int_equal(msg.refuse.lane, lane);
	assert_true(str_eq(msg.refuse.class, STR("disk-full")));
}

static void
restart_with_limit(struct daemon *daemon, size_t bytes)
{
	assert_int_equal(daemon_stop(daemon), 0);
	daemon->file_limit_bytes = bytes;
	daemon_start(daemon);
}

static void
indexer__refuses_what_the_disk_does_not_hold_and_goes_on(void **state)
{
	struct daemon *daemon = *state;
	struct client worker;
	unsigned refused = 0;

	restart_with_limit(daemon, 3000000);
	peer_attach(daemon, &worker, "op", true);
	/* In memory, and too much for the data file only together. */
	for (uint64_t lane = 1; lane <= 6; lane++) {
		char did[32];

		(void)snprintf(did, sizeof(did), "did:plc:%u", (unsigned)lane);
		open_lane(&worker, lane, did);
		say_put(&worker, lane, "a/b", 1, lane == 6 ? 10 : 900000);
	}
	for (uint64_t lane = 1; lane <= 6; lane++)
		say_commit(&worker, lane, "rev");
	for (uint64_t lane = 1; lane <= 6; lane++) {
		struct msg msg;
		struct err err;

		assert_int_equal(client_receive(&worker, 20000, &msg, &err), 0);
		if (msg.type == MSG_TYPE_REFUSE) {
			assert_true(str_eq(msg.refuse.class, STR("disk-full")));
			refused++;
		} else {
			assert_int_equal(msg.type, MSG_TYPE_ACK);
			assert_int_equal(msg.ack.lane, lane);
		}
	}
	assert_in_range(refused, 1, 4);

	/* What was refused left nothing, what was acked is there, and there is
	 * room for little things. */
	open_lane(&worker, 1, "did:plc:small");
	say_put(&worker, 1, "a/b", 1, 10);
	say_commit(&worker, 1, "rev");
	(void)peer_hear(&worker, MSG_TYPE_ACK);
	client_clear(&worker);

	restart_with_limit(daemon, 0);
	peer_attach(daemon, &worker, "op", true);
	for (uint64_t lane = 1; lane <= 5; lane++) {
		char did[32];

		(void)snprintf(did, sizeof(did), "did:plc:%u", (unsigned)lane);
		say_begin(&worker, lane, did);
		refused -= !peer_hear(&worker, MSG_TYPE_STATE).state.is_known;
	}
	assert_int_equal(refused, 0);
	client_clear(&worker);
}

static void
indexer__refuses_what_cannot_be_staged(void **state)
{
	struct daemon *daemon = *state;
	struct client worker;

	restart_with_limit(daemon, 2000000);
	peer_attach(daemon, &worker, "op", true);
	open_lane(&worker, 1, DID);
	for (uint32_t i = 0; i < 10; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "a/%u", i);
		say_put(&worker, 1, path, 1, 900000);
	}
	say_commit(&worker, 1, "rev");
	assert_refused(&worker, 1);
	open_lane(&worker, 1, DID);
	client_clear(&worker);
}

static void
indexer__commits_more_than_one_group_takes(void **state)
{
	enum { LANES = LIMIT_GROUP_BYTES / 900000 + 20 };
	struct client worker;

	peer_attach(*state, &worker, "op", true);
	for (uint64_t lane = 0; lane < LANES; lane++) {
		char did[32];

		(void)snprintf(did, sizeof(did), "did:plc:%u", (unsigned)lane);
		open_lane(&worker, lane, did);
		say_put(&worker, lane, "a/b", (uint32_t)lane, 900000);
	}
	for (uint64_t lane = 0; lane < LANES; lane++)
		say_commit(&worker, lane, "rev");
	for (uint64_t lane = 0; lane < LANES; lane++)
		assert_int_equal(peer_hear(&worker, MSG_TYPE_ACK).ack.lane, lane);
	client_clear(&worker);
}

/* --- kill -9 --- */

#define KILL_REPOS	25
#define KILL_RECORDS	20
#define KILL_ROUNDS	25

static void
name_repo(char did[32], unsigned repo)
{
	(void)snprintf(did, 32, "did:plc:%u", repo);
}

/* All repositories at this version: some puts, and a delete of what only the
 * version that it is at now has. */
static void
write_version(struct client *worker, uint32_t version, const uint32_t *now)
{
	char did[32], path[32];

	for (unsigned repo = 0; repo < KILL_REPOS; repo++) {
		name_repo(did, repo);
		open_lane(worker, repo, did);
		for (unsigned i = 0; i < KILL_RECORDS - 1; i++) {
			(void)snprintf(path, sizeof(path), "a/%02u", i);
			say_put(worker, repo, path, version, 1500);
		}
		(void)snprintf(path, sizeof(path), "b/%u", now[repo]);
		say_delete(worker, repo, path);
		(void)snprintf(path, sizeof(path), "b/%u", version);
		say_put(worker, repo, path, version, 10);
	}
	for (unsigned repo = 0; repo < KILL_REPOS; repo++)
		say_commit(worker, repo, "rev");
}

/* The version of a repository, which it has to be at as a whole; 0: not there. */
static uint32_t
whole_version(struct client *worker, unsigned repo)
{
	uint32_t version = 0;
	struct msg msg;
	char did[32];

	name_repo(did, repo);
	say_begin(worker, repo, did);
	msg = peer_hear(worker, MSG_TYPE_STATE);
	assert_int_equal(msg.state.records, msg.state.is_known ? KILL_RECORDS : 0);
	if (!msg.state.is_known)
		return 0;
	scan_lane(worker, repo);
	for (unsigned i = 0; i < KILL_RECORDS; i++) {
		msg = peer_hear(worker, MSG_TYPE_ENTRY);
		if (i == 0)
			version = version_of(msg.entry.cid);
		assert_int_equal(version_of(msg.entry.cid), version);
	}
	(void)peer_hear(worker, MSG_TYPE_END);
	return version;
}

static void
indexer__killed_at_any_moment_leaves_whole_repositories(void **state)
{
	struct daemon *daemon = *state;
	uint32_t versions[KILL_REPOS] = { 0 };
	unsigned acked_total = 0, lost_total = 0;

	srand(41);
	for (uint32_t version = 1; version <= KILL_ROUNDS; version++) {
		/* Mostly at the start, when the group is under way. */
		unsigned acks = (unsigned)rand() % (rand() % 4 == 0 ? KILL_REPOS + 1 : 2);
		int spins = rand() % 2 == 0 ? 0 : rand() % 300;
		struct client worker;

		peer_attach(daemon, &worker, "op", true);
		write_version(&worker, version, versions);
		for (unsigned i = 0; i < acks; i++)
			versions[peer_hear(&worker, MSG_TYPE_ACK).ack.lane] = version;
		while (spins-- > 0)
			(void)sched_yield();
		daemon_kill(daemon);
		client_clear(&worker);

		daemon_start(daemon);
		peer_attach(daemon, &worker, "op", true);
		for (unsigned repo = 0; repo < KILL_REPOS; repo++) {
			uint32_t found = whole_version(&worker, repo);

			if (versions[repo] == version)
				assert_int_equal(found, version);
			else
				assert_true(found == versions[repo] || found == version);
			acked_total += found == version;
			lost_total += found != version;
			versions[repo] = found;
		}
		client_clear(&worker);
	}
	/* Both outcomes have been seen, or nothing was tested. */
	assert_true(acked_total > 0);
	assert_true(lost_total > 0);
}

/* --- its end --- */

static void
indexer__finishes_what_was_committed_when_told_to_stop(void **state)
{
	struct daemon *daemon = *state;
	struct client worker;
	int status;

	peer_attach(daemon, &worker, "op", true);
	open_lane(&worker, 1, DID);
	say_put(&worker, 1, "a/b", 1, 10);
	say_commit(&worker, 1, "rev");
	(void)peer_hear(&worker, MSG_TYPE_ACK);
	assert_int_equal(kill(daemon->pid, SIGTERM), 0);
	status = daemon_wait(daemon);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_OK);
	assert_closed(&worker);
}

static void
indexer__waits_for_the_one_before_it_to_end(void **state)
{
	struct daemon *first = *state;
	struct daemon second = { .state_dir = first->state_dir };
	struct client peer;

	daemon_start(&second);
	daemon_kill(first);
	peer_attach(&second, &peer, "op", true);
	open_lane(&peer, 1, DID);
	client_clear(&peer);
	assert_int_equal(daemon_stop(&second), 0);
}

static void
indexer__gives_up_when_another_one_stays(void **state)
{
	struct daemon *first = *state;
	struct daemon second = { .state_dir = first->state_dir };
	int status;

	daemon_start(&second);
	status = daemon_wait(&second);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_BUSY);
}

static const struct CMUnitTest indexer_faults[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)
	TEST(indexer__closes_who_breaks_the_protocol_and_nobody_else),
	TEST(indexer__expects_hello_of_its_version_first),
	TEST(indexer__lets_a_reader_only_read),
	TEST(indexer__allows_so_many_lanes_and_reads_and_no_more),
	TEST(indexer__shares_its_turns_among_scans),
	TEST(indexer__refuses_what_the_disk_does_not_hold_and_goes_on),
	TEST(indexer__refuses_what_cannot_be_staged),
	TEST(indexer__commits_more_than_one_group_takes),
	TEST(indexer__killed_at_any_moment_leaves_whole_repositories),
	TEST(indexer__finishes_what_was_committed_when_told_to_stop),
	TEST(indexer__waits_for_the_one_before_it_to_end),
	TEST(indexer__gives_up_when_another_one_stays),
};

UNIT_MAIN(indexer_faults)

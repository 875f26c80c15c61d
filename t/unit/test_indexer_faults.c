/*
 * test_indexer_faults.c - backfill-indexer when the disk is full, when it is
 * killed, and how it ends.
 */
#include "t/unit/indexer_unit.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/exitcode.h"
#include "common/limits.h"
#include "store/records_internal.h"

#define DID	"did:plc:alice"

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
	say_row_put(&worker, 7, "row", "of the same group");
	say_row_commit(&worker, 7, true);
	for (uint64_t lane = 1; lane <= 7; lane++) {
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

static uint64_t
last_transaction(const struct daemon *daemon)
{
	struct env_options options = { .schema = RECORDS_SCHEMA, .map_bytes = (size_t)1 << 30 };
	struct env *env;
	MDB_envinfo info;
	struct err err;
	char *dir;

	assert_true(asprintf(&dir, "%s/records", daemon->state_dir) > 0);
	assert_int_equal(env_open(dir, &options, &env, &err), 0);
	assert_int_equal(mdb_env_info(env->mdb, &info), 0);
	env_close(&env);
	free(dir);
	return info.me_last_txnid;
}

static void
indexer__commits_what_is_ready_together(void **state)
{
	enum { LANES = 30 };
	struct buf commits = BUF_INIT;
	struct client worker;
	uint64_t before;

	peer_attach(*state, &worker, "op", true);
	for (uint64_t lane = 0; lane < LANES; lane++) {
		char did[32];

		(void)snprintf(did, sizeof(did), "did:plc:%u", (unsigned)lane);
		open_lane(&worker, lane, did);
		say_put(&worker, lane, "a/b", 1, 10);
		msg_pack(&commits, &(struct msg){ .type = MSG_TYPE_COMMIT,
		    .commit = { .lane = lane } });
	}
	before = last_transaction(*state);
	assert_int_equal(write(worker.fd, buf_data(&commits), buf_len(&commits)),
	    buf_len(&commits));
	for (uint64_t lane = 0; lane < LANES; lane++)
		(void)peer_hear(&worker, MSG_TYPE_ACK);
	assert_int_equal(last_transaction(*state) - before, 1);
	buf_clear(&commits);
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
	say_scan(worker, repo);
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
	/* Stopped, so that it finds commit and signal in the same turn. */
	assert_int_equal(kill(daemon->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(daemon->pid, &status, WUNTRACED), daemon->pid);
	say_put(&worker, 1, "a/b", 1, 10);
	say_commit(&worker, 1, "rev");
	assert_int_equal(kill(daemon->pid, SIGTERM), 0);
	assert_int_equal(kill(daemon->pid, SIGCONT), 0);
	(void)peer_hear(&worker, MSG_TYPE_ACK);
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

	daemon_spawn(&second);
	daemon_kill(first);
	daemon_hear_ready(&second);
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

	daemon_spawn(&second);
	status = daemon_wait(&second);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_BUSY);
}

static const struct CMUnitTest indexer_faults[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)
	TEST(indexer__refuses_what_the_disk_does_not_hold_and_goes_on),
	TEST(indexer__refuses_what_cannot_be_staged),
	TEST(indexer__commits_what_is_ready_together),
	TEST(indexer__commits_more_than_one_group_takes),
	TEST(indexer__killed_at_any_moment_leaves_whole_repositories),
	TEST(indexer__finishes_what_was_committed_when_told_to_stop),
	TEST(indexer__waits_for_the_one_before_it_to_end),
	TEST(indexer__gives_up_when_another_one_stays),
};

UNIT_MAIN(indexer_faults)

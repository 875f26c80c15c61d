/*
 * test_did_sync.c - the executable did-sync between a supervisor and an indexer
 * that the test plays, and a scripted server in a process of its own.
 */
#include "t/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atproto/cid.h"
#include "common/clock.h"
#include "common/exitcode.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "t/unit/fake_account.h"
#include "t/unit/vectors.h"
#include "t/unit/worker_rig.h"

/* --- the server's process --- */

struct network {
	pid_t pid;
	char origin[64];
};

typedef void script_cb(struct fetch_server *server);

static void
network_start(struct network *network, script_cb *script)
{
	int pipe_fds[2];
	ssize_t len;

	vectors_need();		/* a test can be skipped only here */
	assert_int_equal(pipe(pipe_fds), 0);
	network->pid = fork();
	if (network->pid == 0) {
		struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
		struct fetch_server *server = fetch_server_new(loop);
		const char *origin = fetch_server_origin(server);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		script(server);
		len = write(pipe_fds[1], origin, strlen(origin));
		(void)ev_run(loop, 0);
		_exit(len > 0 ? 0 : 1);
	}
	len = read(pipe_fds[0], network->origin, sizeof(network->origin) - 1);
	assert_true(len > 0);
	network->origin[len] = '\0';
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void
network_stop(struct network *network)
{
	(void)kill(network->pid, SIGKILL);
	(void)waitpid(network->pid, NULL, 0);
}

static void
good(struct fetch_server *server)
{
	account_add(server, K256_DID, K256_KEY);
	account_add_car(server, "good-k256.car");
	account_add_latest(server, GOOD_REV, GOOD_COMMIT);
}

static void
with_a_bad_record(struct fetch_server *server)
{
	account_add(server, K256_DID, K256_KEY);
	account_add_car(server, "rec-bad-utf8.car");
}

static void
deactivated(struct fetch_server *server)
{
	account_add(server, K256_DID, K256_KEY);
	account_add_error(server, GET_REPO, "400 Bad Request", "RepoDeactivated");
}

/* A repository that would take an hour. */
static void
slow(struct fetch_server *server)
{
	struct buf car = account_read_car("good-k256.car"), answer = BUF_INIT;

	account_add(server, K256_DID, K256_KEY);
	buf_printf(&answer, "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipld.car\r\n"
	    "Content-Length: %zu\r\n\r\n", buf_len(&car));
	buf_add(&answer, buf_data(&car), buf_len(&car));
	fetch_server_add(server, GET_REPO, &(struct fetch_answer){
	    .bytes = buf_data(&answer), .len = buf_len(&answer), .drip_ms = 2 });
}

/* --- the worker --- */

#define ASSIGN	(&(struct msg_assign){ .id = STR("3migo7fijwi2k"),	\
	.type = STR("did-sync"), .attempt = 1, .did = STR(K256_DID) })

struct scene {
	struct network network;
	struct rig rig;
};

static void
scene_open(struct scene *scene, script_cb *script, const struct msg_assign *assign)
{
	network_start(&scene->network, script);
	rig_start(&scene->rig, "did-sync");
	rig_set(&scene->rig, "plc_directory", scene->network.origin);
	rig_set(&scene->rig, "allow_private_addresses", "true");
	rig_set(&scene->rig, "allow_plain_http", "true");
	rig_set(&scene->rig, "fetch_retries", "0");
	rig_assign(&scene->rig, assign);
}

static void
scene_close(struct scene *scene, int exit_status)
{
	int status = rig_wait(&scene->rig);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), exit_status);
	rig_end(&scene->rig);
	network_stop(&scene->network);
}

/* Nothing is known of the account's server. */
static void
say_no_host(struct scene *scene)
{
	uint64_t lane = rig_expect(&scene->rig.records, MSG_TYPE_ROW_GET).row_get.lane;

	rig_say(&scene->rig.records, &(struct msg){ .type = MSG_TYPE_END,
	    .end = { .lane = lane } });
}

/* It looks what is indexed, and notes that in its first checkpoint. */
static void
say_indexed(struct scene *scene, struct str rev)
{
	uint64_t lane = rig_expect(&scene->rig.records, MSG_TYPE_LOOK).look.lane;

	rig_say(&scene->rig.records, &(struct msg){ .type = MSG_TYPE_STATE,
	    .state = { .lane = lane, .is_known = rev.len > 0, .rev = rev } });
}

static void
say_unknown(struct scene *scene)
{
	uint64_t lane;

	say_indexed(scene, STR_NONE);
	say_no_host(scene);
	lane = rig_expect(&scene->rig.records, MSG_TYPE_BEGIN).begin.lane;
	rig_say(&scene->rig.records, &(struct msg){ .type = MSG_TYPE_STATE,
	    .state = { .lane = lane } });
}

static struct msg
take_until_commit(struct scene *scene, unsigned *puts_out)
{
	struct msg msg;

	*puts_out = 0;
	while ((msg = rig_next(&scene->rig.records)).type != MSG_TYPE_COMMIT) {
		*puts_out += msg.type == MSG_TYPE_PUT;
		if (msg.type == MSG_TYPE_SCAN)	/* there is nothing */
			rig_say(&scene->rig.records, &(struct msg){ .type = MSG_TYPE_END,
			    .end = { .lane = msg.scan.lane } });
	}
	return msg;
}

static void
say_ack(struct scene *scene, uint64_t lane, uint64_t created)
{
	rig_say(&scene->rig.records, &(struct msg){ .type = MSG_TYPE_ACK,
	    .ack = { .lane = lane, .created = created } });
}

/* What was learned of servers and DIDs, which comes before the last words. */
static void
take_notes(struct scene *scene)
{
	say_ack(scene, rig_expect(&scene->rig.records, MSG_TYPE_ROW_COMMIT).row_commit.lane,
	    0);
}

/* What the operation has changed in all. */
static void
say_tally(struct scene *scene, uint64_t created)
{
	say_ack(scene, rig_expect(&scene->rig.records, MSG_TYPE_TALLY).tally.lane, created);
}

static void
expect_fail(struct scene *scene, const char *class)
{
	struct msg msg;

	do
		msg = rig_next(&scene->rig.control);
	while (msg.type != MSG_TYPE_FAIL && msg.type != MSG_TYPE_DONE);
	assert_int_equal(msg.type, MSG_TYPE_FAIL);
	assert_true(str_eq(msg.fail.class, str_from(class)));
	assert_true(msg.fail.text.len > 0);
}

static void
did_sync__indexes_an_account_and_says_done(void **state BF_UNUSED)
{
	struct scene scene;
	struct msg msg;
	unsigned puts;

	scene_open(&scene, good, ASSIGN);
	say_unknown(&scene);
	msg = take_until_commit(&scene, &puts);
	assert_int_equal(puts, GOOD_RECORDS);
	assert_true(str_eq(msg.commit.rev, STR(GOOD_REV)));
	say_ack(&scene, msg.commit.lane, GOOD_RECORDS);

	take_notes(&scene);
	say_tally(&scene, GOOD_RECORDS);
	msg = rig_expect(&scene.rig.control, MSG_TYPE_DONE);
	assert_int_equal(msg.done.processed, GOOD_RECORDS);
	assert_int_equal(msg.done.total, GOOD_RECORDS);
	assert_int_equal(msg.done.created, GOOD_RECORDS);
	assert_int_equal(msg.done.failed, 0);
	assert_int_equal(msg.done.bytes, 30022);
	scene_close(&scene, EXIT_OK);
}

/* The worker was killed between the commit and the result: the numbers are those of both,
 * though the index is what the repository says. */
static void
did_sync__still_reports_what_an_earlier_attempt_did(void **state BF_UNUSED)
{
	struct msg_assign assign = *ASSIGN;
	char checkpoint[LIMIT_OP_TEXT_BYTES], selection[32];
	struct scene scene;
	struct cid cid;
	struct msg msg;
	unsigned puts;

	scene_open(&scene, good, ASSIGN);
	say_unknown(&scene);
	msg = rig_expect(&scene.rig.control, MSG_TYPE_CHECKPOINT);
	assert_true(msg.checkpoint.data.len <= sizeof(checkpoint));
	memcpy(checkpoint, msg.checkpoint.data.ptr, msg.checkpoint.data.len);
	assign.checkpoint = (struct bytes){ (const uint8_t *)checkpoint,
	    msg.checkpoint.data.len };
	assign.attempt = 2;
	msg = take_until_commit(&scene, &puts);
	assert_true(str_copy(selection, sizeof(selection), msg.commit.selection));
	say_ack(&scene, msg.commit.lane, GOOD_RECORDS);
	assert_int_equal(kill(scene.rig.pid, SIGKILL), 0);
	(void)rig_wait(&scene.rig);
	rig_end(&scene.rig);
	network_stop(&scene.network);

	assert_int_equal(cid_parse(STR(GOOD_COMMIT), &cid), 0);
	scene_open(&scene, good, &assign);
	say_indexed(&scene, STR(GOOD_REV));
	say_no_host(&scene);
	msg = rig_expect(&scene.rig.records, MSG_TYPE_BEGIN);
	rig_say(&scene.rig.records, &(struct msg){ .type = MSG_TYPE_STATE, .state = {
	    .lane = msg.begin.lane, .is_known = true, .rev = STR(GOOD_REV),
	    .status = STR("active"), .selection = str_from(selection),
	    .commit_cid = { cid.bytes, CID_BYTES },
	    .data_cid = { cid.bytes, CID_BYTES }, .records = GOOD_RECORDS } });
	msg = take_until_commit(&scene, &puts);
	say_ack(&scene, msg.commit.lane, 0);
	take_notes(&scene);
	say_tally(&scene, GOOD_RECORDS);
	msg = rig_expect(&scene.rig.control, MSG_TYPE_DONE);
	assert_int_equal(msg.done.processed, GOOD_RECORDS);
	assert_int_equal(msg.done.created, GOOD_RECORDS);
	scene_close(&scene, EXIT_OK);
}

static void
did_sync__tells_each_record_that_it_refuses(void **state BF_UNUSED)
{
	struct scene scene;
	struct msg msg;
	unsigned puts;

	scene_open(&scene, with_a_bad_record, ASSIGN);
	say_unknown(&scene);
	msg = take_until_commit(&scene, &puts);
	say_ack(&scene, msg.commit.lane, puts);
	msg = rig_expect(&scene.rig.control, MSG_TYPE_ITEM_FAILED);
	assert_true(str_starts_with(msg.item_failed.item,
	    STR("at://" K256_DID "/app.bsky.")));
	assert_true(str_eq(msg.item_failed.class, STR("BadCbor")));
	take_notes(&scene);
	say_tally(&scene, puts);
	msg = rig_expect(&scene.rig.control, MSG_TYPE_DONE);
	assert_int_equal(msg.done.failed, 1);
	assert_int_equal(msg.done.processed, puts + 1);
	scene_close(&scene, EXIT_OK);
}

static void
did_sync__completes_for_an_account_that_is_not_active(void **state BF_UNUSED)
{
	struct scene scene;
	struct msg msg;
	unsigned puts;

	scene_open(&scene, deactivated, ASSIGN);
	say_unknown(&scene);
	msg = take_until_commit(&scene, &puts);
	assert_int_equal(puts, 0);
	assert_true(str_eq(msg.commit.status, STR("deactivated")));
	say_ack(&scene, msg.commit.lane, 0);
	take_notes(&scene);
	msg = rig_expect(&scene.rig.control, MSG_TYPE_LOG);
	assert_true(str_starts_with(msg.log.text, STR("the account is deactivated")));
	say_tally(&scene, 0);
	(void)rig_expect(&scene.rig.control, MSG_TYPE_DONE);
	scene_close(&scene, EXIT_OK);
}

static void
wait_for_bytes(struct scene *scene)
{
	say_unknown(scene);
	while (rig_expect(&scene->rig.control, MSG_TYPE_PROGRESS).progress.bytes == 0)
		;
}

/* On a machine that is not busy with other things: one of a few tries has to be. */
static void
did_sync__stops_within_100_ms_in_the_middle_of_a_slow_transfer(void **state BF_UNUSED)
{
	int64_t best_ms = INT64_MAX;

	for (int i = 0; i < 5 && best_ms > 100; i++) {
		struct scene scene;
		int64_t start_ms, took_ms;

		scene_open(&scene, slow, ASSIGN);
		wait_for_bytes(&scene);
		start_ms = clock_mono_ms();
		assert_int_equal(kill(scene.rig.pid, SIGTERM), 0);
		scene_close(&scene, EXIT_STOPPED);
		took_ms = clock_mono_ms() - start_ms;
		best_ms = took_ms < best_ms ? took_ms : best_ms;
	}
	assert_true(best_ms <= 100);
}

static void
did_sync__ends_with_its_supervisor(void **state BF_UNUSED)
{
	struct scene scene;

	scene_open(&scene, slow, ASSIGN);
	wait_for_bytes(&scene);
	fd_close(&scene.rig.control.fd);
	scene_close(&scene, EXIT_UNAVAILABLE);
}

static void
did_sync__fails_when_its_indexer_is_gone(void **state BF_UNUSED)
{
	struct scene scene;

	scene_open(&scene, slow, ASSIGN);
	wait_for_bytes(&scene);
	fd_close(&scene.rig.records.fd);
	expect_fail(&scene, "indexer-gone");
	scene_close(&scene, EXIT_FAILED);
}

static void
did_sync__fails_for_what_is_no_did(void **state BF_UNUSED)
{
	static const char *const dids[] = { "did:plc:short", "did:key:zQ3", "alice.test",
	    "did:web:a/../b", "" };

	for (size_t i = 0; i < BF_ARRAY_LEN(dids); i++) {
		struct msg_assign assign = *ASSIGN;
		struct scene scene;

		assign.did = str_from(dids[i]);
		scene_open(&scene, good, &assign);
		expect_fail(&scene, "invalid");
		scene_close(&scene, EXIT_FAILED);
	}
}

static void
did_sync__fails_for_collections_that_are_no_patterns(void **state BF_UNUSED)
{
	struct scene scene;

	network_start(&scene.network, good);
	rig_start(&scene.rig, "did-sync");
	rig_set(&scene.rig, "collections", "app.bsky.* *.post");
	rig_assign(&scene.rig, ASSIGN);
	expect_fail(&scene, "setting");
	scene_close(&scene, EXIT_FAILED);
}

/* A private address is not connected to unless the configuration says so; the
 * directory's own address is the configuration's word. */
static void
did_sync__does_not_connect_to_a_private_address(void **state BF_UNUSED)
{
	struct scene scene;

	network_start(&scene.network, good);
	rig_start(&scene.rig, "did-sync");
	rig_set(&scene.rig, "plc_directory", scene.network.origin);
	rig_set(&scene.rig, "allow_plain_http", "true");
	rig_assign(&scene.rig, ASSIGN);
	say_unknown(&scene);
	take_notes(&scene);
	expect_fail(&scene, "blocked");
	scene_close(&scene, EXIT_FAILED);
}

static const struct CMUnitTest did_sync_tests[] = {
	cmocka_unit_test(did_sync__indexes_an_account_and_says_done),
	cmocka_unit_test(did_sync__still_reports_what_an_earlier_attempt_did),
	cmocka_unit_test(did_sync__tells_each_record_that_it_refuses),
	cmocka_unit_test(did_sync__completes_for_an_account_that_is_not_active),
	cmocka_unit_test(did_sync__stops_within_100_ms_in_the_middle_of_a_slow_transfer),
	cmocka_unit_test(did_sync__ends_with_its_supervisor),
	cmocka_unit_test(did_sync__fails_when_its_indexer_is_gone),
	cmocka_unit_test(did_sync__fails_for_what_is_no_did),
	cmocka_unit_test(did_sync__fails_for_collections_that_are_no_patterns),
	cmocka_unit_test(did_sync__does_not_connect_to_a_private_address),
};

UNIT_MAIN(did_sync_tests)

/*
 * test_worker.c - src/workers/worker.c: how a worker process speaks and ends.
 *
 * Runs t/workers/null-op, which is the harness with a type on top that does
 * what its DID says.
 */
#include "t/unit/unit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/exitcode.h"
#include "common/fdutil.h"
#include "common/limits.h"
#include "proto/fdlayout.h"
#include "t/unit/worker_rig.h"

#define ASSIGN(word)	(&(struct msg_assign){ .id = STR("3migo7fijwi2k"),	\
	.type = STR("did-sync"), .attempt = 1, .did = STR("did:web:" word ".test") })

static void
start(struct rig *rig, const struct msg_assign *assign)
{
	rig_start(rig, "t/workers/null-op");
	rig_assign(rig, assign);
}

static void
end_with(struct rig *rig, int exit_status)
{
	int status = rig_wait(rig);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), exit_status);
	rig_end(rig);
}

static void
worker__says_hello_then_done_and_exits_0(void **state BF_UNUSED)
{
	struct rig rig;

	start(&rig, ASSIGN("finish"));
	(void)rig_expect(&rig.control, MSG_TYPE_DONE);
	end_with(&rig, EXIT_OK);
}

static void
worker__says_hello_on_the_record_channel_too(void **state BF_UNUSED)
{
	struct rig rig;
	struct msg hello;

	rig_start(&rig, "t/workers/null-op");
	hello = rig_next(&rig.records);
	assert_int_equal(hello.type, MSG_TYPE_HELLO);
	assert_int_equal(hello.hello.version, PROTO_VERSION);
	assert_true(str_eq(hello.hello.program, STR("null-op")));
	rig_end(&rig);
}

static void
worker__says_that_it_answers_pings_and_does(void **state BF_UNUSED)
{
	struct rig rig;
	struct msg msg;

	start(&rig, ASSIGN("run"));
	while ((msg = rig_hear(&rig.control)).type != MSG_TYPE_PONG)
		continue;
	assert_int_equal(msg.pong.number, 0);
	rig_say(&rig.control, &(struct msg){ .type = MSG_TYPE_PING, .ping = { .number = 7 } });
	while ((msg = rig_hear(&rig.control)).type != MSG_TYPE_PONG)
		continue;
	assert_int_equal(msg.pong.number, 7);
	rig_end(&rig);
}

static void
worker__that_fails_says_why_and_exits_1(void **state BF_UNUSED)
{
	struct rig rig;
	struct msg msg;

	start(&rig, ASSIGN("fail"));
	msg = rig_expect(&rig.control, MSG_TYPE_FAIL);
	assert_true(str_eq(msg.fail.class, STR("null-op")));
	assert_true(str_eq(msg.fail.text, STR("failed as asked")));
	end_with(&rig, EXIT_FAILED);
}

/* The supervisor ends a worker for one byte that is not UTF-8. */
static void
worker__cleans_and_cuts_the_text_of_others(void **state BF_UNUSED)
{
	struct rig rig;
	struct msg msg;

	start(&rig, ASSIGN("bad-text"));
	msg = rig_expect(&rig.control, MSG_TYPE_ITEM_FAILED);
	assert_true(str_eq(msg.item_failed.item, STR("item ?")));
	assert_int_equal(msg.item_failed.text.len, LIMIT_OP_TEXT_BYTES - 1);
	msg = rig_next(&rig.control);
	assert_int_equal(msg.type, MSG_TYPE_MET);
	msg = rig_next(&rig.control);
	assert_int_equal(msg.type, MSG_TYPE_FAIL);
	assert_true(str_starts_with(msg.fail.text, STR("bad ?" "?(xxx")));
	assert_true(msg.fail.text.len <= LIMIT_OP_TEXT_BYTES);
	end_with(&rig, EXIT_FAILED);
}

static void
worker__sends_as_many_failed_items_as_are_kept_and_counts_all(void **state BF_UNUSED)
{
	struct rig rig;
	struct msg msg;
	int items = 0;

	start(&rig, ASSIGN("items"));
	while ((msg = rig_next(&rig.control)).type == MSG_TYPE_ITEM_FAILED)
		items++;
	assert_int_equal(items, LIMIT_OP_ITEMS);
	assert_int_equal(msg.type, MSG_TYPE_MET);
	assert_true(str_eq(msg.met.what, STR("other")));
	assert_int_equal(msg.met.count, LIMIT_OP_ITEMS + 10);
	end_with(&rig, EXIT_OK);
}

static void
worker__gives_its_type_the_checkpoint_of_an_earlier_attempt(void **state BF_UNUSED)
{
	struct msg_assign assign = *ASSIGN("checkpoint");
	struct rig rig;

	start(&rig, &assign);
	assert_true(rig_expect(&rig.control, MSG_TYPE_CHECKPOINT).checkpoint.data.len > 0);
	rig_end(&rig);

	assign.attempt = 2;
	assign.checkpoint = (struct bytes){ (const uint8_t *)"here", 4 };
	start(&rig, &assign);
	assert_true(str_eq(rig_expect(&rig.control, MSG_TYPE_LOG).log.text,
	    STR("goes on from its checkpoint")));
	(void)rig_expect(&rig.control, MSG_TYPE_DONE);
	end_with(&rig, EXIT_OK);
}

static void
worker__takes_back_only_items_that_were_listed(void **state BF_UNUSED)
{
	struct msg_assign assign = *ASSIGN("item-works");
	struct msg item = { .type = MSG_TYPE_LISTED_ITEM };
	struct rig rig;
	struct msg msg;

	assign.attempt = 2;
	assign.checkpoint = (struct bytes){ (const uint8_t *)"here", 4 };
	rig_start(&rig, "t/workers/null-op");
	rig_say(&rig.control, &(struct msg){ .type = MSG_TYPE_HELLO,
	    .hello = { .version = PROTO_VERSION } });
	for (int i = 0; i < 2; i++) {
		item.listed_item.item = i == 0 ? STR("did:web:other.test") :
		    STR("did:web:behind.test");
		rig_say(&rig.control, &item);
	}
	rig_say(&rig.control, &(struct msg){ .type = MSG_TYPE_ASSIGN, .assign = assign });
	msg = rig_expect(&rig.control, MSG_TYPE_ITEM_WORKS);
	assert_true(str_eq(msg.item_works.item, STR("did:web:behind.test")));
	assert_int_equal(rig_next(&rig.control).type, MSG_TYPE_DONE);
	end_with(&rig, EXIT_OK);
}

static void
worker__starts_only_when_its_whole_assignment_has_come(void **state BF_UNUSED)
{
	struct msg_assign assign = { .id = STR("3migo7fijwi2k"), .type = STR("pds-scan"),
	    .attempt = 1, .items_of = STR("3migo7fijwi2j"), .spills = 1 };
	struct msg item = { .type = MSG_TYPE_RETRY_ITEM,
	    .retry_item.item = STR("did:web:one.test") };
	struct rig rig;

	start(&rig, &assign);
	rig_say(&rig.control, &item);
	rig_say(&rig.control, &item);	/* named twice, run once */
	item.retry_item.item = STR("did:web:two.test");
	rig_say(&rig.control, &item);
	rig_say(&rig.control, &(struct msg){ .type = MSG_TYPE_RETRY_END,
	    .retry_end.count = 3 });
	rig_say(&rig.control, &(struct msg){ .type = MSG_TYPE_SPILL, .spill.number = 2 });
	assert_true(str_eq(rig_expect(&rig.control, MSG_TYPE_LOG).log.text,
	    STR("again: did:web:one.test")));
	assert_int_equal(rig_expect(&rig.control, MSG_TYPE_DONE).done.processed, 2);
	end_with(&rig, EXIT_OK);
}

/* Each ends the worker: what it is told must be what it was promised. */
static void
worker__refuses_an_assignment_out_of_order(void **state BF_UNUSED)
{
	const struct msg wrong[] = {
		{ .type = MSG_TYPE_SPILL, .spill.number = 3 },
		{ .type = MSG_TYPE_RETRY_END, .retry_end.count = 1 },
		{ .type = MSG_TYPE_ASSIGN, .assign = { .id = STR("3migo7fijwi2k") } },
	};
	struct msg_assign assign = { .id = STR("3migo7fijwi2k"), .type = STR("pds-scan"),
	    .attempt = 1, .items_of = STR("3migo7fijwi2j") };
	struct rig rig;

	for (size_t i = 0; i < BF_ARRAY_LEN(wrong); i++) {
		start(&rig, &assign);
		rig_say(&rig.control, &wrong[i]);
		end_with(&rig, EXIT_PROTOCOL);
	}
	assign.spills = LIMIT_WORKER_SPILL_FILES;
	start(&rig, &assign);
	end_with(&rig, EXIT_PROTOCOL);
}

static void
worker__pauses_with_a_checkpoint_and_exits_0(void **state BF_UNUSED)
{
	struct rig rig;

	start(&rig, ASSIGN("run"));
	(void)rig_expect(&rig.control, MSG_TYPE_PROGRESS);
	rig_say(&rig.control, &(struct msg){ .type = MSG_TYPE_PAUSE });
	assert_true(rig_expect(&rig.control, MSG_TYPE_CHECKPOINT).checkpoint.data.len > 0);
	assert_true(rig_expect(&rig.control, MSG_TYPE_PAUSED).paused.processed > 0);
	end_with(&rig, EXIT_OK);
}

static void
worker__sends_progress_at_a_bounded_rate(void **state BF_UNUSED)
{
	/* Since before the first of them: a busy machine may tell us of them late, and
	 * then of several at once. */
	int64_t start_ms = clock_mono_ms();
	struct rig rig;
	struct msg msg;

	/* It has news every 50 ms. */
	start(&rig, ASSIGN("run"));
	for (int i = 0; i < 20; i++)
		msg = rig_expect(&rig.control, MSG_TYPE_PROGRESS);
	assert_true(clock_mono_ms() - start_ms >= 1900);
	assert_true(msg.progress.processed >= 38);
	assert_true(str_eq(msg.progress.stage, STR("running")));
	rig_end(&rig);
}

static void
worker__stops_at_once_on_sigterm_with_its_latest_progress(void **state BF_UNUSED)
{
	struct rig rig;
	int64_t start_ms;

	start(&rig, ASSIGN("run"));
	(void)rig_expect(&rig.control, MSG_TYPE_PROGRESS);
	start_ms = clock_mono_ms();
	assert_int_equal(kill(rig.pid, SIGTERM), 0);
	end_with(&rig, EXIT_STOPPED);
	assert_true(clock_mono_ms() - start_ms < 1000);
}

/* A supervisor that is stopped or busy must not keep a worker alive. */
static void
worker__stops_on_sigterm_though_nobody_reads(void **state BF_UNUSED)
{
	struct rig rig;

	start(&rig, ASSIGN("chatter"));
	(void)rig_expect(&rig.control, MSG_TYPE_LOG);
	assert_int_equal(kill(rig.pid, SIGTERM), 0);
	end_with(&rig, EXIT_STOPPED);
}

static void
worker__exits_when_the_supervisor_is_gone(void **state BF_UNUSED)
{
	struct rig rig;

	start(&rig, ASSIGN("run"));
	(void)rig_expect(&rig.control, MSG_TYPE_PROGRESS);
	fd_close(&rig.control.fd);
	end_with(&rig, EXIT_UNAVAILABLE);
}

static void
worker__fails_with_indexer_gone_when_fd_4_ends(void **state BF_UNUSED)
{
	struct rig rig;
	struct msg msg;

	start(&rig, ASSIGN("run"));
	(void)rig_expect(&rig.control, MSG_TYPE_PROGRESS);
	fd_close(&rig.records.fd);
	msg = rig_expect(&rig.control, MSG_TYPE_FAIL);
	assert_true(str_eq(msg.fail.class, STR("indexer-gone")));
	end_with(&rig, EXIT_FAILED);
}

static void
worker__ends_at_a_message_out_of_order(void **state BF_UNUSED)
{
	struct rig rig;

	start(&rig, ASSIGN("run"));
	(void)rig_expect(&rig.control, MSG_TYPE_PROGRESS);
	rig_set(&rig, "collections", "*");
	end_with(&rig, EXIT_PROTOCOL);

	/* assign before hello */
	rig_start(&rig, "t/workers/null-op");
	rig_say(&rig.control, &(struct msg){ .type = MSG_TYPE_ASSIGN,
	    .assign = *ASSIGN("finish") });
	end_with(&rig, EXIT_PROTOCOL);
}

static void
worker__refuses_a_setting_that_it_does_not_know(void **state BF_UNUSED)
{
	struct rig rig;

	rig_start(&rig, "t/workers/null-op");
	rig_set(&rig, "colour", "blue");
	end_with(&rig, EXIT_PROTOCOL);
}

static void
worker__ends_at_bytes_that_are_no_message(void **state BF_UNUSED)
{
	struct rig rig;

	rig_start(&rig, "t/workers/null-op");
	assert_int_equal(write(rig.control.fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	end_with(&rig, EXIT_PROTOCOL);

	/* LIMIT_FRAME_CONTROL_BYTES */
	rig_start(&rig, "t/workers/null-op");
	assert_int_equal(write(rig.control.fd, "\x00\x01\x00\x01", 4), 4);
	end_with(&rig, EXIT_PROTOCOL);
}

static void
worker__started_by_hand_says_so(void **state BF_UNUSED)
{
	char path[4096];
	pid_t pid;
	int status;

	rig_program_path("t/workers/null-op", path, sizeof(path));
	pid = fork();
	if (pid == 0) {
		(void)close_range(2, ~0u, 0);
		execl(path, "null-op", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_USAGE);
}

static void
worker__has_nothing_open_but_what_the_layout_says(void **state BF_UNUSED)
{
	struct rig rig;
	int fds = 0;

	start(&rig, ASSIGN("list-fds"));
	for (;;) {
		struct msg msg = rig_next(&rig.control);

		if (msg.type == MSG_TYPE_DONE)
			break;
		assert_int_equal(msg.type, MSG_TYPE_LOG);
		fds++;
	}
	assert_int_equal(fds, 5);
	end_with(&rig, EXIT_OK);
}

static const struct CMUnitTest worker_tests[] = {
	cmocka_unit_test(worker__says_hello_then_done_and_exits_0),
	cmocka_unit_test(worker__says_hello_on_the_record_channel_too),
	cmocka_unit_test(worker__says_that_it_answers_pings_and_does),
	cmocka_unit_test(worker__that_fails_says_why_and_exits_1),
	cmocka_unit_test(worker__cleans_and_cuts_the_text_of_others),
	cmocka_unit_test(worker__sends_as_many_failed_items_as_are_kept_and_counts_all),
	cmocka_unit_test(worker__gives_its_type_the_checkpoint_of_an_earlier_attempt),
	cmocka_unit_test(worker__takes_back_only_items_that_were_listed),
	cmocka_unit_test(worker__starts_only_when_its_whole_assignment_has_come),
	cmocka_unit_test(worker__refuses_an_assignment_out_of_order),
	cmocka_unit_test(worker__pauses_with_a_checkpoint_and_exits_0),
	cmocka_unit_test(worker__sends_progress_at_a_bounded_rate),
	cmocka_unit_test(worker__stops_at_once_on_sigterm_with_its_latest_progress),
	cmocka_unit_test(worker__stops_on_sigterm_though_nobody_reads),
	cmocka_unit_test(worker__exits_when_the_supervisor_is_gone),
	cmocka_unit_test(worker__fails_with_indexer_gone_when_fd_4_ends),
	cmocka_unit_test(worker__ends_at_a_message_out_of_order),
	cmocka_unit_test(worker__refuses_a_setting_that_it_does_not_know),
	cmocka_unit_test(worker__ends_at_bytes_that_are_no_message),
	cmocka_unit_test(worker__started_by_hand_says_so),
	cmocka_unit_test(worker__has_nothing_open_but_what_the_layout_says),
};

UNIT_MAIN(worker_tests)

/*
 * test_outcome.c - what a worker's end means (src/supervisor/outcome.h).
 */
#include "t/unit/unit.h"

#include <signal.h>
#include <string.h>

#include "common/exitcode.h"
#include "proto/fdlayout.h"
#include "supervisor/outcome.h"
#include "supervisor/pulse.h"

/* wait(2) statuses as Linux makes them. */
#define EXITED(code)	((code) << 8)
#define KILLED(sig)	(sig)

static struct worker_end
end_with(int wait_status)
{
	return (struct worker_end){ .wait_status = wait_status };
}

static void
done_wins_over_everything_that_came_after(void **state BF_UNUSED)
{
	static const int statuses[] = { EXITED(0), EXITED(1), KILLED(SIGSEGV),
	    KILLED(SIGTERM), KILLED(SIGKILL) };
	static const enum stop_reason reasons[] = { STOP_NONE, STOP_CANCEL,
	    STOP_SHUTDOWN };

	for (size_t i = 0; i < BF_ARRAY_LEN(statuses); i++) {
		for (size_t k = 0; k < BF_ARRAY_LEN(reasons); k++) {
			struct worker_end end = end_with(statuses[i]);

			end.said_done = true;
			end.stop_reason = reasons[k];
			assert_int_equal(outcome_of(&end).event, OP_EVENT_COMPLETE);
		}
	}
}

static void
an_end_by_a_limit_names_the_limit(void **state BF_UNUSED)
{
	static const struct {
		int wait_status;
		const char *class, *says;
	} rows[] = {
		{ EXITED(EXIT_NO_MEMORY), "out-of-memory", "worker_memory_bytes" },
		{ KILLED(SIGXCPU), "cpu-limit", "worker_cpu_secs" },
		{ KILLED(SIGXFSZ), "file-limit", "64 GiB" },
		{ KILLED(SIGSYS), "forbidden-call", "system call" },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		struct worker_end end = end_with(rows[i].wait_status);
		struct outcome outcome = outcome_of(&end);

		assert_int_equal(outcome.event, OP_EVENT_FAIL);
		assert_string_equal(outcome.class, rows[i].class);
		assert_non_null(strstr(outcome.text, rows[i].says));
	}
}

static void
a_cgroup_that_ran_out_of_memory_is_told(void **state BF_UNUSED)
{
	struct worker_end end = end_with(KILLED(SIGKILL));
	struct outcome outcome;

	end.ran_out = true;
	end.has_checkpoint = true;
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_FAIL);
	assert_string_equal(outcome.class, "out-of-memory");
	assert_non_null(strstr(outcome.text, "worker_memory_bytes"));
	/* What was complete before is a result. */
	end.said_done = true;
	assert_int_equal(outcome_of(&end).event, OP_EVENT_COMPLETE);
}

static void
a_worker_over_its_time_has_failed_by_that(void **state BF_UNUSED)
{
	struct worker_end end = end_with(KILLED(SIGTERM));
	struct outcome outcome;

	end.stop_reason = STOP_TIMEOUT;
	end.time_limit_ms = 2 * 3600 * 1000;
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_FAIL);
	assert_string_equal(outcome.class, "timeout");
	assert_non_null(strstr(outcome.text, "2 h"));
	end.said_done = true;
	assert_int_equal(outcome_of(&end).event, OP_EVENT_COMPLETE);
}

static void
a_cancel_is_a_cancel_however_the_worker_died(void **state BF_UNUSED)
{
	static const int statuses[] = { EXITED(0), EXITED(EXIT_STOPPED),
	    KILLED(SIGTERM), KILLED(SIGKILL), KILLED(SIGSEGV) };

	for (size_t i = 0; i < BF_ARRAY_LEN(statuses); i++) {
		struct worker_end end = end_with(statuses[i]);
		struct outcome outcome;

		end.stop_reason = STOP_CANCEL;
		end.was_killed = statuses[i] == KILLED(SIGKILL);
		outcome = outcome_of(&end);
		assert_int_equal(outcome.event, OP_EVENT_CANCEL);
		assert_false(outcome.by_hand);
		assert_int_equal(strstr(outcome.text, "was killed") != NULL, end.was_killed);
	}
}

static void
a_stop_of_the_daemon_interrupts(void **state BF_UNUSED)
{
	struct worker_end end = end_with(KILLED(SIGTERM));

	end.stop_reason = STOP_SHUTDOWN;
	assert_int_equal(outcome_of(&end).event, OP_EVENT_INTERRUPT);
	assert_false(outcome_of(&end).is_crash);
}

static void
a_lost_indexer_interrupts_and_other_failures_fail(void **state BF_UNUSED)
{
	struct worker_end end = end_with(EXITED(1));
	struct outcome outcome;

	end.said_fail = true;
	strcpy(end.fail_class, CLASS_INDEXER_GONE);
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_INTERRUPT);
	assert_true(outcome.is_crash);
	end.is_last_try = true;
	assert_int_equal(outcome_of(&end).event, OP_EVENT_FAIL);

	strcpy(end.fail_class, "unreachable");
	strcpy(end.fail_text, "pds.example: no route to host");
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_FAIL);
	assert_string_equal(outcome.class, "unreachable");
	assert_string_equal(outcome.text, "pds.example: no route to host");
}

static void
a_worker_that_is_killed_goes_on_from_its_checkpoint(void **state BF_UNUSED)
{
	struct worker_end end = end_with(KILLED(SIGKILL));
	struct outcome outcome;

	end.has_checkpoint = true;
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_INTERRUPT);
	assert_true(outcome.is_crash);
	assert_non_null(strstr(outcome.text, "signal 9"));
	end.is_last_try = true;
	assert_int_equal(outcome_of(&end).event, OP_EVENT_FAIL);
	assert_string_equal(outcome_of(&end).class, "worker-died");
	/* A status is no accident. */
	end.is_last_try = false;
	end.wait_status = EXITED(3);
	assert_int_equal(outcome_of(&end).event, OP_EVENT_FAIL);
}

static void
sigterm_from_outside_cancels_by_hand(void **state BF_UNUSED)
{
	static const int statuses[] = { EXITED(EXIT_STOPPED), KILLED(SIGTERM) };

	for (size_t i = 0; i < BF_ARRAY_LEN(statuses); i++) {
		struct worker_end end = end_with(statuses[i]);
		struct outcome outcome = outcome_of(&end);

		assert_int_equal(outcome.event, OP_EVENT_CANCEL);
		assert_true(outcome.by_hand);
	}
}

static void
an_end_without_a_result_is_never_a_success(void **state BF_UNUSED)
{
	static const struct { int status; const char *class, *part; } cases[] = {
		{ EXITED(0), "protocol", "without a result" },
		{ EXITED(3), "worker-died", "exited with status 3" },
		{ KILLED(SIGSEGV), "worker-died", "signal 11 (Segmentation fault)" },
		{ KILLED(SIGKILL), "worker-died", "out of memory" },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct worker_end end = end_with(cases[i].status);
		struct outcome outcome = outcome_of(&end);

		assert_int_equal(outcome.event, OP_EVENT_FAIL);
		assert_string_equal(outcome.class, cases[i].class);
		assert_non_null(strstr(outcome.text, cases[i].part));
	}
}

static void
a_broken_protocol_and_a_missing_hello_fail(void **state BF_UNUSED)
{
	struct worker_end end = end_with(KILLED(SIGTERM));
	struct outcome outcome;

	end.stop_reason = STOP_PROTOCOL;
	strcpy(end.fail_text, "frame of 5 bytes: not a message");
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_FAIL);
	assert_string_equal(outcome.class, "protocol");
	assert_string_equal(outcome.text, end.fail_text);

	end.said_done = true;
	assert_int_equal(outcome_of(&end).event, OP_EVENT_FAIL);
	end.said_done = false;

	end.stop_reason = STOP_HELLO_TIMEOUT;
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_FAIL);
	assert_non_null(strstr(outcome.text, "hello"));
}

static void
a_worker_that_fell_silent_fails_with_what_it_said(void **state BF_UNUSED)
{
	struct worker_end end = end_with(KILLED(SIGKILL));
	struct outcome outcome;

	end.stop_reason = STOP_SILENT;
	end.was_killed = true;
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_FAIL);
	assert_non_null(strstr(outcome.text, "closed its channel"));

	end.said_fail = true;
	strcpy(end.fail_class, "timeout");
	assert_string_equal(outcome_of(&end).class, "timeout");
}

static void
a_pause_sends_the_operation_back_to_the_queue(void **state BF_UNUSED)
{
	struct worker_end end = end_with(EXITED(0));

	end.said_paused = true;
	assert_int_equal(outcome_of(&end).event, OP_EVENT_INTERRUPT);
	assert_false(outcome_of(&end).is_crash);
	end.stop_reason = STOP_CANCEL;		/* asked for meanwhile */
	assert_int_equal(outcome_of(&end).event, OP_EVENT_CANCEL);
	end.stop_reason = STOP_SILENT;		/* it had to be killed afterwards */
	end.wait_status = KILLED(SIGKILL);
	assert_int_equal(outcome_of(&end).event, OP_EVENT_INTERRUPT);
}

static void
a_worker_that_hangs_goes_on_from_its_checkpoint_or_fails(void **state BF_UNUSED)
{
	struct worker_end end = end_with(KILLED(SIGTERM));
	struct outcome outcome;

	end.stop_reason = STOP_HUNG;
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_FAIL);
	assert_string_equal(outcome.class, "worker-hung");
	assert_non_null(strstr(outcome.text, "worker_timeout_ms"));
	end.has_checkpoint = true;
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_INTERRUPT);
	assert_true(outcome.is_crash);
	end.is_last_try = true;
	assert_int_equal(outcome_of(&end).event, OP_EVENT_FAIL);
	/* What it said when it was woken is what counts. */
	end.said_fail = true;
	strcpy(end.fail_class, "unreachable");
	assert_string_equal(outcome_of(&end).class, "unreachable");
	end.said_done = true;
	assert_int_equal(outcome_of(&end).event, OP_EVENT_COMPLETE);
}

static void
silence_is_lost_only_behind_its_time(void **state BF_UNUSED)
{
	struct pulse pulse;

	pulse_start(&pulse, 1000);
	for (int64_t now = 3500; now <= 11000; now += 2500)
		assert_false(pulse_is_lost(&pulse, 10000, now));
	assert_true(pulse_is_lost(&pulse, 10000, 13500));
	pulse.heard_mono_ms = 13501;
	for (int64_t now = 16000; now <= 23500; now += 2500)
		assert_false(pulse_is_lost(&pulse, 10000, now));
	assert_true(pulse_is_lost(&pulse, 10000, 26000));
}

static void
silence_is_not_counted_while_nobody_listened(void **state BF_UNUSED)
{
	struct pulse pulse;

	pulse_start(&pulse, 0);
	assert_false(pulse_is_lost(&pulse, 10000, 2500));
	/* We were stopped for a minute: from here it has its whole time again. */
	for (int64_t now = 62500; now <= 72500; now += 2500)
		assert_false(pulse_is_lost(&pulse, 10000, now));
	assert_true(pulse_is_lost(&pulse, 10000, 75000));
}

static void
what_cannot_be_read_at_assign_is_the_stores_fault(void **state BF_UNUSED)
{
	struct worker_end end = end_with(KILLED(SIGTERM));
	struct outcome outcome;

	end.stop_reason = STOP_ASSIGN;
	strcpy(end.fail_class, CLASS_STORE);
	strcpy(end.fail_text, "store /x: begin: Input/output error");
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_INTERRUPT);
	assert_true(outcome.is_crash);	/* so it is not tried for ever */
	assert_string_equal(outcome.text, end.fail_text);

	end.is_last_try = true;
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_FAIL);
	assert_string_equal(outcome.class, "store");
	assert_string_equal(outcome.text, end.fail_text);

	end.is_last_try = false;
	strcpy(end.fail_class, CLASS_DAMAGED);
	outcome = outcome_of(&end);
	assert_int_equal(outcome.event, OP_EVENT_FAIL);
	assert_string_equal(outcome.class, "damaged");
}

static const struct CMUnitTest outcome_tests[] = {
	cmocka_unit_test(what_cannot_be_read_at_assign_is_the_stores_fault),
	cmocka_unit_test(a_pause_sends_the_operation_back_to_the_queue),
	cmocka_unit_test(done_wins_over_everything_that_came_after),
	cmocka_unit_test(an_end_by_a_limit_names_the_limit),
	cmocka_unit_test(a_cgroup_that_ran_out_of_memory_is_told),
	cmocka_unit_test(a_worker_over_its_time_has_failed_by_that),
	cmocka_unit_test(a_cancel_is_a_cancel_however_the_worker_died),
	cmocka_unit_test(a_stop_of_the_daemon_interrupts),
	cmocka_unit_test(a_lost_indexer_interrupts_and_other_failures_fail),
	cmocka_unit_test(a_worker_that_is_killed_goes_on_from_its_checkpoint),
	cmocka_unit_test(sigterm_from_outside_cancels_by_hand),
	cmocka_unit_test(an_end_without_a_result_is_never_a_success),
	cmocka_unit_test(a_worker_that_fell_silent_fails_with_what_it_said),
	cmocka_unit_test(a_broken_protocol_and_a_missing_hello_fail),
	cmocka_unit_test(a_worker_that_hangs_goes_on_from_its_checkpoint_or_fails),
	cmocka_unit_test(silence_is_lost_only_behind_its_time),
	cmocka_unit_test(silence_is_not_counted_while_nobody_listened),
};

UNIT_MAIN(outcome_tests)

/*
 * test_op_json.c - src/op: an operation's JSON, its percentage and its ETA.
 */
#include "t/unit/unit.h"

#include <signal.h>

#include "op/op_json.h"
#include "op/op_progress.h"

static struct op
running_op(void)
{
	return (struct op){
		.id = STR("3migo7fijwi2k"),
		.type = STR("did-sync"),
		.status = OP_RUNNING,
		.did = STR("did:plc:ewvi7nxzyoun6zhxrhs64oiz"),
		.created_ms = 1775045738708,
		.started_ms = 1775045739000,
		.updated_ms = 1775045740000,
		.started_by = STR("uid 1000"),
		.attempt = 1,
		.stage = STR("fetch"),
		.records_processed = 250,
		.records_total = 1000,
		.rate_milli = 125490,
		.bytes_fetched = 4096,
	};
}

static void
assert_json(const struct op *op, enum op_spelling spelling, const char *expected)
{
	struct buf buf = BUF_INIT;
	struct json json = json_to(&buf);

	op_json(&json, op, spelling);
	buf_add_byte(&buf, '\0');
	assert_string_equal((char *)buf_data(&buf), expected);
	buf_clear(&buf);
}

static void
op_json__of_a_running_operation_has_progress_rate_and_eta(void **state BF_UNUSED)
{
	struct op op = running_op();

	assert_json(&op, OP_KEBAB, "{\"id\":\"3migo7fijwi2k\",\"type\":\"did-sync\","
	    "\"status\":\"running\",\"startedAt\":\"2026-04-01T12:15:38.708Z\","
	    "\"updatedAt\":\"2026-04-01T12:15:40.000Z\","
	    "\"runningSince\":\"2026-04-01T12:15:39.000Z\","
	    "\"triggeredBy\":\"uid 1000\","
	    "\"params\":{\"did\":\"did:plc:ewvi7nxzyoun6zhxrhs64oiz\"},"
	    "\"attempt\":1,\"stage\":\"fetch\",\"recordsProcessed\":250,"
	    "\"totalRecords\":1000,\"progress\":25,\"itemsFailed\":0,"
	    "\"rate\":125,\"etaSeconds\":6,"
	    "\"usage\":{\"cpuMs\":0,\"maxRssKib\":0,\"bytesFetched\":4096}}");
}

static void
op_json__of_a_queued_operation_says_nothing_that_is_not_known(void **state BF_UNUSED)
{
	struct op op = { .id = STR("3migo7fijwi2k"), .type = STR("full-reindex"),
	    .status = OP_QUEUED, .created_ms = 1775045738708, .batch_size = 500,
	    .started_by = STR("did:plc:ewvi7nxzyoun6zhxrhs64oiz") };

	assert_json(&op, OP_CAMEL, "{\"id\":\"3migo7fijwi2k\","
	    "\"type\":\"fullReindex\",\"status\":\"queued\","
	    "\"startedAt\":\"2026-04-01T12:15:38.708Z\","
	    "\"startedBy\":\"did:plc:ewvi7nxzyoun6zhxrhs64oiz\","
	    "\"params\":{\"batchSize\":500},"
	    "\"recordsProcessed\":0,\"itemsFailed\":0}");
}

static void
op_json__of_a_crashed_operation_names_the_signal(void **state BF_UNUSED)
{
	struct op op = { .id = STR("3migo7fijwi2k"), .type = STR("own-type"),
	    .status = OP_FAILED, .created_ms = 1775045738708, .attempt = 2,
	    .completed_ms = 1775045738709, .error_class = STR("worker-died"),
	    .error_text = STR("killed by \"SIGSEGV\""), .exit_status = SIGSEGV + 1,
	    .cpu_ms = 12, .max_rss_kib = 2048, .met_unreachable = 3,
	    .met_answers_429 = 12 };

	assert_json(&op, OP_CAMEL, "{\"id\":\"3migo7fijwi2k\",\"type\":\"own-type\","
	    "\"status\":\"failed\",\"startedAt\":\"2026-04-01T12:15:38.708Z\","
	    "\"completedAt\":\"2026-04-01T12:15:38.709Z\",\"params\":{},\"attempt\":2,"
	    "\"recordsProcessed\":0,\"itemsFailed\":0,"
	    "\"error\":\"killed by \\\"SIGSEGV\\\"\",\"errorClass\":\"worker-died\","
	    "\"usage\":{\"cpuMs\":12,\"maxRssKib\":2048,\"bytesFetched\":0},"
	    "\"met\":{\"429\":12,\"unreachable\":3},"
	    "\"exit\":{\"signal\":\"SIGSEGV\",\"killed\":false}}");
}

static void
op_json__of_a_completed_operation_has_its_changes_even_if_none(void **state BF_UNUSED)
{
	struct op op = running_op();

	op.status = OP_COMPLETED;
	op.completed_ms = 1775045741000;
	op.records_processed = op.records_total;
	op.exit_status = 0 + 1;
	assert_json(&op, OP_KEBAB, "{\"id\":\"3migo7fijwi2k\",\"type\":\"did-sync\","
	    "\"status\":\"completed\",\"startedAt\":\"2026-04-01T12:15:38.708Z\","
	    "\"completedAt\":\"2026-04-01T12:15:41.000Z\","
	    "\"updatedAt\":\"2026-04-01T12:15:40.000Z\","
	    "\"triggeredBy\":\"uid 1000\","
	    "\"params\":{\"did\":\"did:plc:ewvi7nxzyoun6zhxrhs64oiz\"},"
	    "\"attempt\":1,\"stage\":\"fetch\",\"recordsProcessed\":1000,"
	    "\"totalRecords\":1000,\"progress\":100,\"itemsFailed\":0,"
	    "\"changes\":{\"created\":0,\"updated\":0,\"deleted\":0},"
	    "\"usage\":{\"cpuMs\":0,\"maxRssKib\":0,\"bytesFetched\":4096},"
	    "\"exit\":{\"code\":0,\"killed\":false}}");
}

static void
op_json__of_a_cancelled_operation_says_who_why_and_how(void **state BF_UNUSED)
{
	struct op op = { .id = STR("3migo7fijwi2k"), .type = STR("pdsScan"),
	    .status = OP_CANCELLED, .created_ms = 1775045738708, .attempt = 1,
	    .completed_ms = 1775045738709, .cancelled_by = STR("admin"),
	    .cancel_reason = STR("wrong host"), .cancel_asked_ms = 1775045738708,
	    .exit_status = SIGKILL + 1, .was_killed = true };

	assert_json(&op, OP_KEBAB, "{\"id\":\"3migo7fijwi2k\",\"type\":\"pds-scan\","
	    "\"status\":\"cancelled\",\"startedAt\":\"2026-04-01T12:15:38.708Z\","
	    "\"completedAt\":\"2026-04-01T12:15:38.709Z\",\"cancelledBy\":\"admin\","
	    "\"cancelReason\":\"wrong host\","
	    "\"cancelAskedAt\":\"2026-04-01T12:15:38.708Z\",\"params\":{},\"attempt\":1,"
	    "\"recordsProcessed\":0,\"itemsFailed\":0,"
	    "\"usage\":{\"cpuMs\":0,\"maxRssKib\":0,\"bytesFetched\":0},"
	    "\"exit\":{\"signal\":\"SIGKILL\",\"killed\":true}}");
}

/* Repositories, after a catch-up's events. */
static void
op_json__of_a_stage_that_counts_otherwise_is_about_that(void **state BF_UNUSED)
{
	struct op op = running_op();
	unsigned percent;
	uint64_t secs;

	op.records_total = 0;
	op.stage = STR("re-syncing");
	op.stage_done = 20;
	assert_false(op_percent(&op, &percent));
	op.stage_total = 80;
	op.rate_milli = 2000;
	op.bytes_fetched = 0;
	assert_true(op_percent(&op, &percent));
	assert_int_equal(percent, 25);
	assert_true(op_eta_secs(&op, &secs));
	assert_int_equal(secs, 30);
	assert_json(&op, OP_KEBAB, "{\"id\":\"3migo7fijwi2k\",\"type\":\"did-sync\","
	    "\"status\":\"running\",\"startedAt\":\"2026-04-01T12:15:38.708Z\","
	    "\"updatedAt\":\"2026-04-01T12:15:40.000Z\","
	    "\"runningSince\":\"2026-04-01T12:15:39.000Z\","
	    "\"triggeredBy\":\"uid 1000\","
	    "\"params\":{\"did\":\"did:plc:ewvi7nxzyoun6zhxrhs64oiz\"},"
	    "\"attempt\":1,\"stage\":\"re-syncing\",\"recordsProcessed\":250,"
	    "\"progress\":25,\"stageProgress\":{\"done\":20,\"total\":80},"
	    "\"itemsFailed\":0,\"rate\":2,\"etaSeconds\":30,"
	    "\"usage\":{\"cpuMs\":0,\"maxRssKib\":0,\"bytesFetched\":0}}");
	op.status = OP_COMPLETED;
	assert_false(op_percent(&op, &percent));
}

static void
op_percent__is_100_only_when_all_is_done(void **state BF_UNUSED)
{
	struct op op = running_op();
	unsigned percent = 7;

	op.records_processed = 999;
	assert_true(op_percent(&op, &percent));
	assert_int_equal(percent, 99);
	op.records_processed = 2000;
	assert_true(op_percent(&op, &percent));
	assert_int_equal(percent, 100);
	op.records_processed = UINT64_MAX - 1;
	op.records_total = UINT64_MAX;
	assert_true(op_percent(&op, &percent));
	assert_int_equal(percent, 99);
	op.records_total = 0;
	percent = 7;
	assert_false(op_percent(&op, &percent));
	assert_int_equal(percent, 7);
}

static void
op_eta_secs__needs_a_running_operation_that_moves(void **state BF_UNUSED)
{
	struct op op = running_op();
	uint64_t secs = 7;

	op.rate_milli = 1000;
	assert_true(op_eta_secs(&op, &secs));
	assert_int_equal(secs, 750);
	op.rate_milli = 0;
	assert_false(op_eta_secs(&op, &secs));
	op.rate_milli = 1;
	op.records_total = UINT64_MAX;
	assert_false(op_eta_secs(&op, &secs));
	op = running_op();
	op.status = OP_COMPLETED;
	assert_false(op_eta_secs(&op, &secs));
	assert_int_equal(secs, 750);
}

static const struct CMUnitTest op_json_all[] = {
	cmocka_unit_test(op_json__of_a_running_operation_has_progress_rate_and_eta),
	cmocka_unit_test(op_json__of_a_queued_operation_says_nothing_that_is_not_known),
	cmocka_unit_test(op_json__of_a_crashed_operation_names_the_signal),
	cmocka_unit_test(op_json__of_a_completed_operation_has_its_changes_even_if_none),
	cmocka_unit_test(op_json__of_a_cancelled_operation_says_who_why_and_how),
	cmocka_unit_test(op_json__of_a_stage_that_counts_otherwise_is_about_that),
	cmocka_unit_test(op_percent__is_100_only_when_all_is_done),
	cmocka_unit_test(op_eta_secs__needs_a_running_operation_that_moves),
};

UNIT_MAIN(op_json_all)

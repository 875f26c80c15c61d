/*
 * test_op.c - src/op: states, types, parameters.
 */
#include "t/unit/unit.h"

#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "op/op_tier.h"
#include "op/op_type.h"

static void
terminal_states_never_change(void **state BF_UNUSED)
{
	static const enum op_status terminal[] = { OP_COMPLETED, OP_FAILED, OP_CANCELLED };
	enum op_status next;

	for (size_t i = 0; i < BF_ARRAY_LEN(terminal); i++)
		for (int event = OP_EVENT_TRIGGER; event <= OP_EVENT_LOG; event++)
			assert_int_equal(op_status_next(terminal[i],
			    (enum op_event)event, &next), -1);
}

static void
legal_transitions_are_those_of_the_picture(void **state BF_UNUSED)
{
	enum op_status next;
	int legal = 0;

	for (int status = OP_QUEUED; status <= OP_CANCELLED; status++)
		for (int event = OP_EVENT_TRIGGER; event <= OP_EVENT_LOG; event++)
			legal += op_status_next((enum op_status)status,
			    (enum op_event)event, &next) == 0;
	assert_int_equal(legal, 7);
	assert_int_equal(op_status_next(OP_QUEUED, OP_EVENT_START, &next), 0);
	assert_int_equal(next, OP_RUNNING);
	assert_int_equal(op_status_next(OP_RUNNING, OP_EVENT_INTERRUPT, &next), 0);
	assert_int_equal(next, OP_QUEUED);
	assert_int_equal(op_status_next(OP_QUEUED, OP_EVENT_COMPLETE, &next), -1);
}

static void
status_words_round_trip(void **state BF_UNUSED)
{
	enum op_status status;

	for (int i = OP_QUEUED; i <= OP_CANCELLED; i++) {
		assert_int_equal(op_status_parse(str_from(op_status_word(
		    (enum op_status)i)), &status), 0);
		assert_int_equal(status, i);
	}
	assert_int_equal(op_status_parse(STR("Running"), &status), -1);
	assert_int_equal(op_status_parse(STR(""), &status), -1);
	assert_false(op_status_is_valid(0));
	assert_false(op_status_is_valid(6));
}

static void
types_are_found_by_either_spelling(void **state BF_UNUSED)
{
	assert_ptr_equal(op_type_find(STR("did-sync")), op_type_find(STR("didSync")));
	assert_non_null(op_type_find(STR("citationExtraction")));
	assert_null(op_type_find(STR("didsync")));
	assert_null(op_type_find(STR("")));
}

static void
parameters_are_checked_against_their_type(void **state BF_UNUSED)
{
	const struct op_type *did_sync = op_type_find(STR("did-sync"));
	const struct op_type *reindex = op_type_find(STR("full-reindex"));
	struct op op = { .did = STR("did:plc:abc") };
	struct err err;

	assert_int_equal(op_params_check(&op, did_sync, &err), 0);
	assert_int_equal(op_params_check(&op, reindex, &err), -1);
	assert_string_equal(err.text, "full-reindex does not take the parameter did");
	op = (struct op){ 0 };
	assert_int_equal(op_params_check(&op, reindex, &err), 0);
	assert_int_equal(op_params_check(&op, did_sync, &err), -1);
	assert_string_equal(err.text, "did-sync needs the parameter did");
	op.batch_size = 500;
	assert_int_equal(op_params_check(&op, reindex, &err), 0);
}

static void
a_tier_is_one_of_four_words(void **state BF_UNUSED)
{
	static const char *const words[] = { "urgent", "recent", "normal", "background" };
	const struct op_type *scan = op_type_find(STR("freshness-scan"));
	struct op op = { .tier = STR("Urgent") };
	enum op_tier tier;
	struct err err;

	assert_int_equal(op_params_check(&op, scan, &err), -1);
	assert_string_equal(err.text, "tier: has to be urgent, recent, normal or background");
	for (size_t i = 0; i < BF_ARRAY_LEN(words); i++) {
		op.tier = str_from(words[i]);
		assert_int_equal(op_params_check(&op, scan, &err), 0);
		assert_int_equal(op_tier_parse(op.tier, &tier), 0);
		assert_int_equal(tier, i);
	}
	assert_int_equal(op_params_check(&op, op_type_find(STR("pds-scan")), &err), -1);
}

static void
a_tier_goes_by_the_time_since_the_last_change(void **state BF_UNUSED)
{
	const int64_t hour = OP_TIER_HOUR_MS;

	assert_int_equal(op_tier_of(-hour), OP_TIER_URGENT);
	assert_int_equal(op_tier_of(6 * hour - 1), OP_TIER_URGENT);
	assert_int_equal(op_tier_of(6 * hour), OP_TIER_RECENT);
	assert_int_equal(op_tier_of(24 * hour), OP_TIER_NORMAL);
	assert_int_equal(op_tier_of(7 * 24 * hour - 1), OP_TIER_NORMAL);
	assert_int_equal(op_tier_of(7 * 24 * hour), OP_TIER_BACKGROUND);
	assert_int_equal(op_tier_of(INT64_MAX), OP_TIER_BACKGROUND);
}

static void
parameters_are_visible_ascii(void **state BF_UNUSED)
{
	static const char *const bad[] = { "did:web:a b", "did:web:a\nb", "did:web:\x7f",
	    "did:web:\xc3\xa9", "web:a" };
	const struct op_type *did_sync = op_type_find(STR("did-sync"));
	struct op op = { .did = STR("did:web:a\0b") };
	struct err err;

	assert_int_equal(op_params_check(&op, did_sync, &err), -1);
	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++) {
		op.did = str_from(bad[i]);
		assert_int_equal(op_params_check(&op, did_sync, &err), -1);
	}
}

/* LIMIT_DID_BYTES, LIMIT_URL_BYTES, LIMIT_ATURI_BYTES, LIMIT_TIER_BYTES,
 * LIMIT_IDEMPOTENCY_KEY_BYTES. */
static void
parameters_over_their_length_are_refused_with_what_was_given(void **state BF_UNUSED)
{
	static const struct {
		size_t offset, most;
		const char *says;
	} rows[] = {
		{ offsetof(struct op, did), LIMIT_DID_BYTES,
		    "did is longer than 2048 bytes: it has 2049" },
		{ offsetof(struct op, pds_url), LIMIT_URL_BYTES,
		    "pdsUrl is longer than 2048 bytes: it has 2049" },
		{ offsetof(struct op, uri), LIMIT_ATURI_BYTES,
		    "uri is longer than 8192 bytes: it has 8193" },
		{ offsetof(struct op, tier), LIMIT_TIER_BYTES,
		    "tier is longer than 256 bytes: it has 257" },
		{ offsetof(struct op, items_of), TID_LEN,
		    "itemsOf is longer than 13 bytes: it has 14" },
		{ offsetof(struct op, idempotency_key), LIMIT_IDEMPOTENCY_KEY_BYTES,
		    "idempotencyKey is longer than 255 bytes: it has 256" },
	};
	char *text = xmalloc(LIMIT_ATURI_BYTES + 1);
	struct err err;

	memset(text, 'a', LIMIT_ATURI_BYTES + 1);
	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		struct op op = { 0 };
		struct str *given = (struct str *)(void *)((char *)&op + rows[i].offset);

		*given = (struct str){ text, rows[i].most };
		assert_int_equal(op_params_fit(&op, &err), 0);
		given->len++;
		assert_int_equal(op_params_fit(&op, &err), -1);
		assert_int_equal(err.code, ERR_LIMIT);
		assert_string_equal(err.text, rows[i].says);
		/* Before anything else is said of it. */
		assert_int_equal(op_params_check(&op, op_type_find(STR("did-sync")), &err),
		    -1);
		assert_string_equal(err.text, rows[i].says);
	}
	free(text);
}

static void
a_batch_over_LIMIT_BATCH_SIZE_is_refused_with_what_was_given(void **state BF_UNUSED)
{
	struct op op = { .batch_size = LIMIT_BATCH_SIZE };
	struct err err;

	assert_int_equal(op_params_fit(&op, &err), 0);
	op.batch_size++;
	assert_int_equal(op_params_fit(&op, &err), -1);
	assert_string_equal(err.text, "batchSize is greater than 100000: it is 100001");
}

static void
field_numbers_of_the_disk_format_are_unique(void **state BF_UNUSED)
{
	bool seen[256] = { false };

	for (size_t i = 0; i < op_fields_count; i++) {
		assert_false(seen[op_field_numbers[i]]);
		seen[op_field_numbers[i]] = true;
	}
}

static void
what_is_met_is_a_word_of_few_and_else_other(void **state BF_UNUSED)
{
	struct op op = { .met_other = 7 };
	uint64_t met[OP_MET_COUNT];

	for (int i = 0; i < OP_MET_COUNT; i++)
		assert_int_equal(op_met_parse(str_from(op_met_word((enum op_met)i))), i);
	assert_int_equal(op_met_parse(STR("did:plc:abc")), OP_MET_OTHER);
	assert_int_equal(op_met_parse(STR_NONE), OP_MET_OTHER);
	op_met_get(&op, met);
	assert_int_equal(met[OP_MET_OTHER], 7);
	met[OP_MET_TIMEOUT] = 3;
	op_met_set(&op, met);
	assert_int_equal(op.met_timeout, 3);
	assert_int_equal(op.met_other, 7);
}

static void
op_retry__picks_what_the_type_can_run_again(void **state BF_UNUSED)
{
	struct str did = STR("did:plc:abc"), uri = STR("at://did:plc:abc/a.b.c/d"),
	    host = STR("https://pds.test");

	assert_true(str_eq(op_retry_item(OP_RETRY_DIDS, did), did));
	assert_true(str_eq(op_retry_item(OP_RETRY_DIDS, uri), did));
	assert_true(str_eq(op_retry_item(OP_RETRY_DIDS, STR("at://did:plc:abc")), did));
	assert_true(str_is_empty(op_retry_item(OP_RETRY_DIDS, STR("at://handle.test/x"))));
	assert_true(str_is_empty(op_retry_item(OP_RETRY_DIDS, host)));
	assert_true(str_eq(op_retry_item(OP_RETRY_SERVERS, host), host));
	assert_true(str_eq(op_retry_item(OP_RETRY_SERVERS, uri), did));
	assert_true(str_is_empty(op_retry_item(OP_RETRY_SERVERS, STR("unlisted"))));
	assert_true(str_eq(op_retry_item(OP_RETRY_URIS, uri), uri));
	assert_true(str_is_empty(op_retry_item(OP_RETRY_URIS, did)));
	assert_true(str_is_empty(op_retry_item(OP_RETRY_NONE, did)));
}

static void
parameters_say_which_types_can_be_retried(void **state BF_UNUSED)
{
	struct op op = { .items_of = STR("3migo7fijwi2k"), .did = STR("did:plc:abc") };
	struct err err;

	assert_int_equal(op_params_check(&op, op_type_find(STR("did-sync")), &err), 0);
	op.did = STR_NONE;
	assert_int_equal(op_params_check(&op, op_type_find(STR("governance-sync")), &err),
	    -1);
	assert_non_null(strstr(err.text, "cannot be run alone"));
	assert_int_equal(op_params_check(&op, op_type_find(STR("pds-scan")), &err), 0);
	op.items_of = STR("3migo7fijwi");
	assert_int_equal(op_params_check(&op, op_type_find(STR("pds-scan")), &err), -1);
}

static const struct CMUnitTest op_tests[] = {
	cmocka_unit_test(terminal_states_never_change),
	cmocka_unit_test(legal_transitions_are_those_of_the_picture),
	cmocka_unit_test(status_words_round_trip),
	cmocka_unit_test(types_are_found_by_either_spelling),
	cmocka_unit_test(parameters_are_checked_against_their_type),
	cmocka_unit_test(a_tier_is_one_of_four_words),
	cmocka_unit_test(a_tier_goes_by_the_time_since_the_last_change),
	cmocka_unit_test(parameters_are_visible_ascii),
	cmocka_unit_test(parameters_over_their_length_are_refused_with_what_was_given),
	cmocka_unit_test(a_batch_over_LIMIT_BATCH_SIZE_is_refused_with_what_was_given),
	cmocka_unit_test(what_is_met_is_a_word_of_few_and_else_other),
	cmocka_unit_test(op_retry__picks_what_the_type_can_run_again),
	cmocka_unit_test(parameters_say_which_types_can_be_retried),
	cmocka_unit_test(field_numbers_of_the_disk_format_are_unique),
};

UNIT_MAIN(op_tests)

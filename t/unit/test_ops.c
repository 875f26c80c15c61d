/*
 * test_ops.c - src/store/ops: what an operation's record does in its life.
 */
#include "common/buf.h"
#include "common/limits.h"
#include "t/unit/ops_unit.h"

/* One operation's fields, by a callback so that the snapshot ends here. */
static void
look(struct fixture *f, struct str id, void (*see)(const struct op *op))
{
	struct ops_read *read;
	struct err err;
	struct op op;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_get(read, id, &op, &err), 0);
	see(&op);
	ops_read_end(&read);
}

static uint64_t
status_of(struct fixture *f, struct str id)
{
	struct ops_read *read;
	struct err err;
	struct op op;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_get(read, id, &op, &err), 0);
	ops_read_end(&read);
	return op.status;
}

static bool
add_event(const struct ops_event *event, void *arg)
{
	buf_printf(arg, "%s:%.*s ", op_event_word(event->event), STR_FMT(event->text));
	return true;
}

static void
assert_events(struct fixture *f, struct str id, const char *expected)
{
	struct buf seen = BUF_INIT;
	struct ops_read *read;
	struct err err;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_events(read, id, add_event, &seen, &err), 0);
	ops_read_end(&read);
	buf_add_byte(&seen, '\0');
	assert_string_equal((char *)buf_data(&seen), expected);
	buf_clear(&seen);
}

static void
see_new(const struct op *op)
{
	assert_true(str_eq(op->type, STR("did-sync")));
	assert_true(str_eq(op->did, STR("did:plc:a")));
	assert_true(str_eq(op->started_by, STR("admin")));
	assert_int_equal(op->status, OP_QUEUED);
	assert_int_equal(op->created_ms, 1000);
	assert_int_equal(op->updated_ms, 1000);
}

static void
ops_create__keeps_the_operation_across_a_restart(void **state)
{
	struct fixture *f = *state;
	struct err err;
	uint64_t last;

	assert_int_equal(ops_last_id(f->ops, &last, &err), 0);
	assert_true(last == 0);
	made(f, "did-sync", "did:plc:a");
	reopen(f);
	look(f, str_from(f->id), see_new);
	assert_events(f, str_from(f->id), "triggered:admin ");
	assert_int_equal(ops_last_id(f->ops, &last, &err), 0);
	assert_true(last == f->last);
}

static void
ops_create__names_the_active_operation_with_the_same_target(void **state)
{
	struct fixture *f = *state;
	char first[TID_SIZE], active[TID_SIZE] = "";
	struct err err;

	(void)str_copy(first, sizeof(first), made(f, "did-sync", "did:plc:a"));
	assert_int_equal(make(f, "did-sync", "did:plc:a", active, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_string_equal(active, first);
	made(f, "did-sync", "did:plc:b");
	made(f, "full-sync", "");

	assert_int_equal(change(f, str_from(first), OP_EVENT_CANCEL), 0);
	made(f, "did-sync", "did:plc:a");
}

static void
ops_create__tells_long_targets_apart_to_the_last_byte(void **state)
{
	struct fixture *f = *state;
	char did[LIMIT_DID_BYTES + 2], active[TID_SIZE];
	struct err err;

	for (size_t len = 470; len <= LIMIT_DID_BYTES; len += 17) {
		memset(did, 'a', len);
		did[len] = '\0';
		made(f, "did-sync", did);
		assert_int_equal(make(f, "did-sync", did, active, &err), -1);
		did[len - 1] = 'b';
		made(f, "did-sync", did);
	}
	memset(did, 'a', LIMIT_DID_BYTES + 1);
	did[LIMIT_DID_BYTES + 1] = '\0';
	assert_int_equal(make(f, "did-sync", did, active, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

static void
ops_create__refuses_an_id_that_was_given_out(void **state)
{
	struct fixture *f = *state;
	struct op op = { .type = STR("did-sync"), .did = STR("did:plc:z") };
	char active[TID_SIZE];
	struct err err;

	op.id = made(f, "did-sync", "did:plc:a");
	assert_int_equal(ops_create(f->ops, &op, active, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	op.id = STR("not-a-tid");
	assert_int_equal(ops_create(f->ops, &op, active, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void
ops_create__refuses_a_type_that_no_executable_could_have(void **state)
{
	struct fixture *f = *state;
	char type[LIMIT_OP_TYPE_BYTES + 2], active[TID_SIZE];
	struct err err;

	memset(type, 't', sizeof(type));
	type[LIMIT_OP_TYPE_BYTES] = '\0';
	made(f, type, "");
	type[LIMIT_OP_TYPE_BYTES] = 't';
	type[LIMIT_OP_TYPE_BYTES + 1] = '\0';
	assert_int_equal(make(f, type, "", active, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(make(f, "", "", active, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

static void
ops_change__allows_exactly_the_transitions_of_op_state(void **state)
{
	static const enum op_event roads[][3] = {
		{ 0 },
		{ OP_EVENT_START },
		{ OP_EVENT_START, OP_EVENT_COMPLETE },
		{ OP_EVENT_START, OP_EVENT_FAIL },
		{ OP_EVENT_CANCEL },
	};
	struct fixture *f = *state;
	struct err err;

	for (size_t i = 0; i < BF_ARRAY_LEN(roads); i++) {
		for (enum op_event event = OP_EVENT_TRIGGER; event <= OP_EVENT_LOG; event++) {
			enum op_status now = 0, expected, told = 0;
			struct str id;
			char did[64];
			int rc;

			(void)snprintf(did, sizeof(did), "did:plc:%zu-%d", i, (int)event);
			id = made(f, "did-sync", did);
			for (size_t step = 0; step < 3 && roads[i][step] != 0; step++)
				assert_int_equal(change(f, id, roads[i][step]), 0);
			now = (enum op_status)status_of(f, id);
			rc = ops_change(f->ops, id, event, STR(""), 3000, NULL, NULL, &told,
			    &err);
			assert_int_equal(rc, op_status_next(now, event, &expected));
			if (rc == -1)
				assert_int_equal(err.code, ERR_CONFLICT);
			assert_int_equal(told, rc == 0 ? expected : now);
			assert_int_equal(status_of(f, id), told);
		}
	}
}

static void
set_cancelled_by(struct op *op, void *arg)
{
	op->cancelled_by = str_from(arg);
	op->cancel_asked_ms = 1500;
	op->worker_pid = 77;
}

static void
see_cancelled(const struct op *op)
{
	assert_int_equal(op->status, OP_CANCELLED);
	assert_true(str_eq(op->cancelled_by, STR("uid 1000")));
	assert_int_equal(op->cancel_asked_ms, 1500);
	assert_int_equal(op->completed_ms, 2000);
	assert_int_equal(op->updated_ms, 2000);
	assert_int_equal(op->worker_pid, 0);
}

static void
ops_change__writes_the_edit_and_the_event_with_the_state(void **state)
{
	struct fixture *f = *state;
	char by[] = "uid 1000";
	struct str id = made(f, "did-sync", "did:plc:a");
	struct err err;

	assert_int_equal(ops_change(f->ops, id, OP_EVENT_START, STR("worker 77"), 1100,
	    NULL, NULL, NULL, &err), 0);
	assert_int_equal(ops_note(f->ops, id, OP_EVENT_CANCEL_ASKED, STR("why not"), 1500,
	    set_cancelled_by, by, &err), 0);
	assert_int_equal(ops_change(f->ops, id, OP_EVENT_CANCEL, STR("reaped"), 2000,
	    set_cancelled_by, by, NULL, &err), 0);
	look(f, id, see_cancelled);
	assert_events(f, id,
	    "triggered:admin started:worker 77 cancel-asked:why not cancelled:reaped ");
	assert_int_equal(ops_note(f->ops, id, OP_EVENT_LOG, STR("late"), 2100, NULL, NULL,
	    &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
}

static void
set_long_error(struct op *op, void *arg)
{
	op->error_text = str_from(arg);
}

static void
see_cut_error(const struct op *op)
{
	/* 1023 is the last boundary of a two-byte character that starts odd. */
	assert_int_equal(op->error_text.len, LIMIT_OP_TEXT_BYTES - 1);
}

static void
ops_change__cuts_texts_between_characters(void **state)
{
	struct fixture *f = *state;
	char text[LIMIT_OP_TEXT_BYTES * 2 + 2] = "x";
	struct str id = made(f, "did-sync", "did:plc:a");
	struct err err;

	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	assert_int_equal(ops_change(f->ops, id, OP_EVENT_FAIL, str_from(text), 1100,
	    set_long_error, text, NULL, &err), 0);
	look(f, id, see_cut_error);
}

static void
ops_change__says_not_found_for_what_is_no_operation(void **state)
{
	static const char *const bad[] = { "", "x", "3migo7fijwi2k",
	    "3migo7fijwi2k3migo7fijwi2k" };
	struct fixture *f = *state;
	struct err err;

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++) {
		assert_int_equal(ops_change(f->ops, str_from(bad[i]), OP_EVENT_START,
		    STR(""), 1, NULL, NULL, NULL, &err), -1);
		assert_int_equal(err.code, ERR_NOT_FOUND);
	}
}

static void
see_progress(const struct op *op)
{
	assert_true(str_eq(op->stage, STR("verify")));
	assert_int_equal(op->records_processed, 10);
	assert_int_equal(op->records_total, 20);
	assert_int_equal(op->bytes_fetched, 30);
	assert_int_equal(op->rate_milli, 40);
	assert_int_equal(op->items_failed, 3);
	assert_int_equal(op->updated_ms, 1900);
}

static void
see_no_progress(const struct op *op)
{
	assert_int_equal(op->records_processed, 0);
}

static void
ops_write_progress__touches_running_operations_only(void **state)
{
	struct fixture *f = *state;
	struct ops_progress list[4];
	char ids[3][TID_SIZE];
	struct err err;

	for (size_t i = 0; i < 4; i++)
		list[i] = (struct ops_progress){ .id = "3migo7fijwi2k",
		    .stage = STR("verify"), .processed = 10, .total = 20, .failed = 3,
		    .bytes = 30, .rate_milli = 40, .now_ms = 1900 };
	for (size_t i = 0; i < 3; i++) {
		char did[16];

		(void)snprintf(did, sizeof(did), "did:plc:%zu", i);
		(void)str_copy(ids[i], TID_SIZE, made(f, "did-sync", did));
		memcpy(list[i].id, ids[i], TID_SIZE);
	}
	assert_int_equal(change(f, str_from(ids[1]), OP_EVENT_START), 0);
	assert_int_equal(change(f, str_from(ids[2]), OP_EVENT_START), 0);
	assert_int_equal(change(f, str_from(ids[2]), OP_EVENT_COMPLETE), 0);
	assert_int_equal(ops_write_progress(f->ops, list, 4, &err), 0);
	look(f, str_from(ids[0]), see_no_progress);
	look(f, str_from(ids[1]), see_progress);
	look(f, str_from(ids[2]), see_no_progress);
}

static struct bytes
checkpoint_of(struct fixture *f, struct str id, uint8_t copy[16])
{
	struct ops_read *read;
	struct bytes data;
	struct err err;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_get_checkpoint(read, id, &data, &err), 0);
	assert_true(data.len <= 16);
	if (data.len > 0)
		memcpy(copy, data.ptr, data.len);
	ops_read_end(&read);
	return (struct bytes){ copy, data.len };
}

static void
ops_put_checkpoint__lasts_until_the_operation_ends(void **state)
{
	static uint8_t big[LIMIT_CHECKPOINT_BYTES + 1];
	struct fixture *f = *state;
	struct str id = made(f, "did-sync", "did:plc:a");
	uint8_t copy[16];
	struct err err;

	assert_int_equal(checkpoint_of(f, id, copy).len, 0);
	assert_int_equal(change(f, id, OP_EVENT_START), 0);
	assert_int_equal(ops_put_checkpoint(f->ops, id,
	    (struct bytes){ (const uint8_t *)"one", 3 }, 5, 1200, &err), 0);
	assert_int_equal(ops_put_checkpoint(f->ops, id,
	    (struct bytes){ (const uint8_t *)"two!", 4 }, 9, 1300, &err), 0);
	assert_int_equal(ops_put_checkpoint(f->ops, id,
	    (struct bytes){ big, sizeof(big) }, 10, 1300, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(change(f, id, OP_EVENT_INTERRUPT), 0);
	reopen(f);
	assert_true(bytes_eq(checkpoint_of(f, id, copy),
	    (struct bytes){ (const uint8_t *)"two!", 4 }));
	assert_int_equal(change(f, id, OP_EVENT_CANCEL), 0);
	assert_int_equal(checkpoint_of(f, id, copy).len, 0);
	assert_int_equal(ops_put_checkpoint(f->ops, id, BYTES_NONE, 9, 1300, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
}

struct tally {
	unsigned total, logs, transitions;
	int64_t last_ms;
	bool is_in_order;
};

static bool
tally_event(const struct ops_event *event, void *arg)
{
	struct tally *tally = arg;

	tally->total++;
	tally->logs += event->event == OP_EVENT_LOG;
	tally->transitions += event->event == OP_EVENT_START ||
	    event->event == OP_EVENT_INTERRUPT || event->event == OP_EVENT_TRIGGER;
	tally->is_in_order = tally->is_in_order && event->at_ms >= tally->last_ms;
	tally->last_ms = event->at_ms;
	return true;
}

static void
ops_events__drop_old_log_lines_but_no_transition(void **state)
{
	struct fixture *f = *state;
	struct str id = made(f, "did-sync", "did:plc:a");
	struct tally tally = { .is_in_order = true };
	struct ops_read *read;
	struct err err;
	int64_t now = 2000;

	for (int round = 0; round < 10; round++) {
		assert_int_equal(ops_change(f->ops, id, OP_EVENT_START, STR(""), now++,
		    NULL, NULL, NULL, &err), 0);
		for (int i = 0; i < LIMIT_OP_EVENTS / 4; i++)
			assert_int_equal(ops_note(f->ops, id, OP_EVENT_LOG, STR("line"),
			    now++, NULL, NULL, &err), 0);
		assert_int_equal(ops_change(f->ops, id, OP_EVENT_INTERRUPT, STR(""), now++,
		    NULL, NULL, NULL, &err), 0);
	}
	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_events(read, id, tally_event, &tally, &err), 0);
	ops_read_end(&read);
	assert_int_equal(tally.total, LIMIT_OP_EVENTS);
	assert_int_equal(tally.transitions, 21);
	assert_true(tally.is_in_order);
	assert_int_equal(tally.last_ms, now - 1);
}

static void
ops_events__drop_log_lines_before_notes(void **state)
{
	struct fixture *f = *state;
	struct str id = made(f, "did-sync", "did:plc:a");
	struct buf seen = BUF_INIT;
	struct ops_read *read;
	struct err err;

	assert_int_equal(ops_note(f->ops, id, OP_EVENT_CANCEL_ASKED, STR("by me"), 1, NULL,
	    NULL, &err), 0);
	for (int i = 0; i < LIMIT_OP_EVENTS + 50; i++)
		assert_int_equal(ops_note(f->ops, id, OP_EVENT_LOG, STR("line"), 2, NULL,
		    NULL, &err), 0);
	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_events(read, id, add_event, &seen, &err), 0);
	ops_read_end(&read);
	assert_true(str_starts_with(buf_str(&seen),
	    STR("triggered:admin cancel-asked:by me log:line ")));
	buf_clear(&seen);
}

static const struct CMUnitTest ops[] = {
	OPS_TEST(ops_create__keeps_the_operation_across_a_restart),
	OPS_TEST(ops_create__names_the_active_operation_with_the_same_target),
	OPS_TEST(ops_create__tells_long_targets_apart_to_the_last_byte),
	OPS_TEST(ops_create__refuses_an_id_that_was_given_out),
	OPS_TEST(ops_create__refuses_a_type_that_no_executable_could_have),
	OPS_TEST(ops_change__allows_exactly_the_transitions_of_op_state),
	OPS_TEST(ops_change__writes_the_edit_and_the_event_with_the_state),
	OPS_TEST(ops_change__cuts_texts_between_characters),
	OPS_TEST(ops_change__says_not_found_for_what_is_no_operation),
	OPS_TEST(ops_write_progress__touches_running_operations_only),
	OPS_TEST(ops_put_checkpoint__lasts_until_the_operation_ends),
	OPS_TEST(ops_events__drop_old_log_lines_but_no_transition),
	OPS_TEST(ops_events__drop_log_lines_before_notes),
};

UNIT_MAIN(ops)

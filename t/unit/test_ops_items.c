/*
 * test_ops_items.c - src/store/ops: the items of an operation that could not be done.
 */
#include "common/buf.h"
#include "common/limits.h"
#include "store/item_sets.h"
#include "t/unit/ops_unit.h"

static void
assert_items_failed(struct fixture *f, struct str id, uint64_t expected)
{
	struct ops_read *read;
	struct err err;
	struct op op;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_get(read, id, &op, &err), 0);
	assert_int_equal(op.items_failed, expected);
	ops_read_end(&read);
}

static bool
count_item(const struct ops_item *item, void *arg)
{
	unsigned *count = arg;

	assert_int_equal(item->at_ms, *count);
	assert_true(str_eq(item->class, STR("unreachable")));
	(*count)++;
	return true;
}

static void
ops_add_item__counts_all_and_keeps_so_many(void **state)
{
	struct fixture *f = *state;
	struct str id = made(f, "pds-scan", "");
	struct ops_read *read;
	unsigned count = 0;
	struct err err;

	assert_int_equal(change(f, id, OP_EVENT_START), 0);
	for (int i = 0; i < LIMIT_OP_ITEMS + 50; i++) {
		char did[16];
		struct ops_item item = { i, STR_NONE, STR("unreachable"), STR("no route") };

		(void)snprintf(did, sizeof(did), "did:plc:%d", i);
		item.item = str_from(did);
		assert_int_equal(ops_add_item(f->ops, id, &item, &err), 0);
	}
	assert_items_failed(f, id, LIMIT_OP_ITEMS + 50);
	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_items(read, id, count_item, &count, &err), 0);
	ops_read_end(&read);
	assert_int_equal(count, LIMIT_OP_ITEMS);
}

static bool
add_item(const struct ops_item *item, void *arg)
{
	buf_printf(arg, "%.*s:%.*s:%.*s ", STR_FMT(item->item), STR_FMT(item->class),
	    STR_FMT(item->text));
	return true;
}

static void
set_one_failed(struct op *op, void *arg BF_UNUSED)
{
	op->items_failed = 1;
}

/* As by a worker that died behind the second of them, and one that went on from what
 * was before it. */
static void
ops_add_item__keeps_and_counts_what_is_said_again_once(void **state)
{
	struct fixture *f = *state;
	struct str id = made(f, "catch-up", "");
	struct ops_item first = { 1, STR("did:plc:a"), STR("timeout"), STR("slow") },
	    second = { 2, STR("did:plc:b"), STR("timeout"), STR("slow") },
	    again = { 3, STR("did:plc:a"), STR("unreachable"), STR("no route") };
	struct ops_progress progress = { .failed = 1, .now_ms = 4 };
	struct buf seen = BUF_INIT;
	struct ops_read *read;
	struct err err;

	(void)str_copy(progress.id, TID_SIZE, id);
	assert_int_equal(change(f, id, OP_EVENT_START), 0);
	assert_int_equal(ops_add_item(f->ops, id, &first, &err), 0);
	assert_int_equal(ops_add_item(f->ops, id, &second, &err), 0);
	assert_int_equal(ops_add_item(f->ops, id, &again, &err), 0);
	assert_items_failed(f, id, 2);
	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_items(read, id, add_item, &seen, &err), 0);
	ops_read_end(&read);
	assert_true(str_eq(buf_str(&seen),
	    STR("did:plc:a:unreachable:no route did:plc:b:timeout:slow ")));
	buf_clear(&seen);
	assert_int_equal(ops_write_progress(f->ops, &progress, 1, &err), 0);
	assert_items_failed(f, id, 2);
	progress.failed = 9;
	assert_int_equal(ops_write_progress(f->ops, &progress, 1, &err), 0);
	assert_items_failed(f, id, 9);
	assert_int_equal(ops_change(f->ops, id, OP_EVENT_COMPLETE, STR(""), 5,
	    set_one_failed, NULL, NULL, &err), 0);
	assert_items_failed(f, id, 2);
}

/* More operations than are remembered (item_sets.h), and one that was taken back. */
static void
ops_add_item__knows_what_is_kept_without_having_seen_it(void **state)
{
	struct ops_item item = { 1, STR("did:plc:a"), STR("timeout"), STR("slow") };
	struct fixture *f = *state;
	char ids[ITEM_SETS + 2][TID_SIZE];
	struct err err;

	for (size_t i = 0; i < BF_ARRAY_LEN(ids); i++) {
		char did[24];

		(void)snprintf(did, sizeof(did), "did:web:n%zu.test", i);
		(void)str_copy(ids[i], TID_SIZE, made(f, "did-sync", did));
		assert_int_equal(change(f, str_from(ids[i]), OP_EVENT_START), 0);
		assert_int_equal(ops_add_item(f->ops, str_from(ids[i]), &item, &err), 0);
	}
	for (size_t i = 0; i < BF_ARRAY_LEN(ids); i++) {
		assert_int_equal(ops_add_item(f->ops, str_from(ids[i]), &item, &err), 0);
		assert_items_failed(f, str_from(ids[i]), 1);
	}
	item.item = STR("did:plc:b");
	assert_int_equal(ops_group_begin(f->ops, &err), 0);
	assert_int_equal(ops_add_item(f->ops, str_from(ids[0]), &item, &err), 0);
	ops_group_abort(f->ops);
	assert_items_failed(f, str_from(ids[0]), 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ops_add_item(f->ops, str_from(ids[0]), &item, &err), 0);
		assert_items_failed(f, str_from(ids[0]), 2);
	}
}

static void
assert_listed(struct fixture *f, struct str id, bool wants_open, const char *expected)
{
	struct buf seen = BUF_INIT;
	struct ops_read *read;
	struct err err;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(wants_open ? ops_open_items(read, id, add_item, &seen, &err) :
	    ops_items(read, id, add_item, &seen, &err), 0);
	ops_read_end(&read);
	assert_true(str_eq(buf_str(&seen), str_from(expected)));
	buf_clear(&seen);
}

static void
ops_take_back_item__neither_keeps_nor_counts_it_any_more(void **state)
{
	struct fixture *f = *state;
	struct str id = made(f, "catch-up", "");
	struct ops_item a = { 1, STR("did:a"), STR("timeout"), STR("slow") },
	    b = { 2, STR("did:b"), STR("timeout"), STR("slow") };
	struct ops_progress progress = { .now_ms = 4 };
	struct bytes data = { (const uint8_t *)"here", 4 };
	struct err err;

	(void)str_copy(progress.id, TID_SIZE, id);
	assert_int_equal(change(f, id, OP_EVENT_START), 0);
	assert_int_equal(ops_add_item(f->ops, id, &a, &err), 0);
	assert_int_equal(ops_put_checkpoint(f->ops, id, data, 0, 3, &err), 0);
	assert_int_equal(ops_add_item(f->ops, id, &b, &err), 0);
	assert_int_equal(ops_take_back_item(f->ops, id, STR("did:b"), 3, &err), 0);
	assert_int_equal(ops_take_back_item(f->ops, id, STR("did:b"), 3, &err), 0);
	assert_int_equal(ops_take_back_item(f->ops, id, STR("did:c"), 3, &err), 0);
	assert_int_equal(ops_take_back_item(f->ops, id, STR_NONE, 3, &err), 0);
	assert_listed(f, id, false, "did:a:timeout:slow ");
	assert_items_failed(f, id, 1);
	assert_int_equal(ops_write_progress(f->ops, &progress, 1, &err), 0);
	assert_items_failed(f, id, 1);
	assert_int_equal(ops_add_item(f->ops, id, &b, &err), 0);
	assert_listed(f, id, false, "did:a:timeout:slow did:b:timeout:slow ");
	assert_items_failed(f, id, 2);
	reopen(f);
	assert_int_equal(ops_take_back_item(f->ops, id, STR("did:a"), 3, &err), 0);
	assert_listed(f, id, false, "did:b:timeout:slow ");
	assert_int_equal(change(f, id, OP_EVENT_COMPLETE), 0);
	assert_items_failed(f, id, 1);
	assert_int_equal(ops_take_back_item(f->ops, id, STR("did:b"), 3, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
}

/* What each attempt says, and of what it is told: an item is open until it is said again,
 * whatever checkpoints come, and covered by a checkpoint of the attempt that said it. */
static void
ops_open_items__are_those_that_no_checkpoint_of_their_attempt_covers(void **state)
{
	struct fixture *f = *state;
	struct str id = made(f, "catch-up", "");
	struct ops_item a = { 1, STR("did:a"), STR("timeout"), STR("slow") },
	    b = { 2, STR("did:b"), STR("timeout"), STR("slow") };
	struct bytes data = { (const uint8_t *)"here", 4 };
	struct err err;

	assert_int_equal(change(f, id, OP_EVENT_START), 0);
	assert_int_equal(ops_add_item(f->ops, id, &a, &err), 0);
	assert_int_equal(ops_put_checkpoint(f->ops, id, data, 0, 3, &err), 0);
	assert_int_equal(ops_add_item(f->ops, id, &b, &err), 0);
	assert_listed(f, id, true, "");
	for (int attempt = 2; attempt < 4; attempt++) {
		assert_int_equal(change(f, id, OP_EVENT_INTERRUPT), 0);
		assert_int_equal(change(f, id, OP_EVENT_START), 0);
		assert_listed(f, id, true, "did:b:timeout:slow ");
		assert_int_equal(ops_put_checkpoint(f->ops, id, data, 0, 3, &err), 0);
	}
	assert_int_equal(ops_add_item(f->ops, id, &b, &err), 0);
	assert_int_equal(ops_put_checkpoint(f->ops, id, data, 0, 3, &err), 0);
	assert_int_equal(ops_add_item(f->ops, id, &a, &err), 0);
	assert_int_equal(change(f, id, OP_EVENT_INTERRUPT), 0);
	assert_int_equal(change(f, id, OP_EVENT_START), 0);
	assert_listed(f, id, true, "did:a:timeout:slow ");
	assert_listed(f, id, false, "did:a:timeout:slow did:b:timeout:slow ");
}

static const struct CMUnitTest items[] = {
	OPS_TEST(ops_add_item__counts_all_and_keeps_so_many),
	OPS_TEST(ops_add_item__keeps_and_counts_what_is_said_again_once),
	OPS_TEST(ops_add_item__knows_what_is_kept_without_having_seen_it),
	OPS_TEST(ops_open_items__are_those_that_no_checkpoint_of_their_attempt_covers),
	OPS_TEST(ops_take_back_item__neither_keeps_nor_counts_it_any_more),
};

UNIT_MAIN(items)

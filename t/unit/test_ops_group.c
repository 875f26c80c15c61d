/*
 * test_ops_group.c - src/store/ops.h: writes that reach the disk together.
 */
#include "t/unit/ops_unit.h"

static bool
count_item(const struct ops_item *item BF_UNUSED, void *arg)
{
	(*(unsigned *)arg)++;
	return true;
}

static unsigned
items_of(struct fixture *f, struct str id)
{
	struct ops_read *read;
	unsigned count = 0;
	struct err err;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_items(read, id, count_item, &count, &err), 0);
	ops_read_end(&read);
	return count;
}

static void
a_group_is_seen_when_it_is_committed_and_not_before(void **state)
{
	struct ops_item item = { 1, STR_NONE, STR("unreachable"), STR("no route") };
	static const char dids[] = "did:plc:0123456789";
	struct fixture *f = *state;
	struct str id = made(f, "pds-scan", "");
	struct err err;

	assert_int_equal(change(f, id, OP_EVENT_START), 0);
	assert_int_equal(ops_group_begin(f->ops, &err), 0);
	for (size_t i = 0; i < 10; i++) {
		item.item = (struct str){ dids, sizeof(dids) - 1 - i };
		assert_int_equal(ops_add_item(f->ops, id, &item, &err), 0);
	}
	assert_int_equal(items_of(f, id), 0);
	assert_int_equal(ops_group_commit(f->ops, &err), 0);
	assert_int_equal(items_of(f, id), 10);
}

static void
a_write_that_fails_takes_nothing_else_of_its_group_along(void **state)
{
	struct ops_item item = { 1, STR("did:plc:a"), STR("unreachable"), STR("no route") };
	struct fixture *f = *state;
	struct str id = made(f, "pds-scan", "");
	struct err err;

	assert_int_equal(change(f, id, OP_EVENT_START), 0);
	assert_int_equal(ops_group_begin(f->ops, &err), 0);
	assert_int_equal(ops_add_item(f->ops, id, &item, &err), 0);
	assert_int_equal(ops_add_item(f->ops, STR("3zzzzzzzzzzzz"), &item, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	item.item = STR("did:plc:b");
	assert_int_equal(ops_add_item(f->ops, id, &item, &err), 0);
	assert_int_equal(ops_group_commit(f->ops, &err), 0);
	assert_int_equal(items_of(f, id), 2);

	/* And a write of its own works as before. */
	assert_int_equal(change(f, id, OP_EVENT_COMPLETE), 0);
}

static void
a_part_of_a_group_is_all_or_nothing(void **state)
{
	struct ops_item item = { 1, STR("did:plc:a"), STR("unreachable"), STR("no route") };
	struct fixture *f = *state;
	struct str over = made(f, "full-reindex", ""), id;
	char over_id[TID_SIZE];
	struct err err;

	assert_int_equal(change(f, over, OP_EVENT_START), 0);
	assert_int_equal(change(f, over, OP_EVENT_COMPLETE), 0);
	(void)str_copy(over_id, sizeof(over_id), over);
	over = str_from(over_id);
	id = made(f, "pds-scan", "");		/* overwrites what made() returned before */
	assert_int_equal(change(f, id, OP_EVENT_START), 0);
	assert_int_equal(ops_group_begin(f->ops, &err), 0);
	assert_int_equal(ops_part_begin(f->ops, &err), 0);
	assert_int_equal(ops_add_item(f->ops, id, &item, &err), 0);
	assert_int_equal(ops_put_checkpoint(f->ops, id, BYTES_NONE, 1, 1, &err), 0);
	assert_int_equal(ops_part_commit(f->ops, &err), 0);

	assert_int_equal(ops_part_begin(f->ops, &err), 0);
	item.item = STR("did:plc:b");
	assert_int_equal(ops_add_item(f->ops, id, &item, &err), 0);
	assert_int_equal(ops_add_item(f->ops, over, &item, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	ops_part_abort(f->ops);

	item.item = STR("did:plc:c");
	assert_int_equal(ops_add_item(f->ops, id, &item, &err), 0);
	assert_int_equal(ops_group_commit(f->ops, &err), 0);
	assert_int_equal(items_of(f, id), 2);
	assert_int_equal(items_of(f, over), 0);

	/* And one that goes with its group. */
	assert_int_equal(ops_group_begin(f->ops, &err), 0);
	assert_int_equal(ops_part_begin(f->ops, &err), 0);
	item.item = STR("did:plc:d");
	assert_int_equal(ops_add_item(f->ops, id, &item, &err), 0);
	assert_int_equal(ops_part_commit(f->ops, &err), 0);
	ops_group_abort(f->ops);
	assert_int_equal(items_of(f, id), 2);
}

static const struct CMUnitTest ops_group[] = {
	OPS_TEST(a_group_is_seen_when_it_is_committed_and_not_before),
	OPS_TEST(a_write_that_fails_takes_nothing_else_of_its_group_along),
	OPS_TEST(a_part_of_a_group_is_all_or_nothing),
};

UNIT_MAIN(ops_group)

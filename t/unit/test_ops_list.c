/*
 * test_ops_list.c - src/store/ops: lists and counts against a plain array.
 */
#include "t/unit/ops_unit.h"

#define MODEL_OPS	240
#define MODEL_TYPES	3

static const char *const model_types[MODEL_TYPES] = { "did-sync", "did-sync-x", "pds-scan" };

struct model {
	struct { char id[TID_SIZE]; unsigned type; enum op_status status; } ops[MODEL_OPS];
	unsigned count;
};

static bool
model_matches(const struct model *m, unsigned i, const struct ops_filter *filter)
{
	if (filter->status != 0 && m->ops[i].status != filter->status)
		return false;
	if (filter->finished_only && !op_status_is_terminal(m->ops[i].status))
		return false;
	if (filter->type.len > 0 &&
	    !str_eq(filter->type, str_from(model_types[m->ops[i].type])))
		return false;
	return filter->oldest_first || filter->before_id.len == 0 ||
	    str_cmp(str_from(m->ops[i].id), filter->before_id) < 0;
}

struct page {
	char ids[MODEL_OPS][TID_SIZE];
	unsigned count, max;
};

static bool
add_to_page(const struct op *op, void *arg)
{
	struct page *page = arg;

	(void)str_copy(page->ids[page->count++], TID_SIZE, op->id);
	return page->count < page->max;
}

static void
assert_list(struct fixture *f, const struct model *m, struct ops_filter filter,
    unsigned max)
{
	struct page page = { .max = max };
	struct ops_read *read;
	unsigned at = 0;
	struct err err;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_list(read, &filter, add_to_page, &page, &err), 0);
	ops_read_end(&read);
	for (unsigned i = 0; i < m->count && at < max; i++) {
		unsigned which = filter.oldest_first ? i : m->count - 1 - i;

		if (!model_matches(m, which, &filter))
			continue;
		assert_true(at < page.count);
		assert_string_equal(page.ids[at], m->ops[which].id);
		at++;
	}
	assert_int_equal(page.count, at);
}

static void
model_fill(struct fixture *f, struct model *m)
{
	static const enum op_event events[] = { OP_EVENT_START, OP_EVENT_COMPLETE,
	    OP_EVENT_FAIL, OP_EVENT_CANCEL, OP_EVENT_INTERRUPT };

	for (m->count = 0; m->count < MODEL_OPS; m->count++) {
		unsigned type = (unsigned)rand() % MODEL_TYPES;
		char did[32];

		(void)snprintf(did, sizeof(did), "did:plc:%u", m->count);
		(void)str_copy(m->ops[m->count].id, TID_SIZE,
		    made(f, model_types[type], did));
		m->ops[m->count].type = type;
		m->ops[m->count].status = OP_QUEUED;
	}
	for (int i = 0; i < MODEL_OPS * 3; i++) {
		unsigned which = (unsigned)rand() % MODEL_OPS;
		enum op_event event = events[(unsigned)rand() % BF_ARRAY_LEN(events)];
		enum op_status next;
		int rc = op_status_next(m->ops[which].status, event, &next);

		assert_int_equal(change(f, str_from(m->ops[which].id), event), rc);
		if (rc == 0)
			m->ops[which].status = next;
	}
}

static void
ops_list__agrees_with_a_plain_array_for_every_filter(void **state)
{
	static struct model m;
	struct fixture *f = *state;

	srand(11);
	model_fill(f, &m);
	for (int i = 0; i < 600; i++) {
		struct ops_filter filter = { 0 };
		unsigned type = (unsigned)rand() % (MODEL_TYPES + 2);

		if (rand() % 2 == 0)
			filter.status = (enum op_status)(rand() % (OP_STATUS_COUNT + 1));
		else
			filter.finished_only = rand() % 2 == 0;
		if (type < MODEL_TYPES)
			filter.type = str_from(model_types[type]);
		else if (type == MODEL_TYPES && i % 10 == 0)
			filter.type = STR("did");
		if (rand() % 2 == 0)
			filter.before_id = str_from(m.ops[rand() % MODEL_OPS].id);
		filter.oldest_first = rand() % 3 == 0;
		assert_list(f, &m, filter, 1 + (unsigned)rand() % MODEL_OPS);
	}
}

static void
ops_count__agrees_with_a_plain_array(void **state)
{
	static struct model m;
	struct fixture *f = *state;
	uint64_t counts[OP_STATUS_COUNT + 1], expected[OP_STATUS_COUNT + 1] = { 0 };
	struct ops_read *read;
	struct err err;

	srand(12);
	model_fill(f, &m);
	for (unsigned i = 0; i < m.count; i++)
		expected[m.ops[i].status]++;
	reopen(f);
	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_count(read, counts, &err), 0);
	ops_read_end(&read);
	assert_memory_equal(counts, expected, sizeof(counts));
}

static void
ops_list__refuses_a_cursor_that_is_no_id(void **state)
{
	struct fixture *f = *state;
	struct ops_filter filter = { .before_id = STR("../../etc") };
	struct ops_read *read;
	struct err err;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_list(read, &filter, add_to_page, NULL, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	ops_read_end(&read);
}

static const struct CMUnitTest ops_list_tests[] = {
	OPS_TEST(ops_list__agrees_with_a_plain_array_for_every_filter),
	OPS_TEST(ops_count__agrees_with_a_plain_array),
	OPS_TEST(ops_list__refuses_a_cursor_that_is_no_id),
};

UNIT_MAIN(ops_list_tests)

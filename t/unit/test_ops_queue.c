/*
 * test_ops_queue.c - what may start, idempotency keys, schedules, damaged records,
 * and stores of earlier versions (src/store/ops_queue.c and its neighbours).
 */
#include "t/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/limits.h"
#include "t/unit/ops_unit.h"
#include "t/unit/store_unit.h"

#define SOME_MS	1700000000000ll

/* --- the queue --- */

static struct str
queued(struct fixture *f, const char *type, const char *did, uint64_t priority)
{
	struct op op = { .type = str_from(type), .did = str_from(did),
	    .priority = priority, .created_ms = 1000 };
	char active[TID_SIZE];
	struct err err;

	f->last = tid_next(f->last, 1700000000000000, 1);
	tid_format(f->last, f->id);
	op.id = str_from(f->id);
	assert_int_equal(ops_create(f->ops, &op, active, &err), 0);
	return op.id;
}

/* The walk as text: "type:did " for each turn, "!" for a damaged one. */
struct walk {
	struct buf seen;
	bool one_per_type;
};

static enum ops_verdict
see(const struct ops_turn *turn, void *arg)
{
	struct walk *walk = arg;

	if (turn->op == NULL)
		buf_add_str(&walk->seen, STR("! "));
	else
		buf_printf(&walk->seen, "%.*s:%.*s ", STR_FMT(turn->type),
		    STR_FMT(turn->op->did));
	return walk->one_per_type ? OPS_NEXT_TYPE : OPS_NEXT;
}

static void
assert_queue(struct fixture *f, bool one_per_type, const char *expected)
{
	struct walk walk = { BUF_INIT, one_per_type };
	struct ops_read *read;
	struct err err;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_queue(read, see, &walk, &err), 0);
	ops_read_end(&read);
	buf_add_byte(&walk.seen, '\0');
	assert_string_equal((char *)buf_data(&walk.seen), expected);
	buf_clear(&walk.seen);
}

static void
queue__is_by_priority_then_type_then_age(void **state)
{
	struct fixture *f = *state;

	queued(f, "pds-scan", "a", OP_PRIORITY_BULK);
	queued(f, "did-sync", "b", OP_PRIORITY_BULK);
	queued(f, "did-sync", "c", OP_PRIORITY_INTERACTIVE);
	queued(f, "did-sync-x", "d", OP_PRIORITY_BULK);
	queued(f, "did-sync", "e", OP_PRIORITY_INTERACTIVE);
	queued(f, "pds-scan", "f", OP_PRIORITY_BULK);
	assert_queue(f, false, "did-sync:c did-sync:e did-sync:b did-sync-x:d "
	    "pds-scan:a pds-scan:f ");
	assert_queue(f, true, "did-sync:c did-sync:b did-sync-x:d pds-scan:a ");
}

static void
pause_now(struct op *op, void *arg)
{
	op->paused_ms = *(const uint64_t *)arg;
}

static void
note(struct fixture *f, struct str id, enum op_event event, uint64_t paused_ms)
{
	struct err err;

	assert_int_equal(ops_note(f->ops, id, event, STR(""), 2000, pause_now, &paused_ms,
	    &err), 0);
}

static void
queue__has_what_is_queued_and_not_paused(void **state)
{
	struct fixture *f = *state;
	char id[TID_SIZE];

	(void)str_copy(id, sizeof(id), queued(f, "did-sync", "a", 0));
	note(f, str_from(id), OP_EVENT_PAUSE, 7);
	assert_queue(f, false, "");
	note(f, str_from(id), OP_EVENT_RESUME, 0);
	assert_queue(f, false, "did-sync:a ");
	assert_int_equal(change(f, str_from(id), OP_EVENT_START), 0);
	assert_queue(f, false, "");

	/* A pause of one that runs takes effect when it is back in the queue. */
	note(f, str_from(id), OP_EVENT_PAUSE, 7);
	assert_int_equal(change(f, str_from(id), OP_EVENT_INTERRUPT), 0);
	assert_queue(f, false, "");
	note(f, str_from(id), OP_EVENT_RESUME, 0);
	assert_queue(f, false, "did-sync:a ");
	assert_int_equal(change(f, str_from(id), OP_EVENT_CANCEL), 0);
	assert_queue(f, false, "");
}

/* --- idempotency keys --- */

static int
create_with_key(struct fixture *f, const char *did, const char *key, int64_t now_ms)
{
	struct op op = { .type = STR("did-sync"), .did = str_from(did),
	    .idempotency_key = str_from(key), .created_ms = (uint64_t)now_ms };
	char active[TID_SIZE];
	struct err err;

	f->last = tid_next(f->last, now_ms * 1000, 1);
	tid_format(f->last, f->id);
	op.id = str_from(f->id);
	return ops_create(f->ops, &op, active, &err);
}

/* "": unknown; "!": another request's. */
static void
assert_key(struct fixture *f, const char *did, const char *key, const char *expected)
{
	struct op request = { .type = STR("did-sync"), .did = str_from(did),
	    .idempotency_key = str_from(key) };
	struct ops_read *read;
	struct str id;
	struct err err;
	int rc;

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	rc = ops_find_key(read, &request, &id, &err);
	if (strcmp(expected, "!") == 0) {
		assert_int_equal(rc, -1);
		assert_int_equal(err.code, ERR_CONFLICT);
	} else {
		assert_int_equal(rc, 0);
		assert_true(str_eq(id, str_from(expected)));
	}
	ops_read_end(&read);
}

static void
key__finds_the_same_request_and_refuses_another(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(create_with_key(f, "did:a", "one", SOME_MS), 0);
	assert_key(f, "did:a", "one", f->id);
	assert_key(f, "did:b", "one", "!");
	assert_key(f, "did:a", "two", "");
	assert_key(f, "did:a", "", "");
	assert_int_equal(change(f, str_from(f->id), OP_EVENT_CANCEL), 0);
	assert_key(f, "did:a", "one", f->id);	/* also when it has ended */
}

static void
key__is_forgotten_after_a_day(void **state)
{
	struct fixture *f = *state;
	char first[TID_SIZE];

	assert_int_equal(create_with_key(f, "did:a", "one", SOME_MS), 0);
	memcpy(first, f->id, sizeof(first));
	assert_int_equal(create_with_key(f, "did:b", "two",
	    SOME_MS + OPS_KEY_LIFE_MS - 1000), 0);
	assert_key(f, "did:a", "one", first);
	assert_int_equal(create_with_key(f, "did:c", "three",
	    SOME_MS + OPS_KEY_LIFE_MS + 1000), 0);
	assert_key(f, "did:a", "one", "");
	assert_key(f, "did:c", "three", f->id);
}

/* More than LIMIT_IDEMPOTENCY_KEYS of a day would take too long to make here. */
static void
key__is_bounded_in_length(void **state)
{
	struct fixture *f = *state;
	char key[LIMIT_IDEMPOTENCY_KEY_BYTES + 2];

	assert_true(LIMIT_IDEMPOTENCY_KEYS > 0);
	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	assert_int_equal(create_with_key(f, "did:a", key, SOME_MS), -1);
	key[sizeof(key) - 2] = '\0';
	assert_int_equal(create_with_key(f, "did:a", key, SOME_MS), 0);
	assert_key(f, "did:a", key, f->id);
}

/* --- schedules --- */

static void
schedule__is_kept_and_found_by_name(void **state)
{
	struct fixture *f = *state;
	struct ops_schedule schedule = { .rule = STR("every 30 min"), .next_ms = 5,
	    .last_ms = 3, .last_id = STR("3migo7fijwi2k"), .skipped_ms = 4 };
	struct ops_schedule found;
	struct ops_read *read;
	bool is_there;
	struct err err;

	assert_int_equal(ops_put_schedule(f->ops, STR("nightly"), &schedule, &err), 0);
	reopen(f);
	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_get_schedule(read, STR("nightly"), &found, &is_there, &err), 0);
	assert_true(is_there && str_eq(found.rule, schedule.rule) &&
	    str_eq(found.last_id, schedule.last_id));
	assert_int_equal(found.next_ms, 5);
	assert_int_equal(found.last_ms, 3);
	assert_int_equal(found.skipped_ms, 4);
	assert_int_equal(ops_get_schedule(read, STR("other"), &found, &is_there, &err), 0);
	assert_false(is_there);
	ops_read_end(&read);
}

/* --- damage --- */

/* Flip a bit of the DID wherever it lies in the file: the checksum then tells. */
static void
damage(struct fixture *f, const char *what)
{
	char *path = data_path(f->dir);
	size_t size, hits = 0;
	uint8_t *data;
	int fd;

	ops_close(&f->ops);
	data = read_file(path, &size);
	fd = open(path, O_WRONLY);
	for (size_t i = 0; i + strlen(what) <= size; i++) {
		if (memcmp(data + i, what, strlen(what)) == 0) {
			assert_int_equal(pwrite(fd, "X", 1, (off_t)i), 1);
			hits++;
		}
	}
	(void)close(fd);
	free(data);
	free(path);
	assert_true(hits > 0);
	reopen(f);
}

static void
mend__frees_the_queue_from_a_damaged_record(void **state)
{
	struct fixture *f = *state;
	uint64_t counts[OP_STATUS_COUNT + 1];
	struct ops_read *read;
	char id[TID_SIZE];
	struct err err;
	struct op op;

	(void)str_copy(id, sizeof(id), queued(f, "did-sync", "did:plc:tobedamaged", 1));
	queued(f, "did-sync", "b", 1);
	damage(f, "did:plc:tobedamaged");
	assert_queue(f, false, "! did-sync:b ");
	assert_int_equal(ops_mend(f->ops, str_from(id), STR("damaged"), 9000, &err), 0);
	assert_queue(f, false, "did-sync:b ");

	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_get(read, str_from(id), &op, &err), 0);
	assert_int_equal(op_status(&op), OP_FAILED);
	assert_true(str_eq(op.type, STR("did-sync")));
	assert_true(str_eq(op.error_class, STR("damaged")));
	assert_int_equal(ops_count(read, counts, &err), 0);
	assert_int_equal(counts[OP_QUEUED], 1);
	assert_int_equal(counts[OP_FAILED], 1);
	ops_read_end(&read);

	/* What it was about can be done again. */
	queued(f, "did-sync", "did:plc:tobedamaged", 1);
}

static void
mend__finds_a_damaged_running_one_by_its_index(void **state)
{
	struct fixture *f = *state;
	char id[TID_SIZE], first[TID_SIZE];
	struct ops_read *read;
	struct err err;

	(void)str_copy(id, sizeof(id), queued(f, "zz-type", "did:plc:tobedamaged", 0));
	queued(f, "did-sync", "b", 0);
	assert_int_equal(change(f, str_from(id), OP_EVENT_START), 0);
	damage(f, "did:plc:tobedamaged");
	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_first_id(read, OP_RUNNING, first, &err), 0);
	ops_read_end(&read);
	assert_string_equal(first, id);
	assert_int_equal(ops_mend(f->ops, str_from(id), STR("damaged"), 9000, &err), 0);
	assert_int_equal(ops_read_begin(f->ops, &read, &err), 0);
	assert_int_equal(ops_first_id(read, OP_RUNNING, first, &err), 0);
	ops_read_end(&read);
	assert_string_equal(first, "");
	assert_int_equal(ops_mend(f->ops, STR("no id"), STR("damaged"), 9000, &err), -1);
}

/* --- a store of an earlier version --- */

static void
copy_fixture(const char *name, const char *dir)
{
	const char *srcdir = getenv("BF_SRCDIR");
	char from[4096], *to = data_path(dir);
	FILE *file;
	uint8_t *data;
	size_t size;

	(void)snprintf(from, sizeof(from), "%s/t/fixtures/%s",
	    srcdir != NULL ? srcdir : "..", name);
	data = read_file(from, &size);
	file = fopen(to, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	free(data);
	free(to);
}

/* What tools/make-ops-fixture wrote. */
static void
schema_1__is_opened_and_brought_up_to_date(void **state BF_UNUSED)
{
	struct fixture f = { .dir = tempdir_new() };
	uint64_t counts[OP_STATUS_COUNT + 1];
	struct bytes checkpoint;
	struct ops_read *read;
	struct err err;
	struct op op;

	copy_fixture("operations-schema-1.mdb", f.dir);
	assert_int_equal(ops_open(f.dir, OPS_WRITE, &f.ops, &err), 0);
	assert_queue(&f, false, "did-sync:did:plc:queued ");
	assert_int_equal(ops_read_begin(f.ops, &read, &err), 0);
	assert_int_equal(ops_count(read, counts, &err), 0);
	for (int s = OP_QUEUED; s <= OP_CANCELLED; s++)
		assert_int_equal(counts[s], 1);
	assert_int_equal(ops_get(read, STR("3ke6kg5tl6222"), &op, &err), 0);
	assert_true(str_eq(op.did, STR("did:plc:running")));
	assert_int_equal(op.records_total, 10);
	assert_int_equal(ops_get_checkpoint(read, op.id, &checkpoint, &err), 0);
	assert_true(bytes_eq(checkpoint, (struct bytes){ (const uint8_t *)"here", 4 }));
	ops_read_end(&read);

	/* It is ours from now on: the queue follows. */
	assert_int_equal(change(&f, STR("3ke6kg5tl6222"), OP_EVENT_INTERRUPT), 0);
	reopen(&f);
	assert_queue(&f, false, "did-sync:did:plc:queued did-sync:did:plc:running ");
	ops_close(&f.ops);
	tempdir_free(&f.dir);
}

static const struct CMUnitTest ops_queue_tests[] = {
	OPS_TEST(queue__is_by_priority_then_type_then_age),
	OPS_TEST(queue__has_what_is_queued_and_not_paused),
	OPS_TEST(key__finds_the_same_request_and_refuses_another),
	OPS_TEST(key__is_forgotten_after_a_day),
	OPS_TEST(key__is_bounded_in_length),
	OPS_TEST(schedule__is_kept_and_found_by_name),
	OPS_TEST(mend__frees_the_queue_from_a_damaged_record),
	OPS_TEST(mend__finds_a_damaged_running_one_by_its_index),
	cmocka_unit_test(schema_1__is_opened_and_brought_up_to_date),
};

UNIT_MAIN(ops_queue_tests)

/*
 * test_power_loss.c - F58: the power fails at any write to the store of operations.
 *
 * A life of operations is recorded; then the file is made as it may be after each
 * moment, opened by another process and read.  It has to be what it was after the last
 * step that was acknowledged, or after the next one: nothing lost, nothing halved.
 */
#include "t/unit/store_unit.h"

#include "store/ops.h"
#include "t/unit/disk_recorder.h"

#define OPS		4	/* one for each end */
#define STEPS		(OPS * 8 + 1)
#define SEED		58

enum { IS_RIGHT = 0, CANNOT_BE_OPENED, IS_DAMAGED, IS_LOST, IS_HALVED, CRASHED };

/* What is in the store after each step. */
static uint64_t digests[STEPS + 1];
static unsigned digests_count;
static size_t set_up;			/* the moment from which on there is a store */
static unsigned acked;			/* for the child that reads an image */

/* --- the contents, as a number --- */

static void
mix(uint64_t *digest, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		*digest = (*digest ^ bytes[i]) * 0x100000001b3;
	*digest = (*digest ^ len) * 0x100000001b3;
}

static void
mix_number(uint64_t *digest, uint64_t number)
{
	mix(digest, &number, sizeof(number));
}

static bool
mix_event(const struct ops_event *event, void *arg)
{
	mix_number(arg, event->event);
	mix(arg, event->text.ptr, event->text.len);
	return true;
}

static bool
mix_item(const struct ops_item *item, void *arg)
{
	mix(arg, item->item.ptr, item->item.len);
	return true;
}

struct walk {
	struct ops_read *read;
	uint64_t digest;
	bool failed;
};

static bool
mix_op(const struct op *op, void *arg)
{
	struct walk *walk = arg;
	struct bytes checkpoint;
	struct err err;

	mix(&walk->digest, op->id.ptr, op->id.len);
	mix(&walk->digest, op->did.ptr, op->did.len);
	mix_number(&walk->digest, op->status);
	mix_number(&walk->digest, op->records_processed);
	mix_number(&walk->digest, op->items_failed);
	mix_number(&walk->digest, (uint64_t)op->updated_ms);
	if (ops_get_checkpoint(walk->read, op->id, &checkpoint, &err) == -1 ||
	    ops_events(walk->read, op->id, mix_event, &walk->digest, &err) == -1 ||
	    ops_items(walk->read, op->id, mix_item, &walk->digest, &err) == -1)
		walk->failed = true;
	else
		mix(&walk->digest, checkpoint.ptr, checkpoint.len);
	return !walk->failed;
}

static bool
on_damage(const struct ops_damage *damage, void *arg)
{
	if (damage != NULL)
		*(bool *)arg = true;
	return true;
}

/* By every way to an operation; -1 if anything is damaged. */
static int
digest_of(struct ops *ops, uint64_t *digest_out)
{
	struct walk walk = { .digest = 0xcbf29ce484222325 };
	uint64_t counts[OP_STATUS_COUNT + 1];
	bool is_damaged = false;
	struct err err;

	if (ops_read_begin(ops, &walk.read, &err) == -1)
		return -1;
	for (int s = 0; s <= OP_STATUS_COUNT; s++) {
		struct ops_filter filter = { .status = (enum op_status)s };

		mix_number(&walk.digest, (uint64_t)s);
		if (ops_list(walk.read, &filter, mix_op, &walk, &err) == -1)
			walk.failed = true;
	}
	if (ops_count(walk.read, counts, &err) == -1 ||
	    ops_verify(walk.read, on_damage, &is_damaged, &err) == -1)
		walk.failed = true;
	mix(&walk.digest, counts, sizeof(counts));
	ops_read_end(&walk.read);
	*digest_out = walk.digest;
	return walk.failed || is_damaged ? -1 : 0;
}

/* --- the life that is recorded --- */

static void
acknowledge(struct ops *ops)
{
	assert_true(digests_count < BF_ARRAY_LEN(digests));
	assert_int_equal(digest_of(ops, &digests[digests_count]), 0);
	disk_record_ack(digests_count++);
}

static void
report(struct ops *ops, struct str id, int64_t now_ms)
{
	struct ops_progress progress = { .stage = STR("reading"), .processed = 7,
	    .now_ms = now_ms };
	struct err err;

	(void)str_copy(progress.id, sizeof(progress.id), id);
	assert_int_equal(ops_group_begin(ops, &err), 0);
	assert_int_equal(ops_write_progress(ops, &progress, 1, &err), 0);
	assert_int_equal(ops_put_checkpoint(ops, id, (struct bytes){
	    (const uint8_t *)"second", 6 }, 8, now_ms, &err), 0);
	assert_int_equal(ops_group_commit(ops, &err), 0);
}

static void
live(struct ops *ops, unsigned number)
{
	static uint8_t checkpoint[6000] = { 1 };	/* more than a page */
	static const enum op_event ends[] = { OP_EVENT_COMPLETE, OP_EVENT_FAIL,
	    OP_EVENT_CANCEL, OP_EVENT_INTERRUPT };
	char id[TID_SIZE], active[TID_SIZE], did[32];
	struct op op = { .type = STR("did-sync"), .started_by = STR("admin"),
	    .created_ms = 1 };
	struct ops_item item = { 1, STR("at://x"), STR("gone"), STR("it is") };
	struct err err;

	tid_format((uint64_t)(number + 1) << 10, id);
	(void)snprintf(did, sizeof(did), "did:plc:%u", number);
	op.id = str_from(id);
	op.did = str_from(did);
	assert_int_equal(ops_create(ops, &op, active, &err), 0);
	acknowledge(ops);
	assert_int_equal(ops_change(ops, op.id, OP_EVENT_START, STR("go"), 2, NULL, NULL,
	    NULL, &err), 0);
	acknowledge(ops);
	assert_int_equal(ops_put_checkpoint(ops, op.id, (struct bytes){ checkpoint,
	    sizeof(checkpoint) }, 3, 3, &err), 0);
	acknowledge(ops);
	assert_int_equal(ops_add_item(ops, op.id, &item, &err), 0);
	acknowledge(ops);
	assert_int_equal(ops_note(ops, op.id, OP_EVENT_LOG, STR("a line"), 4, NULL, NULL,
	    &err), 0);
	acknowledge(ops);
	report(ops, op.id, 5);
	acknowledge(ops);
	assert_int_equal(ops_change(ops, op.id, ends[number % 4], STR("end"), 6, NULL, NULL,
	    NULL, &err), 0);
	acknowledge(ops);
}

static void
record_life(const char *dir)
{
	char *path = data_path(dir);
	struct ops *ops;
	struct err err;

	srand(SEED);
	digests_count = 0;
	disk_record(path);
	assert_int_equal(ops_open(dir, OPS_WRITE, &ops, &err), 0);
	acknowledge(ops);
	set_up = disk_recorded();
	for (unsigned i = 0; i < OPS; i++)
		live(ops, i);
	disk_record_end();
	ops_close(&ops);
	free(path);
}

/* --- what is there afterwards --- */

static int
look(const char *dir)
{
	uint64_t digest;
	struct ops *ops;
	struct err err;

	if (ops_open(dir, OPS_WRITE, &ops, &err) == -1)
		return CANNOT_BE_OPENED;
	if (digest_of(ops, &digest) == -1)
		return IS_DAMAGED;
	if (digest == digests[acked] ||
	    (acked + 1 < digests_count && digest == digests[acked + 1]))
		return IS_RIGHT;
	for (unsigned i = 0; i < acked; i++)
		if (digest == digests[i])
			return IS_LOST;
	return IS_HALVED;
}

static int
judge(size_t moment, enum disk_trust trust, enum disk_rest rest)
{
	char *dir = tempdir_new(), *path = data_path(dir);
	int status;

	acked = disk_image(moment, trust, rest, path);
	status = in_child(look, dir);
	free(path);
	tempdir_free(&dir);
	return WIFEXITED(status) && WEXITSTATUS(status) < CRASHED ? WEXITSTATUS(status) :
	    CRASHED;
}

static void
F58_power_loss__loses_and_halves_nothing_that_was_acknowledged(void **state)
{
	record_life(*state);
	assert_true(disk_recorded() - set_up > 150);
	for (size_t moment = set_up; moment <= disk_recorded(); moment++) {
		enum disk_rest plain = moment % 2 == 0 ? DISK_NONE : DISK_ALL;
		enum disk_rest some = moment % 3 == 0 ? DISK_SOME : DISK_SOME_TORN;

		assert_int_equal(judge(moment, DISK_SYNCS, plain), IS_RIGHT);
		assert_int_equal(judge(moment, DISK_SYNCS, some), IS_RIGHT);
	}
	disk_record_forget();
}

/* Before there is a store nothing was acknowledged: it is refused, or begun anew. */
static void
F58_power_loss_in_the_first_start__is_told(void **state)
{
	record_life(*state);
	assert_true(set_up > 3);
	for (size_t moment = 0; moment < set_up; moment++) {
		for (int rest = DISK_NONE; rest < DISK_REST_COUNT; rest++) {
			int how = judge(moment, DISK_SYNCS, (enum disk_rest)rest);

			assert_true(how == IS_RIGHT || how == CANNOT_BE_OPENED);
		}
	}
	disk_record_forget();
}

/* Would this test see it?  A disk, or a program, that does not sync. */
static unsigned
count_wrong(enum disk_trust trust, unsigned counts_out[CRASHED + 1])
{
	unsigned wrong = 0;

	memset(counts_out, 0, (CRASHED + 1) * sizeof(*counts_out));
	for (size_t moment = set_up; moment <= disk_recorded(); moment += 5) {
		int how = judge(moment, trust, DISK_SOME);

		counts_out[how]++;
		wrong += how != IS_RIGHT;
	}
	return wrong;
}

static void
F58_power_loss__is_seen_to_do_harm_where_nothing_is_synced(void **state)
{
	unsigned counts[CRASHED + 1];

	record_life(*state);
	assert_true(count_wrong(DISK_NO_FDATASYNC, counts) > 15);
	assert_true(count_wrong(DISK_NO_DSYNC, counts) > 5);
	assert_true(counts[IS_LOST] > 0);
	disk_record_forget();
}

static const struct CMUnitTest power_loss[] = {
#define TEST(name)	cmocka_unit_test_setup_teardown(name, tempdir_setup, tempdir_teardown)
	TEST(F58_power_loss__loses_and_halves_nothing_that_was_acknowledged),
	TEST(F58_power_loss_in_the_first_start__is_told),
	TEST(F58_power_loss__is_seen_to_do_harm_where_nothing_is_synced),
};

UNIT_MAIN(power_loss)

/*
 * test_firehose.c - frames of a firehose: 150 real ones, and those that are not
 * what they should be.
 */
#include "t/unit/unit.h"

#include <endian.h>

#include "atproto/firehose.h"
#include "atproto/dagcbor_write.h"
#include "common/limits.h"
#include "t/unit/event_maker.h"
#include "t/unit/vectors.h"

#define FRAMES	"jetstream/internal/corpus/testdata/frames.bin"
#define DID	"did:plc:k256testaaaaaaaaaaaaaaaa"

/* --- the real frames --- */

static void
expect_cid(const struct cid *cid, struct str want)
{
	char text[CID_TEXT_SIZE];

	cid_format(cid, text);
	assert_true(str_eq(str_from(text), want));
}

static void
expect_op(const struct firehose_op *op, const json_t *want)
{
	static const char *const words[] = { "create", "update", "delete" };
	struct str cid = vectors_member(want, "cid"), prev = vectors_member(want, "prev");

	assert_true(str_eq(str_from(words[op->action]), vectors_member(want, "action")));
	assert_true(str_eq(op->path, vectors_member(want, "path")));
	if (op->action != FIREHOSE_DELETE)
		expect_cid(&op->cid, cid);
	else
		assert_int_equal(cid.len, 0);
	assert_int_equal(op->has_prev, prev.len > 0);
	if (op->has_prev)
		expect_cid(&op->prev, prev);
}

static void
expect_commit(const struct firehose_event *event, const json_t *want)
{
	const json_t *ops = json_object_get(want, "ops");
	struct dagcbor at = event->ops;

	assert_true(str_eq(event->rev, vectors_member(want, "rev")));
	assert_true(str_eq(event->since, vectors_member(want, "since")));
	expect_cid(&event->commit, vectors_member(want, "commit"));
	assert_true(event->has_prev_data);
	expect_cid(&event->prev_data, vectors_member(want, "prevData"));
	assert_int_equal(event->op_count, json_array_size(ops));
	for (size_t i = 0; i < event->op_count; i++) {
		struct firehose_op op;

		firehose_next_op(&at, &op);
		expect_op(&op, json_array_get(ops, i));
	}
}

static void
expect_real_frame(struct str line, void *arg)
{
	struct buf *frames = arg;
	json_t *want = json_loadb(line.ptr, line.len, 0, NULL);
	struct str t = vectors_member(want, "t");
	struct firehose_event event;
	struct fault fault;
	struct bytes frame;
	uint32_t len;

	memcpy(&len, buf_data(frames), sizeof(len));
	buf_consume(frames, sizeof(len));
	frame = (struct bytes){ buf_data(frames), le32toh(len) };
	assert_int_equal(firehose_read(frame, &event, &fault), 0);
	assert_int_equal(event.seq, json_integer_value(json_object_get(want, "seq")));
	assert_true(str_eq(event.did, vectors_member(want, "did")));
	assert_true(event.time_ms > 1783175880000 && event.time_ms < 1783175900000);
	assert_int_equal(event.type, str_eq(t, STR("#commit")) ? FIREHOSE_COMMIT :
	    str_eq(t, STR("#identity")) ? FIREHOSE_IDENTITY : FIREHOSE_ACCOUNT);
	if (event.type == FIREHOSE_COMMIT)
		expect_commit(&event, want);
	if (event.type == FIREHOSE_ACCOUNT)
		assert_true(event.active);
	buf_consume(frames, frame.len);
	json_decref(want);
}

static void
the_real_frames_say_what_the_summary_says(void **state BF_UNUSED)
{
	struct buf frames;

	vectors_need();
	frames = vectors_read(FRAMES);
	vectors_lines("derived/jetstream_frames_summary.jsonl", expect_real_frame,
	    &frames);
	assert_int_equal(buf_len(&frames), 0);
	buf_clear(&frames);
}

static void
a_real_frame_cut_anywhere_is_refused(void **state BF_UNUSED)
{
	struct buf frames;
	struct firehose_event event;
	struct fault fault;
	uint32_t len;

	vectors_need();
	frames = vectors_read(FRAMES);
	memcpy(&len, buf_data(&frames), sizeof(len));
	for (size_t n = 0; n < le32toh(len); n++) {
		/* Memory of its own, so that a read beyond it is seen. */
		struct buf cut = BUF_INIT;

		buf_add(&cut, buf_data(&frames) + sizeof(len), n);
		assert_int_equal(firehose_read(buf_bytes(&cut), &event, &fault), -1);
		buf_clear(&cut);
	}
	buf_clear(&frames);
}

/* --- all types --- */

static int
read_event(const struct event *event, struct buf *frame, struct firehose_event *read_out,
    struct fault *fault)
{
	buf_reset(frame);
	event_write(event, frame);
	return firehose_read(buf_bytes(frame), read_out, fault);
}

static void
each_type_is_told_apart(void **state BF_UNUSED)
{
	struct event made = { .t = "#account", .seq = 7, .did = DID,
	    .time = "2026-11-22T12:00:00Z", .status = "deactivated", .name = "FutureCursor",
	    .message = "too new" };
	struct firehose_event event;
	struct buf frame = BUF_INIT;
	struct fault fault;

	assert_int_equal(read_event(&made, &frame, &event, &fault), 0);
	assert_int_equal(event.type, FIREHOSE_ACCOUNT);
	assert_false(event.active);
	assert_true(str_eq(event.status, STR("deactivated")));
	assert_int_equal(event.seq, 7);
	made.t = "#identity";
	assert_int_equal(read_event(&made, &frame, &event, &fault), 0);
	assert_int_equal(event.type, FIREHOSE_IDENTITY);
	made.t = "#handle";
	assert_int_equal(read_event(&made, &frame, &event, &fault), 0);
	assert_int_equal(event.type, FIREHOSE_OTHER);
	assert_int_equal(event.seq, 7);
	made.t = "#info";
	assert_int_equal(read_event(&made, &frame, &event, &fault), 0);
	assert_int_equal(event.type, FIREHOSE_INFO);
	assert_int_equal(event.seq, 0);
	made.t = NULL;
	assert_int_equal(read_event(&made, &frame, &event, &fault), 0);
	assert_int_equal(event.type, FIREHOSE_ERROR);
	assert_true(str_eq(event.name, STR("FutureCursor")));
	assert_true(str_eq(event.message, STR("too new")));
	buf_clear(&frame);
}

static void
an_unknown_op_is_no_reason_to_refuse_a_frame(void **state BF_UNUSED)
{
	struct buf frame = BUF_INIT;
	struct firehose_event event;
	struct fault fault;

	dagcbor_write_map(&frame, 1);
	dagcbor_write_text(&frame, STR("op"));
	dagcbor_write_int(&frame, 3);
	dagcbor_write_null(&frame);
	assert_int_equal(firehose_read(buf_bytes(&frame), &event, &fault), 0);
	assert_int_equal(event.type, FIREHOSE_OTHER);
	assert_int_equal(event.seq, 0);
	buf_clear(&frame);
}

static void
a_commit_comes_back_as_it_was_made(void **state BF_UNUSED)
{
	struct event_maker *maker = event_maker_new(DID);
	struct buf frame = BUF_INIT;
	struct firehose_event event;
	struct fault fault;
	struct event made;

	event_maker_put(maker, "com.example.a/1", (struct bytes){ (const uint8_t *)"\xa0", 1 });
	made = event_maker_commit(maker, FIREHOSE_SEQ_MAX, "3migo7fijwi2k");
	assert_int_equal(read_event(&made, &frame, &event, &fault), 0);
	assert_int_equal(event.seq, FIREHOSE_SEQ_MAX);
	assert_int_equal(event.since.len, 0);
	assert_true(event.has_prev_data && !event.too_big);
	assert_true(bytes_eq(event.blocks, buf_bytes(&made.blocks)));
	made.has_prev_data = false;
	made.too_big = true;
	made.n_ops = 0;
	assert_int_equal(read_event(&made, &frame, &event, &fault), 0);
	assert_true(event.too_big && !event.has_prev_data && event.op_count == 0);
	event_clear(&made);
	event_maker_free(&maker);
	buf_clear(&frame);
}

static const struct CMUnitTest firehose_tests[] = {
	cmocka_unit_test(the_real_frames_say_what_the_summary_says),
	cmocka_unit_test(a_real_frame_cut_anywhere_is_refused),
	cmocka_unit_test(each_type_is_told_apart),
	cmocka_unit_test(an_unknown_op_is_no_reason_to_refuse_a_frame),
	cmocka_unit_test(a_commit_comes_back_as_it_was_made),
};

UNIT_MAIN(firehose_tests)

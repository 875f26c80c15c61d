/*
 * test_msg.c - src/proto: the bounded reader and the messages.
 */
#include "t/unit/unit.h"

#include <string.h>

#include "common/mem.h"
#include "proto/frame.h"
#include "proto/msg.h"
#include "proto/wire.h"

/* --- wire --- */

static void
wire__round_trips_every_kind_at_its_length_boundaries(void **state BF_UNUSED)
{
	static const size_t lengths[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };
	static const uint64_t numbers[] = { 0, 127, 128, 255, 256, 65535, 65536,
	    UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX };
	struct buf buf = BUF_INIT;
	char *text = xmalloc(65536);

	memset(text, 'x', 65536);
	for (size_t i = 0; i < BF_ARRAY_LEN(lengths); i++) {
		struct wire_reader r;
		struct str s;
		struct bytes b;

		buf_reset(&buf);
		wire_pack_text(&buf, (struct str){ text, lengths[i] });
		wire_pack_bytes(&buf, (struct bytes){ (uint8_t *)text, lengths[i] });
		r = wire_reader(buf_bytes(&buf));
		assert_int_equal(wire_read_text(&r, &s), 0);
		assert_int_equal(wire_read_bytes(&r, &b), 0);
		assert_true(wire_at_end(&r));
		assert_int_equal(s.len, lengths[i]);
		assert_int_equal(b.len, lengths[i]);
	}
	for (size_t i = 0; i < BF_ARRAY_LEN(numbers); i++) {
		struct wire_reader r;
		uint64_t value;

		buf_reset(&buf);
		wire_pack_u64(&buf, numbers[i]);
		r = wire_reader(buf_bytes(&buf));
		assert_int_equal(wire_read_u64(&r, &value), 0);
		assert_true(value == numbers[i] && wire_at_end(&r));
	}
	free(text);
	buf_clear(&buf);
}

/* F64, F65: what msgpack allows and we do not, and claims beyond the bytes. */
static void
wire__refuses_lies_and_foreign_kinds(void **state BF_UNUSED)
{
	static const struct { const char *bytes; size_t len; } cases[] = {
		{ "\xdd\x10\x00\x00\x00", 5 },		/* array of 2^28 */
		{ "\xdf\xff\xff\xff\xff", 5 },		/* map of 2^32-1 */
		{ "\xdb\xff\xff\xff\xff", 5 },		/* text of 4 GiB */
		{ "\xc6\x7f\xff\xff\xff", 5 },		/* bytes of 2 GiB */
		{ "\xa5" "abcd", 5 },			/* cut text */
		{ "\xa2\xc3\x28", 3 },			/* not UTF-8 */
		{ "\xff", 1 }, { "\xd0\x80", 2 },	/* negative numbers */
		{ "\xca\x00\x00\x00\x00", 5 },		/* float */
		{ "\xc7\x01\x05\x00", 4 },		/* extension */
		{ "\xc0", 1 }, { "\xc1", 1 }, { "\xcf\x00", 2 }, { "", 0 },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++) {
		struct wire_reader r = wire_reader((struct bytes){
		    (const uint8_t *)cases[i].bytes, cases[i].len });
		uint32_t count;
		uint64_t number;
		bool flag;
		struct str s;
		struct bytes b;

		assert_int_equal(wire_read_array(&r, &count), -1);
		assert_int_equal(wire_read_map(&r, &count), -1);
		assert_int_equal(wire_read_u64(&r, &number), -1);
		assert_int_equal(wire_read_bool(&r, &flag), -1);
		assert_int_equal(wire_read_text(&r, &s), -1);
		assert_int_equal(wire_read_bytes(&r, &b), -1);
	}
}

/* --- messages --- */

static struct bytes
payload_of(const struct buf *frame)
{
	return (struct bytes){ buf_data(frame) + FRAME_HEAD_BYTES,
	    buf_len(frame) - FRAME_HEAD_BYTES };
}

static void
msg__round_trips_an_operation(void **state BF_UNUSED)
{
	struct buf buf = BUF_INIT;
	struct err err;
	struct msg in = { .type = MSG_TYPE_OP }, out;

	in.op.req = 9;
	in.op.op = (struct op){
		.id = STR("3migo7fijwi2k"), .type = STR("did-sync"),
		.status = OP_RUNNING, .did = STR("did:plc:abc"),
		.records_processed = 12345, .was_killed = true,
	};
	msg_pack(&buf, &in);
	assert_int_equal(msg_unpack(payload_of(&buf), FROM_SUPERVISOR, &out, &err), 0);
	assert_int_equal(out.type, MSG_TYPE_OP);
	assert_true(str_eq(out.op.op.id, in.op.op.id));
	assert_true(str_eq(out.op.op.did, in.op.op.did));
	assert_int_equal(out.op.op.records_processed, 12345);
	assert_true(out.op.op.was_killed);
	assert_int_equal(out.op.op.uri.len, 0);
	buf_clear(&buf);
}

/* A newer daemon's operation has fields that we do not know. */
static void
msg__skips_unknown_fields_of_an_operation(void **state BF_UNUSED)
{
	struct buf buf = BUF_INIT;
	struct err err;
	struct msg out;

	wire_pack_array(&buf, 3);
	wire_pack_u64(&buf, MSG_TYPE_OP);
	wire_pack_u64(&buf, 1);
	wire_pack_map(&buf, 3);
	wire_pack_text(&buf, STR("invented_later"));
	wire_pack_bytes(&buf, (struct bytes){ (const uint8_t *)"x", 1 });
	wire_pack_text(&buf, STR("did"));
	wire_pack_text(&buf, STR("did:plc:abc"));
	wire_pack_text(&buf, STR("invented_too"));
	wire_pack_bool(&buf, true);
	assert_int_equal(msg_unpack(buf_bytes(&buf), FROM_SUPERVISOR, &out, &err), 0);
	assert_true(str_eq(out.op.op.did, STR("did:plc:abc")));
	buf_clear(&buf);
}

static void
msg__refuses_everything_that_is_not_exactly_a_message(void **state BF_UNUSED)
{
	struct buf buf = BUF_INIT;
	struct err err;
	struct msg msg = { .type = MSG_TYPE_LOG }, out;
	struct bytes payload;

	msg.log = (struct msg_log){ .level = 6, .text = STR("hello") };
	msg_pack(&buf, &msg);
	payload = payload_of(&buf);
	assert_int_equal(msg_unpack(payload, FROM_WORKER, &out, &err), 0);

	assert_int_equal(msg_unpack(payload, FROM_CLIENT, &out, &err), -1);
	assert_string_equal(err.text, "message log: not expected from this peer");
	for (size_t len = 0; len < payload.len; len++)
		assert_int_equal(msg_unpack((struct bytes){ payload.ptr, len },
		    FROM_WORKER, &out, &err), -1);
	buf_add_byte(&buf, 0);
	assert_int_equal(msg_unpack(payload_of(&buf), FROM_WORKER, &out, &err), -1);
	assert_string_equal(err.text, "message log: 1 bytes left over");

	assert_int_equal(msg_unpack((struct bytes){ (const uint8_t *)"\x91\x7f", 2 },
	    FROM_ANY, &out, &err), -1);
	assert_string_equal(err.text, "message number 127: unknown");
	assert_int_equal(msg_unpack((struct bytes){ (const uint8_t *)"\x90\x06", 2 },
	    FROM_ANY, &out, &err), -1);
	assert_string_equal(err.text, "frame of 2 bytes: an empty array is no message");
	assert_int_equal(msg_unpack((struct bytes){ (const uint8_t *)"\x92\x06\x06", 3 },
	    FROM_ANY, &out, &err), -1);
	assert_string_equal(err.text, "message log: 1 fields instead of 2");
	assert_int_equal(msg_unpack((struct bytes){ (const uint8_t *)"\x93\x06\xc3\xa0", 4 },
	    FROM_ANY, &out, &err), -1);
	assert_string_equal(err.text, "message log: bad field level");
	buf_clear(&buf);
}

static const struct CMUnitTest msg_tests[] = {
	cmocka_unit_test(wire__round_trips_every_kind_at_its_length_boundaries),
	cmocka_unit_test(wire__refuses_lies_and_foreign_kinds),
	cmocka_unit_test(msg__round_trips_an_operation),
	cmocka_unit_test(msg__skips_unknown_fields_of_an_operation),
	cmocka_unit_test(msg__refuses_everything_that_is_not_exactly_a_message),
};

UNIT_MAIN(msg_tests)

/*
 * test_op_codec.c - src/store/op_codec: an operation as bytes on disk.
 */
#include "t/unit/unit.h"

#include "store/op_codec.h"

#define ID	"3migo7fijwi2k"

/* A number that no field of op.h has yet. */
#define FUTURE_NUMBER	250

static struct op
full_op(void)
{
	struct op op = { 0 };

	for (size_t i = 0; i < op_fields_count; i++) {
		switch (op_fields[i].kind) {
		case FIELD_U64:
			*FIELD_AT(uint64_t, &op, &op_fields[i]) =
			    (UINT64_C(0x8102030405060708) >> (i % 8 * 8)) + i;
			break;
		case FIELD_BOOL:
			*FIELD_AT(bool, &op, &op_fields[i]) = true;
			break;
		case FIELD_TEXT:
			*FIELD_AT(struct str, &op, &op_fields[i]) =
			    str_from(op_fields[i].name);
			break;
		case FIELD_BYTES:
			break;
		}
	}
	op.id = STR(ID);
	op.status = OP_RUNNING;
	return op;
}

static void
assert_op_equal(const struct op *a, const struct op *b)
{
	for (size_t i = 0; i < op_fields_count; i++) {
		const struct field *f = &op_fields[i];

		if (f->kind == FIELD_U64)
			assert_true(*FIELD_AT_CONST(uint64_t, a, f) ==
			    *FIELD_AT_CONST(uint64_t, b, f));
		if (f->kind == FIELD_BOOL)
			assert_int_equal(*FIELD_AT_CONST(bool, a, f),
			    *FIELD_AT_CONST(bool, b, f));
		if (f->kind == FIELD_TEXT)
			assert_true(str_eq(*FIELD_AT_CONST(struct str, a, f),
			    *FIELD_AT_CONST(struct str, b, f)));
	}
}

static void
op_codec__brings_back_every_field(void **state BF_UNUSED)
{
	struct op op = full_op(), back;
	struct buf buf = BUF_INIT;

	op_encode(&buf, &op);
	assert_int_equal(op_decode(buf_bytes(&buf), &back), 0);
	assert_op_equal(&op, &back);
	buf_clear(&buf);
}

static void
op_codec__writes_only_what_is_set(void **state BF_UNUSED)
{
	struct op op = { .id = STR(ID), .status = OP_QUEUED, .batch_size = 0x100 }, back;
	struct buf buf = BUF_INIT;
	static const uint8_t golden[] = "\x01\x00\x0d" ID "\x03\x00\x01\x01"
	    "\x07\x00\x02\x01\x00";

	op_encode(&buf, &op);
	assert_int_equal(buf_len(&buf), sizeof(golden) - 1);
	assert_memory_equal(buf_data(&buf), golden, sizeof(golden) - 1);
	assert_int_equal(op_decode(buf_bytes(&buf), &back), 0);
	assert_op_equal(&op, &back);
	buf_clear(&buf);
}

static void
op_codec__passes_over_fields_of_a_newer_version(void **state BF_UNUSED)
{
	struct op op = full_op(), back;
	struct buf buf = BUF_INIT, with_more = BUF_INIT;
	static const uint8_t future[] = { FUTURE_NUMBER, 0, 3, 'n', 'e', 'w' };

	op_encode(&buf, &op);
	buf_add(&with_more, future, sizeof(future));
	buf_add(&with_more, buf_data(&buf), buf_len(&buf));
	buf_add(&with_more, future, sizeof(future));
	assert_int_equal(op_decode(buf_bytes(&with_more), &back), 0);
	assert_op_equal(&op, &back);
	buf_clear(&buf);
	buf_clear(&with_more);
}

static void
op_codec__refuses_what_is_cut_short(void **state BF_UNUSED)
{
	struct op op = { .id = STR(ID), .status = OP_QUEUED, .stage = STR("fetch") }, back;
	struct buf buf = BUF_INIT;
	size_t last = 3 + 5, ends = 0;

	op_encode(&buf, &op);
	for (size_t len = 0; len < buf_len(&buf); len++) {
		uint8_t *exact = malloc(len + 1);

		memcpy(exact, buf_data(&buf), len);
		if (op_decode((struct bytes){ exact, len }, &back) == 0)
			ends++;
		free(exact);
	}
	/* Without its last field it is whole again; nowhere else. */
	assert_int_equal(ends, 1);
	assert_int_equal(op_decode((struct bytes){ buf_data(&buf),
	    buf_len(&buf) - last }, &back), 0);
	buf_clear(&buf);
}

static void
op_codec__refuses_wrong_content(void **state BF_UNUSED)
{
#define CASE(bytes)	{ (const uint8_t *)bytes, sizeof(bytes) - 1 }
	static const struct bytes bad[] = {
		CASE(""),
		CASE("\x01\x00\x03" "abc" "\x03\x00\x01\x01"),		/* id: not a TID */
		CASE("\x01\x00\x0d" ID),				/* no status */
		CASE("\x01\x00\x0d" ID "\x03\x00\x01\x06"),		/* status 6 */
		CASE("\x01\x00\x0d" ID "\x03\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01"),
		CASE("\x01\x00\x0d" ID "\x03\x00\x01\x01\x1e\x00\x01\x02"), /* bool 2 */
	};
	struct op op;

	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++)
		assert_int_equal(op_decode(bad[i], &op), -1);
}

static const struct CMUnitTest op_codec[] = {
	cmocka_unit_test(op_codec__brings_back_every_field),
	cmocka_unit_test(op_codec__writes_only_what_is_set),
	cmocka_unit_test(op_codec__passes_over_fields_of_a_newer_version),
	cmocka_unit_test(op_codec__refuses_what_is_cut_short),
	cmocka_unit_test(op_codec__refuses_wrong_content),
};

UNIT_MAIN(op_codec)

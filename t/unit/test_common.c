/*
 * test_common.c - src/common: text, buffers, time, JSON, the log's lines.
 */
#include "t/unit/unit.h"

#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/str.h"
#include "common/tid.h"
#include "common/utf8.h"

static void
str_to_u64__takes_digits_and_refuses_the_rest(void **state BF_UNUSED)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1.0",
	    "18446744073709551616", "99999999999999999999" };
	uint64_t value = 7;

	assert_int_equal(str_to_u64(STR("18446744073709551615"), &value), 0);
	assert_true(value == UINT64_MAX);
	for (size_t i = 0; i < BF_ARRAY_LEN(bad); i++) {
		value = 7;
		assert_int_equal(str_to_u64(str_from(bad[i]), &value), -1);
		assert_true(value == 7);
	}
}

static void
str_cmp__orders_by_bytes_then_length(void **state BF_UNUSED)
{
	assert_int_equal(str_cmp(STR("a"), STR("b")), -1);
	assert_int_equal(str_cmp(STR("a"), STR("ab")), -1);
	assert_int_equal(str_cmp(STR("\xff"), STR("a")), 1);
	assert_int_equal(str_cmp(STR("a\0b"), STR("a\0c")), -1);
	assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
}

static void
buf__keeps_bytes_in_order_through_growth_and_consumption(void **state BF_UNUSED)
{
	struct buf buf = BUF_INIT;
	uint32_t written = 0, read = 0;

	while (read < 5000) {
		for (int i = 0; i < 7 && written < 5000; i++, written++)
			buf_add(&buf, &written, sizeof(written));
		for (int i = 0; i < 5 && read < written; i++, read++) {
			uint32_t value;

			memcpy(&value, buf_data(&buf), sizeof(value));
			assert_int_equal(value, read);
			buf_consume(&buf, sizeof(value));
		}
	}
	assert_int_equal(buf_len(&buf), 0);
	buf_clear(&buf);
}

static void
tid__formats_and_parses_the_golden_value(void **state BF_UNUSED)
{
	char text[TID_SIZE];
	uint64_t tid;

	assert_int_equal(tid_parse(STR("3migo7fijwi2k"), &tid), 0);
	assert_true(tid == 0x1939942adcfe3810u);
	assert_true(tid_us(tid) == 1775045738708878);
	tid_format(tid, text);
	assert_string_equal(text, "3migo7fijwi2k");
}

static void
tid__refuses_what_is_not_one(void **state BF_UNUSED)
{
	uint64_t tid;

	assert_int_equal(tid_parse(STR("3migo7fijwi2"), &tid), -1);
	assert_int_equal(tid_parse(STR("3migo7fijwi2kk"), &tid), -1);
	assert_int_equal(tid_parse(STR("3migo7fijwi2K"), &tid), -1);
	assert_int_equal(tid_parse(STR("zmigo7fijwi2k"), &tid), -1);
	assert_int_equal(tid_parse(STR("3migo7fijwi1k"), &tid), -1);
}

static void
tid_next__grows_when_the_clock_goes_back(void **state BF_UNUSED)
{
	uint64_t first = tid_next(0, 2000000, 5);
	uint64_t second = tid_next(first, 1000000, 5);

	assert_true(second == first + 1);
	assert_true(tid_next(second, 3000000, 5) > second);
}

static void
datetime__is_utc_with_milliseconds(void **state BF_UNUSED)
{
	char text[DATETIME_SIZE];

	datetime_format(1775045738708, text);
	assert_string_equal(text, "2026-04-01T12:15:38.708Z");
	datetime_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	datetime_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void
datetime__every_day_until_2200_is_that_of_gmtime(void **state BF_UNUSED)
{
	for (int64_t day = 0; day < 84000; day++) {
		char text[DATETIME_SIZE], expected[40];
		time_t secs = (time_t)(day * 86400);
		struct tm tm;

		gmtime_r(&secs, &tm);
		(void)strftime(expected, sizeof(expected), "%Y-%m-%dT00:00:00.000Z",
		    &tm);
		datetime_format(day * 86400000, text);
		assert_string_equal(text, expected);
	}
}

static void
json__numbers_have_all_their_digits(void **state BF_UNUSED)
{
	struct buf buf = BUF_INIT;
	struct json json = json_to(&buf);

	json_array_begin(&json);
	json_u64(&json, 0);
	json_u64(&json, UINT64_MAX);
	json_i64(&json, INT64_MIN);
	json_i64(&json, -1);
	json_array_end(&json);
	assert_true(str_eq(buf_str(&buf),
	    STR("[0,18446744073709551615,-9223372036854775808,-1]")));
	buf_clear(&buf);
}

static void
utf8__refuses_overlong_surrogates_and_cuts(void **state BF_UNUSED)
{
	static const struct { const char *text; size_t len; bool valid; } cases[] = {
		{ "plain ascii text", 16, true },
		{ "\xc3\xa9", 2, true }, { "\xe2\x82\xac", 3, true },
		{ "\xf0\x9f\x98\x80", 4, true }, { "", 0, true },
		{ "\xc0\xaf", 2, false }, { "\xc1\x81", 2, false },
		{ "\xe0\x80\xaf", 3, false }, { "\xed\xa0\x80", 3, false },
		{ "\xf0\x80\x80\xaf", 4, false }, { "\xf4\x90\x80\x80", 4, false },
		{ "\xe2\x82", 2, false }, { "\x80", 1, false }, { "\xff", 1, false },
		{ "12345678\xc3", 9, false },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++)
		assert_int_equal(utf8_is_valid((const uint8_t *)cases[i].text,
		    cases[i].len), cases[i].valid);
}

static void
utf8__knows_what_steers_a_terminal(void **state BF_UNUSED)
{
	static const struct { const char *text; bool steers; } cases[] = {
		{ "\x1b", true }, { "\n", true }, { "\x7f", true }, { " ", false }, { "~", false },
		{ "\xc2\x80", true }, { "\xc2\x9b", true }, { "\xc2\x9f", true },
		{ "\xc2\xa0", false }, { "\xc3\x9b", false },
		{ "\xd8\x9b", false }, { "\xd8\x9c", true }, { "\xd8\x9d", false },
		{ "\xe2\x80\x8d", false }, { "\xe2\x80\x8e", true }, { "\xe2\x80\x8f", true },
		{ "\xe2\x80\x90", false }, { "\xe2\x80\xa7", false },
		{ "\xe2\x80\xa8", true }, { "\xe2\x80\xae", true }, { "\xe2\x80\xaf", false },
		{ "\xe2\x81\xa5", false }, { "\xe2\x81\xa6", true }, { "\xe2\x81\xa9", true },
		{ "\xe2\x81\xaa", false }, { "\xe3\x80\xae", false },
		{ "\xf0\x9f\x98\x80", false },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(cases); i++)
		assert_int_equal(utf8_is_steering((const uint8_t *)cases[i].text,
		    strlen(cases[i].text)), cases[i].steers);
}

/* What the log writes of a text: its line goes to a pipe in place of standard error. */
static void
log__a_text_stays_one_clean_line(void **state BF_UNUSED)
{
	int old = dup(STDERR_FILENO), ends[2];
	char line[4096], longest[3000];
	ssize_t n;

	memset(longest, 'x', sizeof(longest));
	for (size_t i = 1; i + 1 < sizeof(longest); i += 2)
		memcpy(longest + i, "\xc3\xa9", 2);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	log_init("t", LOG_LEVEL_INFO);
	log_info("a\nb\xc2\x9b" "31mc\xe2\x80\xae" "d\xff" "\xc3\xa9");
	n = read(ends[0], line, sizeof(line));
	assert_true(str_eq((struct str){ line, (size_t)n },
	    STR("<6>t: a?b?31mc?d?\xc3\xa9\n")));
	log_info("%.*s", (int)sizeof(longest), longest);
	n = read(ends[0], line, sizeof(line));
	assert_true(n > 1000 && utf8_is_valid((uint8_t *)line, (size_t)n));
	log_info("%.*s", (int)sizeof(longest) - 1, longest + 1);
	n = read(ends[0], line, sizeof(line));
	assert_true(n > 1000 && utf8_is_valid((uint8_t *)line, (size_t)n));
	assert_int_equal(dup2(old, STDERR_FILENO), STDERR_FILENO);
	log_init("t", LOG_LEVEL_INFO);
	(void)close(old);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
json__escapes_what_steers_a_terminal(void **state BF_UNUSED)
{
	struct buf buf = BUF_INIT;

	json_quote(&buf, STR("\x7f \xc2\x9b" "2J \xd8\x9c \xe2\x80\xae \xe2\x81\xa6"));
	assert_true(str_eq(buf_str(&buf), STR("\"\\u007f \\u009b2J \\u061c \\u202e \\u2066\"")));
	buf_clear(&buf);
}

static void
json__escapes_what_it_must_and_stays_valid(void **state BF_UNUSED)
{
	struct buf buf = BUF_INIT;
	struct json json = json_to(&buf);

	json_object_begin(&json);
	json_member_str(&json, STR("a\"b"), STR("x\n\x01\\\xff" "\xc3\xa9"));
	json_member_u64(&json, STR("n"), UINT64_MAX);
	json_name(&json, STR("list"));
	json_array_begin(&json);
	json_bool(&json, true);
	json_null(&json);
	json_object_begin(&json);
	json_object_end(&json);
	json_array_end(&json);
	json_object_end(&json);
	buf_add_byte(&buf, 0);
	assert_string_equal((char *)buf_data(&buf),
	    "{\"a\\\"b\":\"x\\n\\u0001\\\\\xef\xbf\xbd\xc3\xa9\","
	    "\"n\":18446744073709551615,\"list\":[true,null,{}]}");
	buf_clear(&buf);
}

/* Texts are looked through by eights: a byte is escaped the same at every place. */
static void
json__escapes_a_byte_wherever_it_stands(void **state BF_UNUSED)
{
	for (int byte = 0; byte < 256; byte++) {
		for (size_t at = 0; at < 20; at++) {
			struct buf alone = BUF_INIT, among = BUF_INIT, want = BUF_INIT;
			char text[20];

			memset(text, 'x', sizeof(text));
			text[at] = (char)byte;
			json_quote(&alone, (struct str){ text + at, 1 });
			json_quote(&among, (struct str){ text, sizeof(text) });
			buf_printf(&want, "\"%.*s%.*s%.*s\"", (int)at, "xxxxxxxxxxxxxxxxxxx",
			    (int)buf_len(&alone) - 2, (char *)buf_data(&alone) + 1,
			    (int)(sizeof(text) - at - 1), "xxxxxxxxxxxxxxxxxxx");
			assert_true(str_eq(buf_str(&among), buf_str(&want)));
			buf_clear(&alone);
			buf_clear(&among);
			buf_clear(&want);
		}
	}
}

static const struct CMUnitTest common[] = {
	cmocka_unit_test(str_to_u64__takes_digits_and_refuses_the_rest),
	cmocka_unit_test(str_cmp__orders_by_bytes_then_length),
	cmocka_unit_test(buf__keeps_bytes_in_order_through_growth_and_consumption),
	cmocka_unit_test(tid__formats_and_parses_the_golden_value),
	cmocka_unit_test(tid__refuses_what_is_not_one),
	cmocka_unit_test(tid_next__grows_when_the_clock_goes_back),
	cmocka_unit_test(datetime__is_utc_with_milliseconds),
	cmocka_unit_test(datetime__every_day_until_2200_is_that_of_gmtime),
	cmocka_unit_test(json__numbers_have_all_their_digits),
	cmocka_unit_test(utf8__refuses_overlong_surrogates_and_cuts),
	cmocka_unit_test(utf8__knows_what_steers_a_terminal),
	cmocka_unit_test(log__a_text_stays_one_clean_line),
	cmocka_unit_test(json__escapes_what_steers_a_terminal),
	cmocka_unit_test(json__escapes_what_it_must_and_stays_valid),
	cmocka_unit_test(json__escapes_a_byte_wherever_it_stands),
};

UNIT_MAIN(common)

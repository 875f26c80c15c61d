/*
 * test_ctl_human.c - src/ctl: figures for people, text on terminals, the command
 * line and its suggestions.
 */
#include "t/unit/unit.h"

#include <locale.h>

#include "common/human.h"
#include "ctl/args.h"
#include "ctl/suggest.h"
#include "ctl/text.h"

#define SECOND	1000ll
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)

static void
human_duration__has_two_units_at_most(void **state BF_UNUSED)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ -5, "0 ms" }, { 0, "0 ms" }, { 999, "999 ms" }, { 1000, "1 s" },
		{ MINUTE - 1, "59 s" }, { MINUTE, "1 min 00 s" },
		{ 3 * MINUTE + 5 * SECOND, "3 min 05 s" },
		{ HOUR - 1, "59 min 59 s" }, { 2 * HOUR + 5 * MINUTE, "2 h 05 min" },
		{ DAY - 1, "23 h 59 min" }, { 3 * DAY + 4 * HOUR, "3 d 04 h" },
		{ INT64_MAX, "106751991167 d 07 h" },
	};
	char text[HUMAN_SIZE];

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		human_duration(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void
human_clock__grows_from_minutes_to_days(void **state BF_UNUSED)
{
	static const struct {
		uint64_t secs;
		const char *text;
	} rows[] = {
		{ 0, "0:00" }, { 9, "0:09" }, { 754, "12:34" }, { 3599, "59:59" },
		{ 3600, "1:00:00" }, { 86399, "23:59:59" }, { 86400, "1d 00h" },
		{ UINT64_MAX, "213503982334601d 07h" },
	};
	char text[HUMAN_SIZE];

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		human_clock(rows[i].secs, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void
human_ago__says_the_largest_unit_and_never_the_future(void **state BF_UNUSED)
{
	static const struct {
		int64_t before_ms;
		const char *text;
	} rows[] = {
		{ -HOUR, "just now" }, { 0, "just now" }, { 999, "just now" },
		{ 12 * SECOND, "12 s ago" }, { 90 * SECOND, "1 min ago" },
		{ HOUR, "1 h ago" }, { 50 * HOUR, "2 d ago" },
	};
	char text[HUMAN_SIZE];

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		human_ago(1000 * DAY - rows[i].before_ms, 1000 * DAY, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void
human_count__groups_digits_by_three(void **state BF_UNUSED)
{
	char text[HUMAN_SIZE];

	human_count(0, text);
	assert_string_equal(text, "0");
	human_count(999, text);
	assert_string_equal(text, "999");
	human_count(20000, text);
	assert_string_equal(text, "20,000");
	human_count(UINT64_MAX, text);
	assert_string_equal(text, "18,446,744,073,709,551,615");
}

static void
human_bytes__never_shows_1024_of_a_unit(void **state BF_UNUSED)
{
	char text[HUMAN_SIZE];

	human_bytes(1023, text);
	assert_string_equal(text, "1023 B");
	human_bytes(1024, text);
	assert_string_equal(text, "1.0 KiB");
	human_bytes(1024 * 1024 - 1, text);
	assert_string_equal(text, "1.0 MiB");
	human_bytes(12897485, text);
	assert_string_equal(text, "12.3 MiB");
	human_bytes(UINT64_MAX, text);
	assert_string_equal(text, "16.0 EiB");
}

static void
human_rate__is_finer_the_slower_it_goes(void **state BF_UNUSED)
{
	char text[HUMAN_SIZE];

	human_rate(1234567, text);
	assert_string_equal(text, "1,234/s");
	human_rate(99990, text);
	assert_string_equal(text, "99.9/s");
	human_rate(50, text);
	assert_string_equal(text, "0.05/s");
	human_rate(UINT64_MAX, text);
	assert_string_equal(text, "18,446,744,073,709,551/s");
}

static void
assert_text(struct str from, size_t columns, bool is_utf8, const char *expected)
{
	struct buf to = BUF_INIT;

	(void)text_add(&to, from, columns, is_utf8);
	buf_add_byte(&to, '\0');
	assert_string_equal((char *)buf_data(&to), expected);
	buf_clear(&to);
}

static void
text_add__shows_nothing_that_steers_a_terminal(void **state BF_UNUSED)
{
	assert_text(STR("a\033[31mb\a\x7f" "c"), TEXT_UNCUT, true, "a?[31mb??c");
	assert_text(STR("two\nlines\tand\rmore"), TEXT_UNCUT, true, "two lines and more");
	assert_text(STR("\xc2\x9b" "31m"), TEXT_UNCUT, true, "?31m");	/* C1: CSI */
	assert_text(STR("a\xe2\x80\xae" "b"), TEXT_UNCUT, true, "a?b");	/* RLO */
	assert_text(STR("bad \xff\xc0\x80 bytes"), TEXT_UNCUT, true, "bad ??? bytes");
	assert_text(STR("n\0l"), TEXT_UNCUT, true, "n?l");
}

static void
text_add__cuts_at_columns_not_at_bytes(void **state BF_UNUSED)
{
	assert_text(STR("abcdef"), 6, true, "abcdef");
	assert_text(STR("abcdef"), 5, true, "abcd…");
	assert_text(STR("abcdef"), 5, false, "abcd~");
	assert_text(STR("äöüß"), 4, true, "äöüß");
	assert_text(STR("äöüß"), 3, true, "äö…");
	assert_text(STR("äöüß"), 9, false, "????");
	assert_text(STR("日本語"), 6, true, "日本語");
	assert_text(STR("日本語"), 4, true, "日…");
	assert_text(STR("abc"), 0, true, "");
	assert_int_equal(text_columns(STR("日本語"), true), 6);
	assert_int_equal(text_columns(STR("e\xcc\x81"), true), 1);	/* combining */
}

static void
suggest__finds_the_slip_and_nothing_else(void **state BF_UNUSED)
{
	static const char *const words[] = { "list", "cancel", "watch", "records", "repos" };
	static const struct {
		const char *typed, *meant;
	} rows[] = {
		{ "lsit", "list" }, { "cancle", "cancel" }, { "wacht", "watch" },
		{ "rec", "records" }, { "repo", "repos" }, { "quux", NULL }, { "", NULL },
		{ "a-word-that-is-longer-than-any-that-is-looked-at", NULL },
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		struct suggest suggest = suggest_for(rows[i].typed);

		for (size_t j = 0; j < BF_ARRAY_LEN(words); j++)
			suggest_offer(&suggest, words[j]);
		if (rows[i].meant == NULL)
			assert_null(suggest.best);
		else
			assert_string_equal(suggest.best, rows[i].meant);
	}
	assert_int_equal(suggest_distance("ab", "ba"), 1);
	assert_int_equal(suggest_distance("", "abc"), 3);
}

static const struct args_option common_options[] = {
	{ "json", 0, NULL, "" },
	{ "socket", 's', "SOCKET", "" },
	{ 0 },
};

static const struct args_option own_options[] = {
	{ "limit", 0, "N", "" },
	{ 0 },
};

static int
parse(struct args *args, char **argv, struct err *err)
{
	const char *command;

	args_init(args, argv, common_options);
	if (args_take_command(args, &command, err) == -1)
		return -1;
	return args_take_rest(args, own_options, err);
}

#define ARGV(...)	(char *[]){ __VA_ARGS__, NULL }
#define W(word)		(char[]){ word }

static void
args__takes_options_before_and_behind_the_operands(void **state BF_UNUSED)
{
	struct args args;
	struct err err;
	uint64_t limit;

	assert_int_equal(parse(&args, ARGV(W("--json"), W("-s"), W("/x"), W("list"),
	    W("one"), W("--limit=7"), W("--"), W("--json")), &err), 0);
	assert_true(args_has(&args, "json"));
	assert_string_equal(args_value(&args, "socket"), "/x");
	assert_int_equal(args.operands_count, 2);
	assert_string_equal(args.operands[1], "--json");
	assert_int_equal(args_number(&args, "limit", 1, 1, 10, &limit, &err), 0);
	assert_int_equal(limit, 7);
	assert_int_equal(args_number(&args, "limit", 1, 1, 6, &limit, &err), -1);
	assert_string_equal(err.text, "--limit 7: has to be a number from 1 to 6");
	assert_int_equal(limit, 7);
}

static void
args__tells_what_is_wrong_and_what_was_meant(void **state BF_UNUSED)
{
	struct args args;
	struct err err;

	assert_int_equal(parse(&args, ARGV(W("list"), W("--limti"), W("7")), &err), -1);
	assert_string_equal(err.text, "unknown option --limti; did you mean --limit?");
	assert_int_equal(parse(&args, ARGV(W("list"), W("--limit")), &err), -1);
	assert_string_equal(err.text, "option --limit needs a value: N");
	assert_int_equal(parse(&args, ARGV(W("list"), W("--json=yes")), &err), -1);
	assert_string_equal(err.text, "option --json takes no value");
	assert_int_equal(parse(&args, ARGV(W("list"), W("-q")), &err), -1);
	assert_string_equal(err.text, "unknown option -q");
	assert_int_equal(parse(&args, ARGV(W("list"), W("1"), W("2"), W("3"), W("4"),
	    W("5")), &err), -1);
	assert_string_equal(err.text, "too many arguments: 5");
}

static int
set_locale(void **state BF_UNUSED)
{
	return setlocale(LC_CTYPE, "C.UTF-8") == NULL ? -1 : 0;
}

static const struct CMUnitTest human_all[] = {
	cmocka_unit_test(human_duration__has_two_units_at_most),
	cmocka_unit_test(human_clock__grows_from_minutes_to_days),
	cmocka_unit_test(human_ago__says_the_largest_unit_and_never_the_future),
	cmocka_unit_test(human_count__groups_digits_by_three),
	cmocka_unit_test(human_bytes__never_shows_1024_of_a_unit),
	cmocka_unit_test(human_rate__is_finer_the_slower_it_goes),
	cmocka_unit_test_setup(text_add__shows_nothing_that_steers_a_terminal, set_locale),
	cmocka_unit_test_setup(text_add__cuts_at_columns_not_at_bytes, set_locale),
	cmocka_unit_test(suggest__finds_the_slip_and_nothing_else),
	cmocka_unit_test(args__takes_options_before_and_behind_the_operands),
	cmocka_unit_test(args__tells_what_is_wrong_and_what_was_meant),
};

UNIT_MAIN(human_all)

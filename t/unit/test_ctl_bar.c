/*
 * test_ctl_bar.c - src/ctl: the live line, tables and outcomes, as they look.
 */
#include "t/unit/unit.h"

#include <locale.h>
#include <signal.h>

#include "ctl/bar.h"
#include "ctl/outcome.h"
#include "ctl/table.h"
#include "ctl/text.h"

static const struct term plain = { .is_tty = true, .can_redraw = true };
static const struct term utf8 = { .is_tty = true, .can_redraw = true, .is_utf8 = true };
static const struct term coloured = { .is_tty = true, .can_redraw = true,
    .has_colour = true, .is_utf8 = true };

static struct op
running_op(void)
{
	return (struct op){
		.id = STR("3migo7fijwi2k"),
		.type = STR("did-sync"),
		.status = OP_RUNNING,
		.attempt = 1,
		.created_ms = 1000000,
		.started_ms = 1001000,
		.stage = STR("fetch"),
		.records_processed = 8412,
		.records_total = 20000,
		.rate_milli = 1234500,
	};
}

static const char *
as_text(struct buf *buf)
{
	buf_add_byte(buf, '\0');
	return (const char *)buf_data(buf);
}

static void
assert_bar(const struct op *op, const struct term *term, size_t width,
    const char *expected)
{
	struct buf line = BUF_INIT;

	bar_format(op, 1008000, term, width, &line);
	assert_true(text_columns(buf_str(&line), true) <= width || term->has_colour);
	assert_string_equal(as_text(&line), expected);
	buf_clear(&line);
}

static void
bar__has_all_figures_where_there_is_room(void **state BF_UNUSED)
{
	struct op op = running_op();

	op.items_failed = 3;
	assert_bar(&op, &utf8, 100, "fetch  ▕█████████████▊                   ▏   42%"
	    "   8,412/20,000  3 failed   1,234/s  ETA 0:10   0:07");
	assert_bar(&op, &plain, 100, "fetch  [#############                    ]   42%"
	    "   8,412/20,000  3 failed   1,234/s  ETA 0:10   0:07");
}

static void
bar__drops_the_least_important_first(void **state BF_UNUSED)
{
	struct op op = running_op();

	assert_bar(&op, &plain, 66, "fetch  [###      ]   42%   8,412/20,000"
	    "   1,234/s  ETA 0:10   0:07");
	assert_bar(&op, &plain, 60, "fetch  [###      ]   42%   8,412/20,000"
	    "   1,234/s  ETA 0:10 ");
	assert_bar(&op, &plain, 50, "fetch  [###      ]   42%   8,412/20,000  ETA 0:10 ");
	assert_bar(&op, &plain, 30, "fetch   42%   8,412/20,000");
	assert_bar(&op, &plain, 12, "fetch   42%");
	assert_bar(&op, &plain, 4, " 42%");
}

static void
bar__fits_every_width(void **state BF_UNUSED)
{
	struct op op = running_op();
	struct buf line = BUF_INIT;

	op.items_failed = 12345;
	op.stage = STR("日本語日本語日本語日本語");
	for (size_t width = 4; width < 200; width++) {
		bar_format(&op, 1008000, &utf8, width, &line);
		assert_true(text_columns(buf_str(&line), true) <= width);
		buf_reset(&line);
	}
	buf_clear(&line);
}

static void
bar__says_what_a_waiting_or_cancelled_operation_does(void **state BF_UNUSED)
{
	struct op op = running_op();

	op.cancel_asked_ms = 1007000;
	assert_bar(&op, &plain, 30, "cancelling   42%");
	op = (struct op){ .status = OP_QUEUED, .created_ms = 1000000 };
	assert_bar(&op, &plain, 80, "queued  0:08");
	op = (struct op){ .status = OP_RUNNING, .started_ms = 1008000 };
	assert_bar(&op, &plain, 28, "starting  [###       ]  0:00");
	op.bytes_fetched = 3 << 20;
	assert_bar(&op, &plain, 37, "starting  [###       ]  3.0 MiB  0:00");
}

static void
bar__colours_around_text_and_ends_them(void **state BF_UNUSED)
{
	struct op op = { .status = OP_RUNNING, .started_ms = 1008000, .stage = STR("x"),
	    .records_processed = 1, .records_total = 1 };

	assert_bar(&op, &coloured, 30, "\033[1mx\033[0m  \033[34m▕████████▏\033[0m"
	    "  100%  1/1  \033[2m0:00\033[0m");
}

static void
bar_draw__is_as_wide_as_asked_at_every_percentage(void **state BF_UNUSED)
{
	struct buf line = BUF_INIT;

	for (int percent = -1; percent <= 100; percent++) {
		for (int64_t now_ms = 0; now_ms < 20000; now_ms += 130) {
			bar_draw(percent, now_ms, &utf8, 17, &line);
			assert_int_equal(text_columns(buf_str(&line), true), 17);
			buf_reset(&line);
			bar_draw(percent, now_ms, &plain, 17, &line);
			assert_int_equal(buf_len(&line), 17);
			buf_reset(&line);
		}
	}
	bar_draw(0, 0, &utf8, 10, &line);
	bar_draw(100, 0, &utf8, 10, &line);
	assert_string_equal(as_text(&line), "▕        ▏▕████████▏");
	buf_clear(&line);
}

static void
bar_format_plain__is_one_line_for_a_log(void **state BF_UNUSED)
{
	struct op op = running_op();
	struct buf line = BUF_INIT;

	op.items_failed = 3;
	op.stage = STR("fe\ntch");
	bar_format_plain(&op, &line);
	assert_string_equal(as_text(&line),
	    "running fe tch 8412/20000 42% 1234.5/s eta 10 s, 3 failed");
	buf_clear(&line);
}

static const struct table_column columns[] = {
	{ "ID", false, 0 },
	{ "COUNT", true, 0 },
	{ "SUBJECT", false, 6 },
	{ "ERROR", false, 4 },
};

static struct table *
example_table(void)
{
	struct table *table = table_new(columns, BF_ARRAY_LEN(columns));

	table_add(table, STR("1"));
	table_add(table, STR("20,000"));
	table_add(table, STR("did:plc:abcdefgh"));
	table_add(table, STR("first\nsecond"));
	table_add_coloured(table, STR("22"), TERM_RED);
	table_add(table, STR("7"));
	table_add(table, STR_NONE);
	table_add(table, STR_NONE);
	return table;
}

static void
assert_table(size_t width, const struct term *term, const char *expected)
{
	struct table *table = example_table();
	struct buf text = BUF_INIT;

	table_format(table, term, width, &text);
	assert_string_equal(as_text(&text), expected);
	buf_clear(&text);
	table_free(&table);
}

static void
table__is_as_wide_as_its_cells_without_a_terminal(void **state BF_UNUSED)
{
	assert_table(TABLE_NO_WIDTH, &plain,
	    "ID   COUNT  SUBJECT           ERROR\n"
	    "1   20,000  did:plc:abcdefgh  first second\n"
	    "22       7\n");
}

static void
table__shrinks_from_the_last_column_and_never_wraps(void **state BF_UNUSED)
{
	assert_table(36, &utf8,
	    "ID   COUNT  SUBJECT           ERROR\n"
	    "1   20,000  did:plc:abcdefgh  first…\n"
	    "22       7\n");
	assert_table(26, &utf8,
	    "ID   COUNT  SUBJECT   ERR…\n"
	    "1   20,000  did:plc…  fir…\n"
	    "22       7\n");
	assert_table(8, &utf8,
	    "ID  COU…\n"
	    "1   20,…\n"
	    "22     7\n");
}

static void
table__colours_a_cell_and_its_titles(void **state BF_UNUSED)
{
	assert_table(4, &coloured,
	    "\033[1mID\033[0m\n"
	    "1\n"
	    "\033[31m22\033[0m\n");
}

static void
table__leaves_out_empty_columns_on_a_terminal(void **state BF_UNUSED)
{
	struct table *table = table_new(columns, BF_ARRAY_LEN(columns));
	struct buf text = BUF_INIT;

	table_add(table, STR("1"));
	table_add(table, STR_NONE);
	table_add(table, STR_NONE);
	table_add(table, STR("x"));
	table_format(table, &plain, 80, &text);
	table_format(table, &plain, TABLE_NO_WIDTH, &text);
	assert_string_equal(as_text(&text), "ID  ERROR\n1   x\n"
	    "ID  COUNT  SUBJECT  ERROR\n1                   x\n");
	buf_clear(&text);
	table_free(&table);
}

static void
table__without_rows_is_nothing(void **state BF_UNUSED)
{
	struct table *table = table_new(columns, BF_ARRAY_LEN(columns));
	struct buf text = BUF_INIT;

	table_format(table, &plain, 80, &text);
	assert_int_equal(buf_len(&text), 0);
	table_free(&table);
	table_free(&table);
}

static void
assert_outcome(const struct op *op, const char *expected)
{
	struct buf text = BUF_INIT;

	outcome_format(op, &plain, &text);
	assert_string_equal(as_text(&text), expected);
	buf_clear(&text);
}

static void
outcome__tells_what_a_person_asks_next(void **state BF_UNUSED)
{
	struct op op = running_op();

	op.status = OP_COMPLETED;
	op.completed_ms = op.started_ms + 16000;
	op.records_processed = op.records_total;
	op.records_created = 19990;
	op.records_deleted = 1;
	op.items_failed = 1;
	assert_outcome(&op, "completed: 20,000 records in 16 s (1,250/s); 19,990 created, "
	    "0 updated, 1 deleted\n1 item could not be done: "
	    "'backfillctl show 3migo7fijwi2k --items' lists them\n");
	op.items_failed = 0;
	op.status = OP_FAILED;
	op.error_class = STR("unreachable");
	op.error_text = STR("pds.example: no route");
	assert_outcome(&op, "failed after 16 s: unreachable: pds.example: no route\n");
	op.status = OP_CANCELLED;
	op.cancelled_by = STR("uid 1000");
	op.cancel_reason = STR("wrong account");
	op.was_killed = true;
	assert_outcome(&op, "cancelled after 16 s by uid 1000: wrong account "
	    "(it did not stop by itself and was killed)\n");
}

static void
outcome_format_exit__names_signals(void **state BF_UNUSED)
{
	struct op op = { .exit_status = SIGSEGV + 1 };
	struct buf text = BUF_INIT;

	outcome_format_exit(&op, &text);
	assert_string_equal(as_text(&text), "killed by SIGSEGV");
	buf_reset(&text);
	op.exit_status = (3 << 8) + 1;
	outcome_format_exit(&op, &text);
	assert_string_equal(as_text(&text), "exit status 3");
	buf_clear(&text);
}

static int
set_locale(void **state BF_UNUSED)
{
	return setlocale(LC_CTYPE, "C.UTF-8") == NULL ? -1 : 0;
}

static const struct CMUnitTest bar_all[] = {
	cmocka_unit_test_setup(bar__has_all_figures_where_there_is_room, set_locale),
	cmocka_unit_test_setup(bar__drops_the_least_important_first, set_locale),
	cmocka_unit_test_setup(bar__fits_every_width, set_locale),
	cmocka_unit_test_setup(bar__says_what_a_waiting_or_cancelled_operation_does,
	    set_locale),
	cmocka_unit_test_setup(bar__colours_around_text_and_ends_them, set_locale),
	cmocka_unit_test_setup(bar_draw__is_as_wide_as_asked_at_every_percentage,
	    set_locale),
	cmocka_unit_test_setup(bar_format_plain__is_one_line_for_a_log, set_locale),
	cmocka_unit_test_setup(table__is_as_wide_as_its_cells_without_a_terminal,
	    set_locale),
	cmocka_unit_test_setup(table__shrinks_from_the_last_column_and_never_wraps,
	    set_locale),
	cmocka_unit_test_setup(table__colours_a_cell_and_its_titles, set_locale),
	cmocka_unit_test(table__leaves_out_empty_columns_on_a_terminal),
	cmocka_unit_test(table__without_rows_is_nothing),
	cmocka_unit_test_setup(outcome__tells_what_a_person_asks_next, set_locale),
	cmocka_unit_test(outcome_format_exit__names_signals),
};

UNIT_MAIN(bar_all)

#include "ctl/bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/attr.h"
#include "common/human.h"
#include "ctl/text.h"
#include "op/op_progress.h"

#define BAR_LEAST	10	/* columns, frames included; narrower says nothing */
#define BAR_MOST	42
#define GAP		2
#define STAGE_COLUMNS	16
#define WANDER_STEP_MS	150
#define WANDER_COLUMNS	3

/* The parts of the line from left to right. */
enum part { STAGE, BAR, PERCENT, COUNT, FAILED, RATE, ETA, ELAPSED, PARTS };

/* What goes first when the line is too narrow. */
static const enum part drop_order[] = {
	ELAPSED, RATE, BAR, ETA, FAILED, COUNT, STAGE,
};

struct line {
	char text[PARTS][HUMAN_SIZE * 2 + 8];
	size_t columns[PARTS];		/* 0: not shown */
	enum term_colour colour[PARTS];
};

static void
set_part(struct line *line, enum part part, const char *text)
{
	(void)snprintf(line->text[part], sizeof(line->text[part]), "%s", text);
	line->columns[part] = strlen(line->text[part]);
}

static void
set_stage(struct line *line, const struct op *op, const struct term *term)
{
	struct buf clean = BUF_INIT;
	struct str stage = op->stage;
	size_t used;

	if (op_is_being_cancelled(op))
		stage = STR("cancelling");
	else if (op_status(op) != OP_RUNNING)
		stage = str_from(op_status_word(op_status(op)));
	else if (str_is_empty(stage))
		stage = STR("starting");
	used = text_add(&clean, stage, STAGE_COLUMNS, term->is_utf8);
	(void)str_copy(line->text[STAGE], sizeof(line->text[STAGE]), buf_str(&clean));
	line->columns[STAGE] = used;
	line->colour[STAGE] = op_is_being_cancelled(op) ? TERM_YELLOW : TERM_BOLD;
	buf_clear(&clean);
}

static void
set_counts(struct line *line, const struct op *op)
{
	char done[HUMAN_SIZE], total[HUMAN_SIZE], text[HUMAN_SIZE * 2 + 8];
	struct op_progress is = op_progress(op);
	unsigned percent;

	human_count(is.done, done);
	if (op_percent(op, &percent)) {
		human_count(is.total, total);
		(void)snprintf(text, sizeof(text), "%*s/%s", (int)strlen(total), done, total);
		set_part(line, COUNT, text);
		(void)snprintf(text, sizeof(text), "%3u%%", percent);
		set_part(line, PERCENT, text);
	} else if (is.done > 0) {
		set_part(line, COUNT, done);
	} else if (op->bytes_fetched > 0) {
		human_bytes(op->bytes_fetched, done);
		set_part(line, COUNT, done);
	}
	if (op->items_failed > 0) {
		human_count(op->items_failed, done);
		(void)snprintf(text, sizeof(text), "%s failed", done);
		set_part(line, FAILED, text);
		line->colour[FAILED] = TERM_RED;
	}
}

static void
set_times(struct line *line, const struct op *op, int64_t now_ms)
{
	int64_t since_ms = (int64_t)(op_status(op) == OP_RUNNING ? op->started_ms :
	    op->created_ms);
	char figure[HUMAN_SIZE], text[HUMAN_SIZE * 2];
	uint64_t eta_secs;

	if (op_status(op) == OP_RUNNING && op->rate_milli > 0) {
		human_rate(op->rate_milli, figure);
		(void)snprintf(text, sizeof(text), "%8s", figure);
		set_part(line, RATE, text);
	}
	if (op_eta_secs(op, &eta_secs)) {
		human_clock(eta_secs, figure);
		(void)snprintf(text, sizeof(text), "ETA %-5s", figure);
		set_part(line, ETA, text);
	}
	human_clock(now_ms > since_ms ? (uint64_t)(now_ms - since_ms) / 1000 : 0, figure);
	set_part(line, ELAPSED, figure);
	line->colour[ELAPSED] = TERM_DIM;
}

static size_t
line_columns(const struct line *line)
{
	size_t total = 0;

	for (int part = 0; part < PARTS; part++)
		if (line->columns[part] > 0)
			total += line->columns[part] + (total > 0 ? GAP : 0);
	return total;
}

/* Choose what is shown, and give the bar the room that is left. */
static void
fit(struct line *line, size_t width)
{
	size_t total;

	for (size_t i = 0; i < BF_ARRAY_LEN(drop_order); i++) {
		if (line_columns(line) <= width)
			break;
		line->columns[drop_order[i]] = 0;
	}
	total = line_columns(line);
	if (line->columns[BAR] > 0 && total < width)
		line->columns[BAR] += width - total;
	if (line->columns[BAR] > BAR_MOST)
		line->columns[BAR] = BAR_MOST;
}

/* The filled part in eighths of a column. */
static void
draw_utf8(int percent, size_t from, size_t cells, struct buf *to)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	size_t filled, rest, i;

	buf_add_str(to, STR("▕"));
	filled = percent >= 0 ? cells * 8 * (size_t)percent / 100 : WANDER_COLUMNS * 8;
	text_add_blanks(to, from);
	for (i = 0; i < filled / 8; i++)
		buf_add_str(to, STR("█"));
	rest = filled % 8;
	buf_add_str(to, str_from(eighths[rest]));
	text_add_blanks(to, cells - from - i - (rest > 0));
	buf_add_str(to, STR("▏"));
}

static void
draw_ascii(int percent, size_t from, size_t cells, struct buf *to)
{
	size_t filled = percent >= 0 ? cells * (size_t)percent / 100 : WANDER_COLUMNS;

	buf_add_byte(to, '[');
	text_add_blanks(to, from);
	for (size_t i = 0; i < filled; i++)
		buf_add_byte(to, '#');
	text_add_blanks(to, cells - from - filled);
	buf_add_byte(to, ']');
}

void
bar_draw(int percent, int64_t now_ms, const struct term *term, size_t width,
    struct buf *to)
{
	size_t cells = width - 2, from = 0, way = cells - WANDER_COLUMNS;

	if (percent < 0) {
		/* To the right end and back. */
		from = (size_t)(now_ms / WANDER_STEP_MS) % (2 * way);
		if (from > way)
			from = 2 * way - from;
	}
	if (term->is_utf8)
		draw_utf8(percent, from, cells, to);
	else
		draw_ascii(percent, from, cells, to);
}

void
bar_format(const struct op *op, int64_t now_ms, const struct term *term, size_t width,
    struct buf *to)
{
	struct line line = { 0 };
	unsigned percent = 0;
	bool is_known = op_percent(op, &percent), is_first = true;

	line.columns[BAR] = op_status(op) == OP_RUNNING ? BAR_LEAST : 0;
	line.colour[BAR] = TERM_BLUE;
	set_stage(&line, op, term);
	set_counts(&line, op);
	set_times(&line, op, now_ms);
	fit(&line, width);
	for (int part = 0; part < PARTS; part++) {
		if (line.columns[part] == 0)
			continue;
		if (!is_first)
			text_add_blanks(to, GAP);
		is_first = false;
		term_colour_on(term, line.colour[part], to);
		if (part == BAR)
			bar_draw(is_known ? (int)percent : -1, now_ms, term,
			    line.columns[BAR], to);
		else
			buf_add_str(to, str_from(line.text[part]));
		term_colour_off(term, line.colour[part], to);
	}
}

void
bar_format_plain(const struct op *op, struct buf *to)
{
	struct op_progress is = op_progress(op);
	char text[HUMAN_SIZE];
	uint64_t eta_secs;
	unsigned percent;

	buf_printf(to, "%s", op_is_being_cancelled(op) ? "cancelling" :
	    op_status_word(op_status(op)));
	if (op_status(op) == OP_RUNNING && !str_is_empty(op->stage)) {
		buf_add_byte(to, ' ');
		(void)text_add(to, op->stage, TEXT_UNCUT, false);
	}
	if (op_percent(op, &percent))
		buf_printf(to, " %" PRIu64 "/%" PRIu64 " %u%%", is.done, is.total, percent);
	else if (is.done > 0)
		buf_printf(to, " %" PRIu64, is.done);
	else if (op->bytes_fetched > 0) {
		human_bytes(op->bytes_fetched, text);
		buf_printf(to, " %s", text);
	}
	if (op_status(op) == OP_RUNNING && op->rate_milli > 0)
		buf_printf(to, " %" PRIu64 ".%" PRIu64 "/s", op->rate_milli / 1000,
		    op->rate_milli % 1000 / 100);
	if (op_eta_secs(op, &eta_secs)) {
		human_duration((int64_t)eta_secs * 1000, text);
		buf_printf(to, " eta %s", text);
	}
	if (op->items_failed > 0)
		buf_printf(to, ", %" PRIu64 " failed", op->items_failed);
}

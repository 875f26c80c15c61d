#include "ctl/table.h"

#include <stdlib.h>

#include "common/mem.h"
#include "ctl/text.h"

#define GAP	2	/* blanks between columns */

struct cell {
	size_t start, len;	/* in table.text */
	enum term_colour colour;
};

struct table {
	const struct table_column *columns;	/* borrowed */
	size_t columns_count;
	/* owned */
	struct buf text;
	struct cell *cells;
	size_t cells_count, cells_size;
};

struct table *
table_new(const struct table_column *columns, size_t count)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->columns = columns;
	table->columns_count = count;
	return table;
}

void
table_free(struct table **table)
{
	if (*table == NULL)
		return;
	buf_clear(&(*table)->text);
	free((*table)->cells);
	free(*table);
	*table = NULL;
}

void
table_add_coloured(struct table *table, struct str text, enum term_colour colour)
{
	if (table->cells_count == table->cells_size) {
		table->cells_size = table->cells_size * 2 + 64;
		table->cells = xrealloc(table->cells,
		    table->cells_size * sizeof(*table->cells));
	}
	table->cells[table->cells_count++] = (struct cell){
		buf_len(&table->text), text.len, colour,
	};
	buf_add_str(&table->text, text);
}

void
table_add(struct table *table, struct str text)
{
	table_add_coloured(table, text, TERM_PLAIN);
}

size_t
table_rows(const struct table *table)
{
	return table->cells_count / table->columns_count;
}

static struct str
cell_text(const struct table *table, const struct cell *cell)
{
	const char *start = (const char *)buf_data(&table->text);

	return cell->len > 0 ? (struct str){ start + cell->start, cell->len } : STR_NONE;
}

/* Widest cell and title of each column; 0 for a column that is left out. */
static void
measure(const struct table *table, bool is_utf8, bool keep_empty, size_t *widths_out)
{
	for (size_t i = 0; i < table->cells_count; i++) {
		size_t *width = &widths_out[i % table->columns_count];
		size_t columns = text_columns(cell_text(table, &table->cells[i]), is_utf8);

		if (columns > *width)
			*width = columns;
	}
	for (size_t c = 0; c < table->columns_count; c++) {
		size_t title = text_columns(str_from(table->columns[c].title), is_utf8);

		if (title > widths_out[c] && (widths_out[c] > 0 || keep_empty))
			widths_out[c] = title;
	}
}

static void
shrink(const struct table *table, size_t width, size_t *widths)
{
	size_t total = 0;

	for (size_t c = 0; c < table->columns_count; c++)
		if (widths[c] > 0)
			total += widths[c] + (total > 0 ? GAP : 0);
	for (size_t c = table->columns_count; c-- > 0 && total > width;) {
		size_t least = table->columns[c].shrinks_to, excess = total - width;

		if (least == 0 || widths[c] <= least)
			continue;
		if (excess > widths[c] - least)
			excess = widths[c] - least;
		widths[c] -= excess;
		total -= excess;
	}
}

/* A line that is being written. */
struct line {
	const struct term *term;
	size_t used, width;	/* columns; no more than width may be used */
	size_t blanks;		/* owed before the next text: none stand at the end */
	struct buf *to;
};

static void
add_cell(struct line *line, const struct table_column *column, struct str text,
    enum term_colour colour, size_t cell_width)
{
	bool is_utf8 = line->term->is_utf8;
	size_t gap = line->used > 0 ? GAP : 0, columns;

	if (cell_width == 0 || line->used + gap >= line->width)
		return;
	if (cell_width > line->width - line->used - gap)
		cell_width = line->width - line->used - gap;
	columns = text_columns(text, is_utf8);
	if (columns > cell_width)
		columns = cell_width;
	line->blanks += gap + (column->is_right ? cell_width - columns : 0);
	if (columns > 0) {
		text_add_blanks(line->to, line->blanks);
		line->blanks = 0;
		term_colour_on(line->term, colour, line->to);
		(void)text_add(line->to, text, columns, is_utf8);
		term_colour_off(line->term, colour, line->to);
	}
	line->blanks += column->is_right ? 0 : cell_width - columns;
	line->used += gap + cell_width;
}

static void
end_line(struct line *line)
{
	buf_add_byte(line->to, '\n');
	line->used = line->blanks = 0;
}

void
table_format(const struct table *table, const struct term *term, size_t width,
    struct buf *to)
{
	struct line line = { .term = term, .width = width, .to = to };
	size_t *widths;

	if (table->cells_count == 0)
		return;
	widths = xcalloc(table->columns_count, sizeof(*widths));
	measure(table, term->is_utf8, width == TABLE_NO_WIDTH, widths);
	shrink(table, width, widths);
	for (size_t c = 0; c < table->columns_count; c++)
		add_cell(&line, &table->columns[c], str_from(table->columns[c].title),
		    TERM_BOLD, widths[c]);
	end_line(&line);
	for (size_t i = 0; i < table->cells_count; i++) {
		size_t c = i % table->columns_count;
		const struct cell *cell = &table->cells[i];

		add_cell(&line, &table->columns[c], cell_text(table, cell), cell->colour,
		    widths[c]);
		if (c + 1 == table->columns_count)
			end_line(&line);
	}
	free(widths);
}

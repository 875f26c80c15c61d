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

static void
measure(const struct table *table, bool is_utf8, size_t *widths_out)
{
	for (size_t c = 0; c < table->columns_count; c++)
		widths_out[c] = text_columns(str_from(table->columns[c].title), is_utf8);
	for (size_t i = 0; i < table->cells_count; i++) {
		size_t *width = &widths_out[i % table->columns_count];
		size_t columns = text_columns(cell_text(table, &table->cells[i]), is_utf8);

		if (columns > *width)
			*width = columns;
	}
}

static void
shrink(const struct table *table, size_t width, size_t *widths)
{
	size_t total = (table->columns_count - 1) * GAP;

	for (size_t c = 0; c < table->columns_count; c++)
		total += widths[c];
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

/* Add one cell at `used` columns of a line of `width`; returns the new `used`. */
static size_t
add_cell(const struct table *table, size_t column, struct str text,
    enum term_colour colour, const struct term *term, size_t cell_width, size_t used,
    size_t width, struct buf *to)
{
	bool is_last = column + 1 == table->columns_count;

	if (used + (column > 0 ? GAP : 0) >= width)
		return width;
	if (column > 0) {
		text_add_blanks(to, GAP);
		used += GAP;
	}
	if (cell_width > width - used)
		cell_width = width - used;
	term_colour_on(term, colour, to);
	if (table->columns[column].is_right)
		text_add_right(to, text, cell_width, term->is_utf8);
	else if (is_last)
		(void)text_add(to, text, cell_width, term->is_utf8);
	else
		text_add_left(to, text, cell_width, term->is_utf8);
	term_colour_off(term, colour, to);
	return used + cell_width;
}

void
table_format(const struct table *table, const struct term *term, size_t width,
    struct buf *to)
{
	size_t *widths, used = 0;

	if (table->cells_count == 0)
		return;
	widths = xcalloc(table->columns_count, sizeof(*widths));
	measure(table, term->is_utf8, widths);
	shrink(table, width, widths);
	for (size_t c = 0; c < table->columns_count; c++)
		used = add_cell(table, c, str_from(table->columns[c].title), TERM_BOLD,
		    term, widths[c], used, width, to);
	buf_add_byte(to, '\n');
	for (size_t i = 0; i < table->cells_count; i++) {
		size_t c = i % table->columns_count;
		const struct cell *cell = &table->cells[i];

		used = add_cell(table, c, cell_text(table, cell), cell->colour, term,
		    widths[c], c == 0 ? 0 : used, width, to);
		if (c + 1 == table->columns_count)
			buf_add_byte(to, '\n');
	}
	free(widths);
}

/*
 * table.h - rows under titles, in columns as wide as their widest cell.
 *
 * On a terminal a row never wraps: columns without any text are left out, those
 * that may shrink give way from the last to the first, and then the line is cut.
 * Elsewhere every column is there and nothing is cut.
 * Cells are cleaned as text.h says.
 */
#ifndef BF_CTL_TABLE_H
#define BF_CTL_TABLE_H

#include <stddef.h>

#include "common/buf.h"
#include "common/str.h"
#include "ctl/term.h"

struct table;

struct table_column {
	const char *title;
	bool is_right;		/* aligned right: numbers */
	size_t shrinks_to;	/* columns it needs at least; 0: never shrinks */
};

/* columns is borrowed for the life of the table. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table **table);

/* The next cell, row by row from the left.  The text is copied. */
void table_add(struct table *table, struct str text);
void table_add_coloured(struct table *table, struct str text, enum term_colour colour);

size_t table_rows(const struct table *table);

#define TABLE_NO_WIDTH	((size_t)-1)	/* it is not for a terminal */

/* Append titles and rows, or nothing if there are no rows. */
void table_format(const struct table *table, const struct term *term, size_t width,
    struct buf *to);

#endif

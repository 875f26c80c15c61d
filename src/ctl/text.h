/*
 * text.h - text of unknown origin on a terminal: cleaned, measured and cut.
 *
 * Errors and stages come from workers and, through them, from servers.  What
 * could steer a terminal or forge a line (control characters, bidirectional
 * overrides, bytes that are no text) is shown as '?', line breaks as blanks.
 * Widths are terminal columns as wcwidth(3) has them, so setlocale() comes first.
 */
#ifndef BF_CTL_TEXT_H
#define BF_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/str.h"

#define TEXT_UNCUT	((size_t)-1)

/* How wide text_add() makes it.  is_utf8 says whether the terminal takes UTF-8:
 * if not, every byte outside ASCII is a '?'. */
size_t text_columns(struct str text, bool is_utf8);

/* Append text, cut to so many columns with an ellipsis at the end.  Returns the
 * columns that were used. */
size_t text_add(struct buf *to, struct str text, size_t columns, bool is_utf8);

/* As text_add(), and blanks up to exactly that many columns. */
void text_add_left(struct buf *to, struct str text, size_t columns, bool is_utf8);
void text_add_right(struct buf *to, struct str text, size_t columns, bool is_utf8);

void text_add_blanks(struct buf *to, size_t count);

#endif

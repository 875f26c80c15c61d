/*
 * bar.h - one line that says how an operation gets on.
 *
 *	indexing  ▕███████▌        ▏   42%   8,412/20,000   1,234/s  ETA 0:10  0:07
 *
 * Before the first record it tells how much was fetched.  The line fits the
 * width that is given: the least important figures go first.  Figures that grow
 * keep their place, so that a redrawn line does not jump.
 * Pure: the time is a parameter.
 */
#ifndef BF_CTL_BAR_H
#define BF_CTL_BAR_H

#include <stdint.h>

#include "common/buf.h"
#include "ctl/term.h"
#include "op/op.h"

/* Append the line, without a line feed, in at most `width` columns. */
void bar_format(const struct op *op, int64_t now_ms, const struct term *term,
    size_t width, struct buf *to);

/*
 * Append the bar alone, exactly `width` columns, frames included.  While the
 * total is not known (percent < 0) a short piece wanders with the time.
 */
void bar_draw(int percent, int64_t now_ms, const struct term *term, size_t width,
    struct buf *to);

/* For a log or a pipe: "running fetch 8412/20000 42% 1234/s eta 9 s, 3 failed" */
void bar_format_plain(const struct op *op, struct buf *to);

#endif

/*
 * term.h - what standard output is: a terminal or not, its width, its colours.
 *
 * Colours are used on a terminal only, and not when NO_COLOR is set to anything
 * (no-color.org) or TERM is "dumb".
 */
#ifndef BF_CTL_TERM_H
#define BF_CTL_TERM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "op/op_state.h"

enum term_colour {
	TERM_PLAIN,
	TERM_BOLD,
	TERM_DIM,
	TERM_RED,
	TERM_GREEN,
	TERM_YELLOW,
	TERM_BLUE,
};

struct term {
	bool is_tty;		/* for people: relative times, cut to the width */
	bool can_redraw;	/* a line can be written over */
	bool has_colour;
	bool is_utf8;		/* by the locale */
};

/* Look at standard output and the environment; sets the locale's LC_CTYPE. */
void term_init(struct term *term);

/* Width now, which changes while a program runs; 80 if it cannot be told. */
size_t term_columns(void);

/* Append the sequences around coloured text; nothing without colours. */
void term_colour_on(const struct term *term, enum term_colour colour, struct buf *to);
void term_colour_off(const struct term *term, enum term_colour colour, struct buf *to);

enum term_colour term_status_colour(enum op_status status);

/* Write a buffer to standard output and empty it. */
void term_write(struct buf *buf);

#endif

#include "ctl/term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void
term_init(struct term *term)
{
	const char *kind = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	(void)setlocale(LC_CTYPE, "");
	term->is_tty = isatty(STDOUT_FILENO);
	term->can_redraw = term->is_tty && kind != NULL && kind[0] != '\0' &&
	    strcmp(kind, "dumb") != 0;
	term->has_colour = term->can_redraw &&
	    (no_colour == NULL || no_colour[0] == '\0');
	term->is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

size_t
term_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

void
term_colour_on(const struct term *term, enum term_colour colour, struct buf *to)
{
	static const char *const codes[] = {
		[TERM_PLAIN] = "0",
		[TERM_BOLD] = "1",
		[TERM_DIM] = "2",
		[TERM_RED] = "31",
		[TERM_GREEN] = "32",
		[TERM_YELLOW] = "33",
		[TERM_BLUE] = "34",
	};

	if (term->has_colour && colour != TERM_PLAIN)
		buf_printf(to, "\033[%sm", codes[colour]);
}

void
term_colour_off(const struct term *term, enum term_colour colour, struct buf *to)
{
	if (term->has_colour && colour != TERM_PLAIN)
		buf_add_str(to, STR("\033[0m"));
}

enum term_colour
term_status_colour(enum op_status status)
{
	switch (status) {
	case OP_QUEUED:
		return TERM_DIM;
	case OP_RUNNING:
		return TERM_BLUE;
	case OP_COMPLETED:
		return TERM_GREEN;
	case OP_FAILED:
		return TERM_RED;
	case OP_CANCELLED:
		return TERM_YELLOW;
	}
	return TERM_PLAIN;
}

void
term_write(struct buf *buf)
{
	/* Whether all of it could be written is asked once, at the end of main(). */
	if (buf_len(buf) > 0)
		(void)fwrite(buf_data(buf), 1, buf_len(buf), stdout);
	buf_reset(buf);
}

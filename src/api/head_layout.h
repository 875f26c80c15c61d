/*
 * head_layout.h - were the lines of a request parted as HTTP wants it?
 *
 * libmicrohttpd before 0.9.77 takes a bare LF for the end of a line, cuts a
 * value at a NUL, and puts the second half of a folded line behind the name of
 * the first: readings that a proxy in front of us does not share (RFC 9112,
 * sections 2.2, 5.2 and 11.2).  It does not say so, but the texts that it hands
 * out lie in the request as it was received, where it has only written NULs
 * over the ends.  So lines that do not lie end to end, two NULs apart, were not
 * lines ended by CRLF.  Later versions refuse all this themselves when told to
 * (MHD_OPTION_CLIENT_DISCIPLINE_LVL).  Pure.
 */
#ifndef BF_API_HEAD_LAYOUT_H
#define BF_API_HEAD_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

struct head_layout {
	const char *next;	/* where the next line has to begin */
	bool is_odd;		/* something was not where it had to be */
};

/* The request line: target and version as they lie in the request, and how long
 * the target was before it was taken apart. */
void head_layout_init(struct head_layout *layout, const char *target,
    size_t target_len, const char *version);

/* A header line. */
void head_layout_line(struct head_layout *layout, const char *name,
    const char *value, size_t value_len);

/* The empty line. */
void head_layout_end(struct head_layout *layout);

#endif

/*
 * ascii.h - character classes of identifiers, without the locale of <ctype.h>.
 */
#ifndef BF_ATPROTO_ASCII_H
#define BF_ATPROTO_ASCII_H

#include <stdbool.h>

static inline bool ascii_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool ascii_is_lower(char c) { return c >= 'a' && c <= 'z'; }

static inline bool
ascii_is_alpha(char c)
{
	return ascii_is_lower((char)(c | 0x20));
}

static inline bool
ascii_is_alnum(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

#endif

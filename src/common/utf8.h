/*
 * utf8.h - strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing
 * above U+10FFFF.
 */
#ifndef BF_COMMON_UTF8_H
#define BF_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

/* Length in bytes of the sequence at the start of text (1..4), 0 if there is no
 * valid one.  len > 0. */
size_t utf8_sequence(const uint8_t *text, size_t len);

/* Whether a character, n bytes as utf8_sequence() tells, can steer a terminal, begin a
 * line or reorder what stands around it: control characters (also those above ASCII),
 * separators of lines, the marks of UAX 9. */
bool utf8_is_steering(const uint8_t *text, size_t n);

bool utf8_is_valid(const uint8_t *text, size_t len);

/* Replace in place what is no UTF-8, byte by byte, and what is steering by '?'.  Returns
 * the new length, which is not larger; a NUL there is up to the caller. */
size_t utf8_clean(char *text, size_t len);

/* The start of a valid text, at most max bytes of it and no part of a character. */
struct str utf8_cut(struct str text, size_t max);

#endif

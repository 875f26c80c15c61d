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

bool utf8_is_valid(const uint8_t *text, size_t len);

/* The start of a valid text, at most max bytes of it and no part of a character. */
struct str utf8_cut(struct str text, size_t max);

#endif

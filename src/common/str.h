/*
 * str.h - borrowed slices of text and of bytes.
 *
 * A slice never owns what it points to: the comment where one is stored or
 * returned says how long the memory lives.  Text is compared by length and
 * bytes, so a NUL inside hostile text is a byte like any other.  An absent
 * value is the empty slice (len 0); ptr may then be NULL.
 */
#ifndef BF_COMMON_STR_H
#define BF_COMMON_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *ptr;
	size_t len;
};

struct bytes {
	const uint8_t *ptr;
	size_t len;
};

/* A slice of a string literal. */
#define STR(literal)	((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE	((struct str){ NULL, 0 })
#define BYTES_NONE	((struct bytes){ NULL, 0 })

/* Arguments for a "%.*s" conversion. */
#define STR_FMT(s)	(int)(s).len, (s).ptr != NULL ? (s).ptr : ""

/* A slice of a C string; NULL gives the empty slice. */
static inline struct str
str_from(const char *text)
{
	return (struct str){ text, text != NULL ? strlen(text) : 0 };
}

static inline bool
str_is_empty(struct str s)
{
	return s.len == 0;
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Bytewise order, a shorter prefix first: -1, 0 or 1. */
static inline int
str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

	if (c != 0)
		return c < 0 ? -1 : 1;
	return (a.len > b.len) - (a.len < b.len);
}

static inline bool
str_starts_with(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	    (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Nothing but visible ASCII, as identifiers and URLs are: no blank, no control byte. */
bool str_is_visible(struct str s);

static inline bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/*
 * Copy a slice into a C string of the given size, cutting what does not fit;
 * the result always ends in NUL.  Returns false if something was cut.
 */
bool str_copy(char *to, size_t to_size, struct str from);

/*
 * Read a whole slice as a decimal number without sign.  Fails (-1) on an empty
 * slice, on any other byte and on overflow; *value_out is then untouched.
 */
int str_to_u64(struct str s, uint64_t *value_out);

#endif

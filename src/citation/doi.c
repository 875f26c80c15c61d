#include "citation/doi.h"

#include <strings.h>

#define LOOK_BYTES	(2 * DOI_SIZE)	/* a DOI and the points that lead to a page's number */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* --- DOIs --- */

/* "10." and a registrant of 4 to 9 digits, perhaps with further parts, and "/". */
static size_t
prefix_length(struct str text)
{
	size_t at = 3, digits = 0;

	if (!str_starts_with(text, STR("10.")))
		return 0;
	while (at < text.len && is_digit(text.ptr[at]) && digits < 10)
		at++, digits++;
	if (digits < 4 || digits > 9)
		return 0;
	while (at < text.len && (is_digit(text.ptr[at]) || text.ptr[at] == '.'))
		at++;
	return at < text.len && text.ptr[at] == '/' ? at + 1 : 0;
}

/* Visible ASCII but what stands around identifiers; other characters are allowed in
 * DOIs, but where one has them its end cannot be told. */
static bool
is_doi_char(char c)
{
	return c > ' ' && c < 0x7f && strchr("\"<>\\^`{}|", c) == NULL;
}

/* How many more opening than closing brackets of this kind. */
static int
depth_of(const char *doi, size_t len, char open, char close)
{
	int depth = 0;

	for (size_t i = 0; i < len; i++)
		depth += doi[i] == open ? 1 : doi[i] == close ? -1 : 0;
	return depth;
}

/* Without what ends the sentence around it, and brackets that it does not open. */
static size_t
trim_end(const char *doi, size_t len, size_t least)
{
	int round = depth_of(doi, len, '(', ')');
	int square = depth_of(doi, len, '[', ']');

	for (; len > least; len--) {
		char last = doi[len - 1];

		if (last == ')' && round < 0)
			round++;
		else if (last == ']' && square < 0)
			square++;
		else if (strchr(".,;:!?'*-_/&", last) == NULL)
			break;
	}
	return len;
}

/* The length of the DOI that text begins with; 0: none. */
static size_t
doi_length(struct str text)
{
	size_t prefix, len;

	/* What goes on for longer is none, however often "10." stands in it. */
	if (text.len > LOOK_BYTES)
		text.len = LOOK_BYTES;
	len = prefix = prefix_length(text);
	if (prefix == 0)
		return 0;
	while (len < text.len && is_doi_char(text.ptr[len]))
		len++;
	len = trim_end(text.ptr, len, prefix);
	return len > prefix && len < DOI_SIZE ? len : 0;
}

static void
copy_lower(char *to, const char *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = lower(from[i]);
	to[len] = '\0';
}

/* Where the first one at or behind `from` begins; its length, or 0. */
static size_t
find_doi(struct str text, size_t from, size_t *at_out)
{
	for (size_t i = from; i + 8 <= text.len; i++) {
		struct str rest = { text.ptr + i, text.len - i };
		size_t len;

		/* "210.1000/1" is none. */
		if (text.ptr[i] != '1' || (i > 0 && (is_digit(text.ptr[i - 1]) ||
		    (text.ptr[i - 1] == '.' && i > 1 && is_digit(text.ptr[i - 2])))))
			continue;
		len = doi_length(rest);
		if (len > 0) {
			*at_out = i;
			return len;
		}
	}
	return 0;
}

bool
doi_find(struct str text, char doi_out[DOI_SIZE])
{
	size_t at, len = find_doi(text, 0, &at);

	if (len > 0)
		copy_lower(doi_out, text.ptr + at, len);
	return len > 0;
}

bool
doi_find_from(struct str text, size_t from, size_t *at_out)
{
	return find_doi(text, from, at_out) > 0;
}

static struct str
skip_prefix(struct str text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (text.len < len || strncasecmp(text.ptr, prefix, len) != 0)
		return text;
	return (struct str){ text.ptr + len, text.len - len };
}

bool
doi_parse(struct str text, char doi_out[DOI_SIZE])
{
	static const char *const prefixes[] = {
		"https://", "http://", "dx.", "www.", "doi.org/", "doi:", " ",
	};
	size_t len;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		text = skip_prefix(text, prefixes[i]);
	len = doi_length(text);
	if (len == 0 || len != text.len)
		return false;
	copy_lower(doi_out, text.ptr, len);
	return true;
}

/* --- arXiv --- */

/* Since 2007: YYMM.NNNN or YYMM.NNNNN. */
static size_t
new_length(struct str text)
{
	size_t digits = 0;

	if (text.len < 9 || text.ptr[4] != '.')
		return 0;
	for (size_t i = 0; i < 4; i++) {
		if (!is_digit(text.ptr[i]))
			return 0;
	}
	while (digits < 6 && 5 + digits < text.len && is_digit(text.ptr[5 + digits]))
		digits++;
	return digits == 4 || digits == 5 ? 5 + digits : 0;
}

/* Before: ARCHIVE/YYMMNNN or ARCHIVE.XX/YYMMNNN. */
static size_t
old_length(struct str text)
{
	size_t at = 0, digits = 0;

	while (at < text.len && at < 12 && (is_alpha(text.ptr[at]) || text.ptr[at] == '-'))
		at++;
	if (at < 2)
		return 0;
	if (at + 3 < text.len && text.ptr[at] == '.' && is_alpha(text.ptr[at + 1]) &&
	    is_alpha(text.ptr[at + 2]))
		at += 3;
	if (at >= text.len || text.ptr[at] != '/')
		return 0;
	at++;
	while (digits < 8 && at + digits < text.len && is_digit(text.ptr[at + digits]))
		digits++;
	return digits == 7 ? at + digits : 0;
}

/* What follows one of the words that announce an identifier. */
static bool
take_arxiv(struct str text, char id_out[ARXIV_SIZE])
{
	size_t len;

	while (text.len > 0 && (*text.ptr == ' ' || *text.ptr == ':')) {
		text.ptr++;
		text.len--;
	}
	/* "arXiv preprint arXiv:1706.03762" is found by the second word. */
	len = new_length(text);
	if (len == 0)
		len = old_length(text);
	if (len == 0 || len >= ARXIV_SIZE)
		return false;
	copy_lower(id_out, text.ptr, len);
	return true;
}

bool
arxiv_find(struct str text, char id_out[ARXIV_SIZE])
{
	static const char *const announcers[] = {
		"arxiv.org/abs/", "arxiv.org/pdf/", "10.48550/arxiv.", "arxiv", "abs/",
	};

	for (size_t i = 0; i < text.len; i++) {
		struct str rest = { text.ptr + i, text.len - i };

		if (lower(*rest.ptr) != 'a' && *rest.ptr != '1')
			continue;
		for (size_t k = 0; k < sizeof(announcers) / sizeof(announcers[0]); k++) {
			struct str behind = skip_prefix(rest, announcers[k]);

			if (behind.len < rest.len && take_arxiv(behind, id_out))
				return true;
		}
	}
	return false;
}

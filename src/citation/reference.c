#include "citation/reference.h"

#include <stdbool.h>
#include <stdlib.h>

#include "citation/doi.h"
#include "citation/section.h"
#include "common/attr.h"
#include "common/buf.h"

#define TITLE_MIN_BYTES	8

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_letter(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static struct str
from(struct str text, size_t at)
{
	return (struct str){ text.ptr + at, text.len - at };
}

static struct str
strip(struct str text)
{
	while (text.len > 0 && strchr(" ,.;:", *text.ptr) != NULL)
		text = from(text, 1);
	while (text.len > 0 && strchr(" ,.;:", text.ptr[text.len - 1]) != NULL)
		text.len--;
	return text;
}

/* --- the label --- */

static struct str
without_label(struct str text)
{
	size_t at = 0;

	if (text.len > 2 && *text.ptr == '[') {
		const char *close = memchr(text.ptr, ']', text.len < 24 ? text.len : 24);

		return close != NULL ? strip(from(text, (size_t)(close + 1 - text.ptr))) :
		    text;
	}
	if (text.len > 2 && *text.ptr == '(')
		at = 1;
	while (at < text.len && at < 5 && is_digit(text.ptr[at]))
		at++;
	if (at == 0 || at >= text.len || at == 5 || strchr(".) ", text.ptr[at]) == NULL)
		return text;
	return strip(from(text, at + 1));
}

/* --- sentences --- */

/* Words that end in a point within a sentence. */
static bool
is_abbreviation(struct str word)
{
	static const char *const words[] = {
		"vs", "cf", "ed", "eds", "Ed", "Eds", "vol", "Vol", "no", "No", "pp",
		"Jr", "Sr", "St", "Dr", "Prof", "Proc", "Conf", "Trans", "Int", "Intl",
		"Univ", "Dept", "Inc", "Corp", "Ltd", "Ph", "Wm", "e.g", "i.e", "U.S",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(words); i++) {
		if (str_eq(word, str_from(words[i])))
			return true;
	}
	return false;
}

/* "K." of "Donald K. Knuth", "W.-P." of "W.-P. de Roever", "Ł.". */
static bool
is_initial(struct str word)
{
	size_t letters = 0;

	for (size_t i = 0; i < word.len; i++) {
		if (((unsigned char)word.ptr[i] & 0xc0) == 0x80)
			continue;
		letters = strchr(".-", word.ptr[i]) != NULL ? 0 : letters + 1;
		if (letters > 1)
			return false;
	}
	return word.len > 0 && (is_upper(*word.ptr) || (unsigned char)*word.ptr >= 0x80);
}

/* The byte behind the mark that ends the sentence that text begins with. */
static size_t
sentence_length(struct str text)
{
	size_t word = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_last = i + 1 == text.len;

		if (c == ' ')
			word = i + 1;
		if (strchr(".?!", c) == NULL || (!is_last && text.ptr[i + 1] != ' '))
			continue;
		if (is_last)
			return text.len;
		if (c == '.') {
			struct str last = { text.ptr + word, i - word };

			if (is_abbreviation(last) || is_initial(last))
				continue;
		}
		/* "e.g. this" goes on in lower case. */
		if (i + 2 < text.len && text.ptr[i + 2] >= 'a' && text.ptr[i + 2] <= 'z' &&
		    !str_starts_with(from(text, i + 2), STR("arXiv")))
			continue;
		return i + 1;
	}
	return text.len;
}

/* --- the title, by shape --- */

struct parts {
	struct str authors, title, venue;
};

static const struct quotes {
	const char *open, *close;
} quotes[] = {
	{ "\xe2\x80\x9c", "\xe2\x80\x9d" },	/* double, as in English */
	{ "\xe2\x80\x9e", "\xe2\x80\x9c" },	/* low and high, as in German */
	{ "\xc2\xab", "\xc2\xbb" },		/* guillemets */
	{ "\"", "\"" },
	{ "``", "''" },
	{ "\xe2\x80\x98", "\xe2\x80\x99" },	/* single; an apostrophe closes, too */
};

static bool
by_quotes(struct str text, struct parts *parts)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(quotes); i++) {
		size_t open_len = strlen(quotes[i].open);
		const char *open = memmem(text.ptr, text.len, quotes[i].open, open_len);
		const char *start, *close, *end = text.ptr + text.len;

		if (open == NULL)
			continue;
		start = open + open_len;
		close = memmem(start, (size_t)(end - start), quotes[i].close,
		    strlen(quotes[i].close));
		if (close == NULL || close - start < TITLE_MIN_BYTES)
			continue;
		parts->authors = (struct str){ text.ptr, (size_t)(open - text.ptr) };
		parts->title = (struct str){ start, (size_t)(close - start) };
		close += strlen(quotes[i].close);
		parts->venue = (struct str){ close, (size_t)(end - close) };
		return true;
	}
	return false;
}

static void
title_at(struct str rest, struct parts *parts)
{
	size_t len = sentence_length(rest);

	parts->title = (struct str){ rest.ptr, len };
	parts->venue = from(rest, len);
}

/* "Authors (2017). Title." and "Authors. 2017. Title.", also with "2017a" or a month.
 * The year has to come early: at the end it belongs to the venue. */
static bool
by_year_in_front(struct str text, struct parts *parts)
{
	size_t at, end;
	bool in_brackets;
	unsigned year = section_find_year(text, 0, &at);

	if (year == 0 || at == 0 || at > text.len * 2 / 3)
		return false;
	in_brackets = text.ptr[at - 1] == '(';
	end = at + 4;
	if (end < text.len && text.ptr[end] >= 'a' && text.ptr[end] <= 'z')
		end++;
	if (in_brackets) {
		const char *close = memchr(text.ptr + end, ')',
		    text.len - end < 24 ? text.len - end : 24);

		if (close == NULL)
			return false;
		end = (size_t)(close + 1 - text.ptr);
	}
	if (end >= text.len || strchr(in_brackets ? ".,: " : ".:", text.ptr[end]) == NULL)
		return false;
	/* "Journal 12 (2017) 3-14" */
	if (in_brackets && text.ptr[end] == ' ' && end + 1 < text.len &&
	    is_digit(text.ptr[end + 1]))
		return false;
	/* "Authors. Title. Venue, 2017." has more than names in front. */
	if (!in_brackets && text.ptr[at - 1] == ' ' && at > 1 &&
	    strchr(".,", text.ptr[at - 2]) == NULL)
		return false;
	parts->authors = (struct str){ text.ptr, at - in_brackets };
	title_at(strip(from(text, end)), parts);
	return parts->title.len >= TITLE_MIN_BYTES;
}

/* "Authors. Title. Venue, year." */
static bool
by_sentences(struct str text, struct parts *parts)
{
	size_t len = sentence_length(text);

	if (len == text.len || len < 4)
		return false;
	parts->authors = (struct str){ text.ptr, len };
	title_at(strip(from(text, len)), parts);
	return parts->title.len >= TITLE_MIN_BYTES && is_letter(*parts->title.ptr) &&
	    memmem(parts->title.ptr, parts->title.len, "://", 3) == NULL;
}

/* --- the year --- */

/* In brackets, or else the last one. */
static unsigned
find_year(struct str text)
{
	size_t at = 0, next = 0;
	unsigned year, last = 0;

	while ((year = section_find_year(text, next, &at)) != 0) {
		if (at > 0 && text.ptr[at - 1] == '(')
			return year;
		last = year;
		next = at + 4;
	}
	return last;
}

static bool
is_address_at(struct str rest)
{
	return str_starts_with(rest, STR("http")) || str_starts_with(rest, STR("10.")) ||
	    str_starts_with(rest, STR("doi")) || str_starts_with(rest, STR("DOI")) ||
	    str_starts_with(rest, STR("arXiv:")) || str_starts_with(rest, STR("www."));
}

/* A copy without DOIs and addresses, whose digits are no years. */
static void
copy_without_addresses(struct str text, struct buf *to)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((i == 0 || strchr(" (<[", text.ptr[i - 1]) != NULL) &&
		    is_address_at(from(text, i))) {
			while (i < text.len && text.ptr[i] != ' ')
				i++;
			if (i == text.len)
				break;
		}
		buf_add_byte(to, (uint8_t)text.ptr[i]);
	}
}

void
reference_read(struct str reference, struct work *work)
{
	struct str text = without_label(reference);
	struct buf plain = BUF_INIT;
	struct parts parts = { 0 };
	char doi[DOI_SIZE], arxiv[ARXIV_SIZE];

	work_set(work, WORK_RAW, reference);
	if (doi_find(text, doi))
		work_set(work, WORK_DOI, str_from(doi));
	if (arxiv_find(text, arxiv))
		work_set(work, WORK_ARXIV, str_from(arxiv));
	copy_without_addresses(text, &plain);
	text = buf_str(&plain);
	work->year = find_year(text);
	if (text.len > 0 && (by_quotes(text, &parts) || by_year_in_front(text, &parts) ||
	    by_sentences(text, &parts))) {
		work_set(work, WORK_AUTHORS, strip(parts.authors));
		work_set(work, WORK_TITLE, strip(parts.title));
		parts.venue = strip(parts.venue);
		if (str_starts_with(parts.venue, STR("In ")) ||
		    str_starts_with(parts.venue, STR("In: ")))
			parts.venue = strip(from(parts.venue, 3));
		parts.venue.len = sentence_length(parts.venue);
		work_set(work, WORK_VENUE, strip(parts.venue));
	}
	buf_clear(&plain);
}

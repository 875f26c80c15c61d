#include "citation/split.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "citation/section.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

#define LEAST_BYTES	20	/* a shorter one is what is left of something else */
#define LABEL_MAX_BYTES	24	/* in brackets */
#define NUMBER_SKIP	3	/* numbers whose line was lost */

enum style { STYLE_BRACKETS, STYLE_NUMBERS, STYLE_NAMES };

struct line {
	struct str text;	/* of the section; without blanks around it */
	bool is_new_page;	/* the first of one */
	bool is_furniture;	/* no text of the references */
};

struct split {
	struct line *lines;	/* owned */
	size_t count;
	enum style style;
	unsigned number;	/* STYLE_NUMBERS: of the current reference */
	struct buf current;	/* the reference so far, on one line */
	bool has_year;		/* so far */
	size_t told;
	split_cb *cb;
	void *arg;
};

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
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Letters beyond ASCII count as both. */
static bool
is_high(char c)
{
	return (unsigned char)c >= 0x80;
}

static struct str
trim(struct str text)
{
	while (text.len > 0 && (*text.ptr == ' ' || *text.ptr == '\t')) {
		text.ptr++;
		text.len--;
	}
	while (text.len > 0 && (text.ptr[text.len - 1] == ' ' ||
	    text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* --- lines --- */

static bool
is_number(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.ptr[i]))
			return false;
	}
	return text.len > 0 && text.len <= 5;
}

/* Equal but for digits, as "Smith et al. 12" and "Smith et al. 13" are. */
static bool
are_alike(struct str a, struct str b)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a.len && is_digit(a.ptr[i]))
			i++;
		while (k < b.len && is_digit(b.ptr[k]))
			k++;
		if (i == a.len || k == b.len)
			return i == a.len && k == b.len;
		if (a.ptr[i++] != b.ptr[k++])
			return false;
	}
}

/* The first line of a page is a running head if it was that of another; pages may
 * take turns with two of them. */
static void
find_head(struct line *line, struct line *heads[2])
{
	for (int i = 0; i < 2; i++) {
		if (heads[i] != NULL && are_alike(heads[i]->text, line->text)) {
			heads[i]->is_furniture = line->is_furniture = true;
			return;
		}
	}
	heads[heads[0] != NULL] = line;
}

static void
find_furniture(struct split *split)
{
	struct line *heads[2] = { NULL, NULL };
	bool ends_page = true;

	for (size_t i = 0; i < split->count; i++) {
		struct line *line = &split->lines[i];

		if (line->is_new_page && line->text.len > 0) {
			line->is_furniture = is_number(line->text);
			if (!line->is_furniture)
				find_head(line, heads);
		}
	}
	/* From behind: a number that only blank lines part from the page's end. */
	for (size_t i = split->count; i-- > 0;) {
		struct line *line = &split->lines[i];

		if (ends_page && is_number(line->text))
			line->is_furniture = true;
		ends_page = line->is_new_page || (ends_page && line->text.len == 0);
	}
}

static void
read_lines(struct split *split, struct str section)
{
	struct str rest = section, line;
	size_t size = 0;
	bool is_new_page;

	while (section_next_line(&rest, &line, &is_new_page)) {
		if (split->count == size) {
			size = size > 0 ? 2 * size : 256;
			split->lines = xrealloc(split->lines,
			    size * sizeof(*split->lines));
		}
		split->lines[split->count++] = (struct line){ trim(line), is_new_page,
		    false };
	}
	find_furniture(split);
}

/* --- how a line begins --- */

/* "[12]", "[Knu84]", "[AB+17a]", "[Smith, 2001]". */
static bool
has_bracket_label(struct str line)
{
	const char *close;

	if (line.len < 3 || *line.ptr != '[')
		return false;
	close = memchr(line.ptr, ']', line.len < LABEL_MAX_BYTES ? line.len :
	    LABEL_MAX_BYTES);
	return close != NULL && close > line.ptr + 1 &&
	    (is_digit(close[-1]) || is_digit(line.ptr[1]) ||
	    (close - line.ptr > 2 && is_digit(close[-2])));
}

/* The number of "12.", "12)", "(12)" or "12 Name"; 0: none. */
static unsigned
number_of(struct str line)
{
	size_t at = line.len > 0 && *line.ptr == '(', start = at;
	unsigned number = 0;
	char after;

	while (at < line.len && at < start + 4 && is_digit(line.ptr[at]))
		number = number * 10 + (unsigned)(line.ptr[at++] - '0');
	if (at == start || at >= line.len || number == 0)
		return 0;
	after = line.ptr[at];
	if (start == 1)
		return after == ')' ? number : 0;
	if (after == '.' || after == ')')
		return at + 1 == line.len || !is_digit(line.ptr[at + 1]) ? number : 0;
	if (after == ' ' && at + 1 < line.len &&
	    (is_upper(line.ptr[at + 1]) || is_high(line.ptr[at + 1])))
		return number;
	return 0;
}

/* Words of venues and publishers, which look like names otherwise. */
static bool
is_no_name(struct str word)
{
	static const char *const words[] = {
		"In", "On", "The", "A", "An", "For", "Of", "To", "With", "By", "At", "From",
		"Proc", "Proc.", "Proceedings", "Journal", "Press", "Press.", "University",
		"Springer", "Springer.", "Elsevier", "Wiley", "Verlag", "Publishing",
		"Conference", "Workshop", "Symposium", "International", "Transactions",
		"Association", "Technical", "Available", "Accessed", "Retrieved", "Thesis",
		"PhD", "Ph.D.", "ACM", "ACM.", "IEEE", "IEEE.", "URL", "DOI", "ISBN", "arXiv",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(words); i++) {
		if (str_eq(word, str_from(words[i])))
			return true;
	}
	return false;
}

/* "van der Berg", "Knuth and Plass" */
static bool
is_particle(struct str word)
{
	static const char *const words[] = {
		"and", "van", "von", "der", "den", "de", "del", "della", "di", "da", "dos",
		"du", "la", "le", "el", "al", "ter", "ten", "zu", "af", "av", "y", "et",
		"und", "en",
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(words); i++) {
		if (str_eq(word, str_from(words[i])))
			return true;
	}
	return false;
}

/* "Knuth, D. E.", "Knuth DE,", "Donald E. Knuth, ", "D. E. Knuth." at its start. */
static bool
begins_with_name(struct str line)
{
	size_t at = 0, words = 0;

	while (at < line.len && words < 6) {
		size_t start = at;

		if (!is_upper(line.ptr[at]) && !is_high(line.ptr[at])) {
			while (at < line.len && is_lower(line.ptr[at]))
				at++;
			if (!is_particle((struct str){ line.ptr + start, at - start }))
				return false;
		} else {
			while (at < line.len && line.ptr[at] != ' ' &&
			    line.ptr[at] != ',' && line.ptr[at] != '(')
				at++;
			if (is_no_name((struct str){ line.ptr + start, at - start }))
				return false;
		}
		words++;
		if (at == line.len)
			return words > 1;
		if (line.ptr[at] == ',')
			return words <= 4;
		if (line.ptr[at] == '(')
			return words > 1;
		/* "Knuth. 1984" ends the names; "D." does not. */
		if (at - start > 2 && line.ptr[at - 1] == '.')
			return words > 1;
		at++;
	}
	return false;
}

/* --- how text ends --- */

/* A sentence, an address or a number: something may follow that is new.  "Luke S." is
 * the middle of a name. */
static bool
may_be_over(struct str text)
{
	char last, before;

	text = trim(text);
	if (text.len < 3)
		return false;
	last = text.ptr[text.len - 1];
	before = text.ptr[text.len - 2];
	if (last == '.')
		return !(is_upper(before) &&
		    !(is_upper(text.ptr[text.len - 3]) || is_lower(text.ptr[text.len - 3])));
	return is_digit(last) || last == ')' || last == ']' || last == '/';
}

/* The last word is an address or a DOI, and `next` goes on with it.  Behind a point only
 * what cannot begin a sentence. */
static bool
address_goes_on(struct str text, char next)
{
	size_t at = text.len;
	struct str word;
	bool is_doi;
	char last;

	if (text.len == 0)
		return false;
	last = text.ptr[text.len - 1];
	while (at > 0 && text.ptr[at - 1] != ' ')
		at--;
	word = (struct str){ text.ptr + at, text.len - at };
	if (word.len == 0)
		return false;
	is_doi = memmem(word.ptr, word.len, "10.", 3) != NULL;
	if (!is_doi && memmem(word.ptr, word.len, "://", 3) == NULL &&
	    memmem(word.ptr, word.len, "www.", 4) == NULL)
		return false;
	if (is_doi && strchr("/-_", last) != NULL && is_upper(next))
		return true;
	return strchr("/-_.=", last) != NULL && (is_digit(next) || is_lower(next));
}

/* --- putting together --- */

static void
tell(struct split *split)
{
	struct str reference = trim(buf_str(&split->current));

	if (reference.len >= LEAST_BYTES && split->told < LIMIT_CITATIONS) {
		split->told++;
		split->cb(reference, split->arg);
	}
	buf_reset(&split->current);
	split->has_year = false;
}

/* Without what `tail` ends with, a hyphen of either kind; 0: none. */
static size_t
hyphen_bytes(struct str text)
{
	if (text.len > 1 && text.ptr[text.len - 1] == '-')
		return 1;
	if (text.len > 2 && memcmp(text.ptr + text.len - 2, "\xc2\xad", 2) == 0)
		return 2;
	if (text.len > 3 && memcmp(text.ptr + text.len - 3, "\xe2\x80\x90", 3) == 0)
		return 3;
	return 0;
}

static void
append(struct split *split, struct str line)
{
	struct buf *current = &split->current;
	struct str before = buf_str(current);
	size_t hyphen = hyphen_bytes(before);

	if (before.len >= LIMIT_CITATION_TEXT_BYTES)
		return;
	if (line.len > LIMIT_CITATION_TEXT_BYTES - before.len)
		line.len = LIMIT_CITATION_TEXT_BYTES - before.len;
	if (address_goes_on(before, *line.ptr)) {
		/* An address goes on; its hyphen is its own. */
	} else if (hyphen > 0 && (is_lower(*line.ptr) || is_high(*line.ptr))) {
		current->end -= hyphen;
	} else if (before.len > 0 && hyphen != 1) {
		buf_add_byte(current, ' ');
	}
	buf_add_str(current, line);
	if (!split->has_year)
		split->has_year = section_find_year(buf_str(current), 0, NULL) != 0;
}

static bool
begins_reference(struct split *split, const struct line *line, bool after_blank)
{
	struct str before = buf_str(&split->current);
	unsigned number;

	switch (split->style) {
	case STYLE_BRACKETS:
		return has_bracket_label(line->text);
	case STYLE_NUMBERS:
		number = number_of(line->text);
		if (number <= split->number || number > split->number + NUMBER_SKIP)
			return false;
		split->number = number;
		return true;
	case STYLE_NAMES:
		/* Each of them has a year, and what has none yet is not complete. */
		if (before.len == 0 || !split->has_year || !may_be_over(before))
			return false;
		return begins_with_name(line->text) ||
		    (after_blank && !is_lower(*line->text.ptr));
	}
	return false;
}

static enum style
find_style(const struct split *split)
{
	size_t brackets = 0, numbers = 0, lines = 0;
	unsigned last = 0;

	for (size_t i = 0; i < split->count; i++) {
		const struct line *line = &split->lines[i];
		unsigned number;

		if (line->is_furniture || line->text.len == 0)
			continue;
		lines++;
		brackets += has_bracket_label(line->text);
		number = number_of(line->text);
		if (number > last && number <= last + NUMBER_SKIP) {
			last = number;
			numbers++;
		}
	}
	/* A reference of more than a dozen lines would be odd; names of more than 20
	 * authors are not. */
	if (brackets >= 1 && brackets >= numbers && brackets * 20 >= lines)
		return STYLE_BRACKETS;
	if (numbers >= 2 && numbers * 20 >= lines)
		return STYLE_NUMBERS;
	return STYLE_NAMES;
}

void
split_references(struct str section, split_cb *cb, void *arg)
{
	struct split split = { .cb = cb, .arg = arg };
	bool has_begun = false, after_blank = false;

	read_lines(&split, section);
	split.style = find_style(&split);
	has_begun = split.style == STYLE_NAMES;
	for (size_t i = 0; i < split.count; i++) {
		const struct line *line = &split.lines[i];

		if (line->is_furniture)
			continue;
		if (line->text.len == 0) {
			after_blank = true;
			continue;
		}
		if (begins_reference(&split, line, after_blank)) {
			tell(&split);
			has_begun = true;
		}
		/* What stands before the first label is no reference. */
		if (has_begun)
			append(&split, line->text);
		after_blank = false;
	}
	tell(&split);
	buf_clear(&split.current);
	free(split.lines);
}

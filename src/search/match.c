#include "search/match.h"

#include <ctype.h>

#include "common/limits.h"
#include "common/utf8.h"
#include "search/field.h"

struct term {
	bool is_not, is_or, is_prefix;
	struct str field;	/* "" or a name of SEARCH_FIELDS */
	struct str text;	/* without its quotes */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct str
after(struct str s, size_t n)
{
	return (struct str){ s.ptr + n, s.len - n };
}

static size_t
find_byte(struct str s, char byte)
{
	const char *at = s.len > 0 ? memchr(s.ptr, byte, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

/* "title:" in front of something. */
static struct str
take_field(struct str *rest)
{
	size_t colon = find_byte(*rest, ':');
	struct str name = { rest->ptr, colon };

	if (colon + 1 >= rest->len || is_blank(rest->ptr[colon + 1]))
		return STR_NONE;
	for (size_t i = 0; i < SEARCH_FIELDS_COUNT; i++)
		if (str_eq(name, str_from(search_field_names[i]))) {
			*rest = after(*rest, colon + 1);
			return name;
		}
	return STR_NONE;
}

/* Up to the next quote, or the end of a text whose quote is missing. */
static struct str
take_quoted(struct str *rest)
{
	struct str inside = after(*rest, 1);
	size_t n = find_byte(inside, '"');
	struct str text = { inside.ptr, n };

	*rest = after(inside, n < inside.len ? n + 1 : n);
	return text;
}

static struct str
take_word(struct str *rest, bool *is_prefix_out)
{
	struct str word = { rest->ptr, 0 };

	while (word.len < rest->len && !is_blank(rest->ptr[word.len]) &&
	    rest->ptr[word.len] != '"')
		word.len++;
	*rest = after(*rest, word.len);
	*is_prefix_out = word.len > 3 && word.ptr[word.len - 1] == '*';
	if (*is_prefix_out)
		word.len--;
	return word;
}

/* False at the end. */
static bool
take_term(struct str *rest, struct term *term_out)
{
	struct term term = { .is_not = false };

	while (rest->len > 0 && is_blank(rest->ptr[0]))
		*rest = after(*rest, 1);
	if (rest->len == 0)
		return false;
	if (rest->ptr[0] == '-' && rest->len > 1 && !is_blank(rest->ptr[1])) {
		term.is_not = true;
		*rest = after(*rest, 1);
	}
	term.field = take_field(rest);
	if (rest->ptr[0] == '"') {
		term.text = take_quoted(rest);
	} else {
		term.text = take_word(rest, &term.is_prefix);
		term.is_or = !term.is_not && str_eq(term.text, STR("OR"));
	}
	*term_out = term;
	return true;
}

/* Whether the tokenizer can find a word in it: a letter, a digit, or anything
 * beyond ASCII. */
static bool
has_word(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (isalnum((unsigned char)text.ptr[i]) || (text.ptr[i] & 0x80) != 0)
			return true;
	return false;
}

static void
add_term(struct buf *to, const struct term *term)
{
	if (term->field.len > 0)
		buf_printf(to, "%.*s : ", STR_FMT(term->field));
	buf_add_byte(to, '"');
	buf_add_str(to, term->text);	/* has no quote inside */
	buf_add_str(to, term->is_prefix ? STR("\" *") : STR("\""));
}

/* Terms parted by "OR" are one group; all groups have to be there. */
static void
add_wanted(struct buf *to, struct buf *excluded, struct str text, size_t *wanted,
    size_t *terms)
{
	struct term term;
	bool after_or = false;

	while (take_term(&text, &term)) {
		if (term.is_or) {
			after_or = *wanted > 0;
			continue;
		}
		if (!has_word(term.text))
			continue;
		++*terms;
		if (term.is_not) {
			buf_add_str(excluded, STR(" NOT "));
			add_term(excluded, &term);
			continue;
		}
		if (*wanted > 0)
			buf_add_str(to, after_or ? STR(" OR ") : STR(") AND ("));
		add_term(to, &term);
		after_or = false;
		++*wanted;
	}
}

int
match_from_text(struct str text, struct buf *to, struct err *err)
{
	struct buf excluded = BUF_INIT;
	size_t wanted = 0, terms = 0;

	if (text.len > LIMIT_SEARCH_QUERY_BYTES)
		return err_set(err, ERR_LIMIT, "the query is longer than %d bytes",
		    LIMIT_SEARCH_QUERY_BYTES);
	if (memchr(text.len > 0 ? text.ptr : "", 0, text.len) != NULL ||
	    !utf8_is_valid((const uint8_t *)text.ptr, text.len))
		return err_set(err, ERR_INVALID, "the query is not text");
	buf_add_str(to, STR("(("));
	add_wanted(to, &excluded, text, &wanted, &terms);
	buf_add_str(to, STR("))"));
	buf_add_str(to, buf_str(&excluded));
	buf_clear(&excluded);
	if (terms > LIMIT_SEARCH_TERMS)
		return err_set(err, ERR_LIMIT, "the query has more than %d words",
		    LIMIT_SEARCH_TERMS);
	if (wanted == 0)
		return err_set(err, ERR_INVALID, "the query names no word to look for");
	return 0;
}

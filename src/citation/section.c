#include "citation/section.h"

#include "citation/doi.h"
#include "citation/title.h"
#include "common/attr.h"

#define HEADING_MAX_BYTES	80	/* a longer line is text */
#define HEADING_MAX_WORDS	5	/* and so is one of more of them */
#define YEAR_WITHIN_BYTES	3000	/* of the heading */

/* As title_normal() writes them, but for what it takes apart (Hangul). */
static const char *const headings[] = {
	"references", "reference", "referencescited", "referencesandnotes",
	"notesandreferences", "referencelist", "listofreferences", "literaturereferences",
	"bibliography", "selectedbibliography", "bibliographyandreferences",
	"workscited", "citedworks", "literature", "literaturecited", "citedliterature",
	"citations", "sources",
	"literatur", "literaturverzeichnis", "quellenverzeichnis",		/* de */
	"bibliographie", "referencesbibliographiques",				/* fr */
	"referencias", "referenciasbibliograficas", "bibliografia",		/* es, it, pt, pl */
	"riferimentibibliografici",
	"literatuur", "literatuurlijst", "referenser", "litteratur", "kirjallisuus",
	"литература", "списоклитературы", "библиография", "література",
	"参考文献", "參考文獻", "参考资料", "引用文献", "참고문헌", "المراجع",
};

static const char *const ends[] = {
	"appendix", "appendices", "supplementarymaterial", "supplementarymaterials",
	"supplementaryinformation", "supplementalmaterial", "supportinginformation",
	"acknowledgements", "acknowledgments", "acknowledgement", "acknowledgment",
	"authorcontributions", "authorscontributions", "competinginterests",
	"conflictofinterest", "conflictsofinterest", "dataavailability", "funding",
	"abouttheauthors", "abouttheauthor", "authorbiographies", "anhang", "annexe",
	"figurelegends", "figurecaptions", "tables", "figures",
};

bool
section_next_line(struct str *rest, struct str *line_out, bool *new_page_out)
{
	const char *end;
	size_t len;
	bool is_new_page = false;

	if (rest->len == 0)
		return false;
	while (rest->len > 0 && *rest->ptr == '\f') {
		is_new_page = true;
		rest->ptr++;
		rest->len--;
	}
	end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
	len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
	*line_out = (struct str){ rest->ptr, len };
	if (line_out->len > 0 && line_out->ptr[line_out->len - 1] == '\r')
		line_out->len--;
	rest->ptr += end != NULL ? len + 1 : len;
	rest->len -= end != NULL ? len + 1 : len;
	if (new_page_out != NULL)
		*new_page_out = is_new_page;
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

unsigned
section_find_year(struct str text, size_t from, size_t *at_out)
{
	for (size_t i = from; i + 4 <= text.len; i++) {
		const char *c = text.ptr + i;
		unsigned year;

		if (!is_digit(c[0]) || !is_digit(c[1]) || !is_digit(c[2]) ||
		    !is_digit(c[3]))
			continue;
		if (i > 0 && (is_digit(c[-1]) || c[-1] == '/' || c[-1] == '.' ||
		    c[-1] == '-'))
			continue;
		if (i + 4 < text.len && (is_digit(c[4]) || c[4] == '/' ||
		    (c[4] == '-' && i + 5 < text.len && is_digit(c[5])) ||
		    (c[4] == '.' && i + 5 < text.len && is_digit(c[5]))))
			continue;
		year = (unsigned)((c[0] - '0') * 1000 + (c[1] - '0') * 100 +
		    (c[2] - '0') * 10 + (c[3] - '0'));
		if (year < 1500 || year > 2099)
			continue;
		if (at_out != NULL)
			*at_out = i;
		return year;
	}
	return 0;
}

/* Drop a number in front ("7", "VII") and behind (the page, in a list of contents). */
static struct str
without_numbers(struct str normal, bool roman)
{
	while (normal.len > 0 && (is_digit(*normal.ptr) ||
	    (roman && strchr("ivx", *normal.ptr) != NULL))) {
		normal.ptr++;
		normal.len--;
	}
	while (normal.len > 0 && is_digit(normal.ptr[normal.len - 1]))
		normal.len--;
	return normal;
}

static bool
is_word(struct str normal, const char *word)
{
	struct buf taken_apart = BUF_INIT;
	bool is;

	if ((unsigned char)*word < 0x80)
		return str_eq(normal, str_from(word));
	/* Nearly all lines: not worth taking the word apart. */
	if ((unsigned char)*normal.ptr < 0x80)
		return false;
	title_normal(str_from(word), &taken_apart);
	is = str_eq(normal, buf_str(&taken_apart));
	buf_clear(&taken_apart);
	return is;
}

static bool
is_one_of(struct str normal, const char *const *words, size_t count)
{
	if (normal.len == 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_word(normal, words[i]))
			return true;
	}
	return false;
}

/* Told at once of nearly all lines, since taking one apart takes its time. */
static bool
may_be_heading(struct str line)
{
	size_t words = 0;

	for (size_t i = 0; i < line.len; i++)
		words += line.ptr[i] != ' ' && (i == 0 || line.ptr[i - 1] == ' ');
	return line.len <= HEADING_MAX_BYTES && words <= HEADING_MAX_WORDS;
}

static bool
line_is(struct str line, const char *const *words, size_t count)
{
	struct buf normal = BUF_INIT;
	bool is;

	if (!may_be_heading(line))
		return false;
	title_normal(line, &normal);
	is = is_one_of(without_numbers(buf_str(&normal), false), words, count) ||
	    is_one_of(without_numbers(buf_str(&normal), true), words, count);
	buf_clear(&normal);
	return is;
}

/* "Appendix A", "A. Appendix", "Appendix B: proofs". */
static bool
is_end(struct str line)
{
	struct buf normal = BUF_INIT;
	struct str text;
	bool is;

	if (!may_be_heading(line))
		return false;
	title_normal(line, &normal);
	text = without_numbers(buf_str(&normal), false);
	is = is_one_of(text, ends, BF_ARRAY_LEN(ends)) ||
	    str_eq(text, STR("aappendix")) ||
	    (str_starts_with(line, STR("Appendix ")) && text.len < 60 &&
	    section_find_year(line, 0, NULL) == 0);
	buf_clear(&normal);
	return is;
}

/* References have years, or at least a DOI. */
static bool
has_reference_soon(struct str rest)
{
	char doi[DOI_SIZE];

	if (rest.len > YEAR_WITHIN_BYTES)
		rest.len = YEAR_WITHIN_BYTES;
	return section_find_year(rest, 0, NULL) != 0 || doi_find(rest, doi);
}

bool
section_find(struct str text, struct str *section_out)
{
	struct str rest = text, line, before;
	struct str found = STR_NONE;

	while (section_next_line(&rest, &line, NULL)) {
		if (line_is(line, headings, BF_ARRAY_LEN(headings)) &&
		    has_reference_soon(rest))
			found = rest;
	}
	if (found.len == 0)
		return false;
	rest = before = found;
	while (section_next_line(&rest, &line, NULL)) {
		if (is_end(line))
			break;
		before = rest;
	}
	*section_out = (struct str){ found.ptr, (size_t)(before.ptr - found.ptr) };
	return true;
}

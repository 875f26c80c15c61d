#include "citation/section.h"

#include <assert.h>
#include <string.h>

#include "citation/doi.h"
#include "citation/title.h"
#include "common/attr.h"

#define HEADING_MAX_BYTES	80	/* a longer line is text */
#define HEADING_MAX_WORDS	5	/* and so is one of more of them */
#define YEAR_WITHIN_BYTES	3000	/* of the heading */
#define WORDS_MAX		64	/* in one of the lists below */

/* As title_normal() writes them, which also takes some apart (Hangul). */
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

static_assert(BF_ARRAY_LEN(headings) <= WORDS_MAX && BF_ARRAY_LEN(ends) <= WORDS_MAX,
    "all words fit");

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

/* --- words --- */

/* As they are compared: apart, and in one piece of memory. */
struct words {
	struct buf bytes;		/* owned */
	struct str list[WORDS_MAX];	/* of it */
	size_t count;
};

static void
words_fill(struct words *words, const char *const *texts, size_t count)
{
	const char *at;

	*words = (struct words){ .bytes = BUF_INIT, .count = count };
	for (size_t i = 0; i < count; i++) {
		size_t before = buf_len(&words->bytes);

		title_normal(str_from(texts[i]), &words->bytes);
		words->list[i].len = buf_len(&words->bytes) - before;
	}
	at = (const char *)buf_data(&words->bytes);
	for (size_t i = 0; i < count; i++) {
		words->list[i].ptr = at;
		at += words->list[i].len;
	}
}

static bool
words_have(const struct words *words, struct str normal)
{
	for (size_t i = 0; i < words->count; i++)
		if (normal.len > 0 && normal.len == words->list[i].len &&
		    *normal.ptr == *words->list[i].ptr &&
		    memcmp(normal.ptr, words->list[i].ptr, normal.len) == 0)
			return true;
	return false;
}

/* --- the search --- */

/*
 * A text may be nothing but headings, each of which is looked behind.  So what was
 * found there is kept: the next year at or behind a place is the same for the next
 * place, too, until that is behind the year.
 */
struct search {
	struct str text;
	struct words headings, ends;
	struct buf normal;		/* of the line at hand */
	size_t year_at, doi_at;		/* the last that were found; behind all: none */
	uint64_t looked;		/* bytes, for these two */
};

/* Told at once of nearly all lines, since taking one apart takes its time. */
static bool
may_be_heading(struct str line)
{
	size_t words = 0;

	if (line.len > HEADING_MAX_BYTES)
		return false;
	for (size_t i = 0; i < line.len; i++)
		words += line.ptr[i] != ' ' && (i == 0 || line.ptr[i - 1] == ' ');
	return words > 0 && words <= HEADING_MAX_WORDS;
}

static struct str
normal_of(struct search *search, struct str line)
{
	buf_reset(&search->normal);
	title_normal(line, &search->normal);
	return buf_str(&search->normal);
}

static bool
is_heading(struct search *search, struct str line)
{
	struct str normal = normal_of(search, line);

	return words_have(&search->headings, without_numbers(normal, false)) ||
	    words_have(&search->headings, without_numbers(normal, true));
}

/* "Appendix A", "A. Appendix", "Appendix B: proofs". */
static bool
is_end(struct search *search, struct str line)
{
	struct str text;

	if (!may_be_heading(line))
		return false;
	text = without_numbers(normal_of(search, line), false);
	return words_have(&search->ends, text) || str_eq(text, STR("aappendix")) ||
	    (str_starts_with(line, STR("Appendix ")) && text.len < 60 &&
	    section_find_year(line, 0, NULL) == 0);
}

/* Where the next one is, at or behind `from`, which never goes back. */
static void
look_for_year(struct search *search, size_t from)
{
	if (search->year_at >= from)
		return;
	if (section_find_year(search->text, from, &search->year_at) == 0)
		search->year_at = search->text.len;
	search->looked += search->year_at - from;
}

static void
look_for_doi(struct search *search, size_t from)
{
	if (search->doi_at >= from)
		return;
	if (!doi_find_from(search->text, from, &search->doi_at))
		search->doi_at = search->text.len;
	search->looked += search->doi_at - from;
}

/* References have years, or at least a DOI. */
static bool
has_reference_soon(struct search *search, struct str rest)
{
	size_t from = (size_t)(rest.ptr - search->text.ptr);
	size_t to = from + (rest.len < YEAR_WITHIN_BYTES ? rest.len : YEAR_WITHIN_BYTES);

	look_for_year(search, from);
	if (search->year_at < to)
		return true;
	look_for_doi(search, from);
	return search->doi_at < to;
}

static bool
find(struct search *search, struct str *section_out)
{
	struct str rest = search->text, line, before;
	struct str found = STR_NONE;

	while (section_next_line(&rest, &line, NULL))
		if (may_be_heading(line) && has_reference_soon(search, rest) &&
		    is_heading(search, line))
			found = rest;
	if (found.len == 0)
		return false;
	rest = before = found;
	while (section_next_line(&rest, &line, NULL)) {
		if (is_end(search, line))
			break;
		before = rest;
	}
	*section_out = (struct str){ found.ptr, (size_t)(before.ptr - found.ptr) };
	return true;
}

bool
section_find_counting(struct str text, struct str *section_out, uint64_t *looked_out)
{
	struct search search = { .text = text, .normal = BUF_INIT };
	bool is_found;

	words_fill(&search.headings, headings, BF_ARRAY_LEN(headings));
	words_fill(&search.ends, ends, BF_ARRAY_LEN(ends));
	is_found = find(&search, section_out);
	*looked_out = search.looked;
	buf_clear(&search.headings.bytes);
	buf_clear(&search.ends.bytes);
	buf_clear(&search.normal);
	return is_found;
}

bool
section_find(struct str text, struct str *section_out)
{
	uint64_t looked;

	return section_find_counting(text, section_out, &looked);
}

#include "citation/tei.h"

#include <assert.h>
#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include "citation/doi.h"
#include "citation/section.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

/* X(NAME, name): the elements that mean something here. */
#define ELEMENTS(X)							\
	X(LIST_BIBL,	"listBibl")	X(BIBL,		"biblStruct")	\
	X(ANALYTIC,	"analytic")	X(MONOGR,	"monogr")	\
	X(TITLE,	"title")	X(AUTHOR,	"author")	\
	X(PERS_NAME,	"persName")	X(FORENAME,	"forename")	\
	X(SURNAME,	"surname")	X(IDNO,		"idno")		\
	X(DATE,		"date")		X(SCOPE,	"biblScope")	\
	X(NOTE,		"note")		X(PTR,		"ptr")

enum element {
	EL_OTHER,
#define X(name, text) EL_##name,
	ELEMENTS(X)
#undef X
};

/* What becomes of the text of the element that is open. */
enum use {
	USE_NOTHING,
	USE_TITLE_ANALYTIC, USE_TITLE_MONOGR, USE_FORENAME, USE_SURNAME, USE_IDNO_DOI,
	USE_IDNO_ARXIV, USE_DATE, USE_VOLUME, USE_ISSUE, USE_PAGES, USE_RAW,
};

struct tei {
	XML_Parser parser;		/* owned */
	struct works *works;		/* borrowed */
	struct work *work;		/* of the open biblStruct; NULL: none */
	enum element stack[LIMIT_TEI_DEPTH];
	unsigned depth;
	unsigned lists;			/* open listBibl */

	enum use use;
	unsigned use_depth;		/* of the element with that use */
	struct buf text;		/* its text */
	struct buf author, authors;	/* of the open author; of the open biblStruct */
	const char *refusal;		/* NULL: none */
	enum err_code refusal_code;
};

static const char *
local_name(const char *name)
{
	const char *bar = strrchr(name, '|');

	return bar != NULL ? bar + 1 : name;
}

static enum element
element_of(const char *name)
{
	static const struct {
		const char *name;
		enum element element;
	} names[] = {
#define X(element, text) { text, EL_##element },
		ELEMENTS(X)
#undef X
	};

	for (size_t i = 0; i < BF_ARRAY_LEN(names); i++) {
		if (strcmp(local_name(name), names[i].name) == 0)
			return names[i].element;
	}
	return EL_OTHER;
}

/* "" if it is not there. */
static const char *
attribute(const char **attributes, const char *name)
{
	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		if (strcmp(local_name(attributes[i]), name) == 0)
			return attributes[i + 1];
	}
	return "";
}

static bool
is_inside(const struct tei *tei, enum element element)
{
	for (unsigned i = 0; i < tei->depth; i++) {
		if (tei->stack[i] == element)
			return true;
	}
	return false;
}

static void
refuse(struct tei *tei, enum err_code code, const char *why)
{
	tei->refusal = why;
	tei->refusal_code = code;
	(void)XML_StopParser(tei->parser, XML_FALSE);
}

/* --- what is of use --- */

static enum use
use_of_idno(const char **attributes)
{
	const char *type = attribute(attributes, "type");

	if (strcasecmp(type, "DOI") == 0)
		return USE_IDNO_DOI;
	return strcasecmp(type, "arXiv") == 0 ? USE_IDNO_ARXIV : USE_NOTHING;
}

static enum use
use_of_scope(struct tei *tei, const char **attributes)
{
	const char *unit = attribute(attributes, "unit");
	const char *first = attribute(attributes, "from");
	const char *last = attribute(attributes, "to");

	if (strcmp(unit, "volume") == 0)
		return USE_VOLUME;
	if (strcmp(unit, "issue") == 0)
		return USE_ISSUE;
	if (strcmp(unit, "page") != 0)
		return USE_NOTHING;
	if (*first != '\0' && work_text(tei->work, WORK_PAGES).len == 0) {
		struct buf pages = BUF_INIT;

		buf_printf(&pages, "%.20s%s%.20s", first, *last != '\0' ? "-" : "", last);
		work_set(tei->work, WORK_PAGES, buf_str(&pages));
		buf_clear(&pages);
	}
	return USE_PAGES;
}

static enum use
use_of(struct tei *tei, enum element element, const char **attributes)
{
	switch (element) {
	case EL_TITLE:
		/* A series (level s) is not what is cited. */
		if (is_inside(tei, EL_ANALYTIC))
			return USE_TITLE_ANALYTIC;
		return is_inside(tei, EL_MONOGR) &&
		    strcmp(attribute(attributes, "level"), "s") != 0 ?
		    USE_TITLE_MONOGR : USE_NOTHING;
	case EL_FORENAME:
		return is_inside(tei, EL_AUTHOR) ? USE_FORENAME : USE_NOTHING;
	case EL_SURNAME:
		return is_inside(tei, EL_AUTHOR) ? USE_SURNAME : USE_NOTHING;
	case EL_IDNO:
		return use_of_idno(attributes);
	case EL_DATE:
		if (tei->work->year == 0)
			tei->work->year = section_find_year(
			    (struct str){ attribute(attributes, "when"),
			    strcspn(attribute(attributes, "when"), "-") }, 0, NULL);
		return USE_DATE;
	case EL_SCOPE:
		return use_of_scope(tei, attributes);
	case EL_NOTE:
		return strcmp(attribute(attributes, "type"), "raw_reference") == 0 ?
		    USE_RAW : USE_NOTHING;
	case EL_OTHER: case EL_LIST_BIBL: case EL_BIBL: case EL_ANALYTIC: case EL_MONOGR:
	case EL_AUTHOR: case EL_PERS_NAME: case EL_PTR:
		return USE_NOTHING;
	}
	return USE_NOTHING;
}

static void
set_first(struct work *work, enum work_text which, struct str text)
{
	if (work_text(work, which).len == 0)
		work_set(work, which, text);
}

/* The title of a book or, of an article, of where it stands. */
static void
take_monogr_title(struct work *work, struct str text)
{
	set_first(work, WORK_VENUE, text);
}

static void
take_text(struct tei *tei)
{
	struct str text = buf_str(&tei->text);
	struct work *work = tei->work;
	char doi[DOI_SIZE], arxiv[ARXIV_SIZE];
	struct buf announced = BUF_INIT;

	switch (tei->use) {
	case USE_NOTHING:
		break;
	case USE_TITLE_ANALYTIC:
		set_first(work, WORK_TITLE, text);
		break;
	case USE_TITLE_MONOGR:
		take_monogr_title(work, text);
		break;
	case USE_FORENAME:
	case USE_SURNAME:
		if (buf_len(&tei->author) > 0)
			buf_add_byte(&tei->author, ' ');
		buf_add_str(&tei->author, text);
		break;
	case USE_IDNO_DOI:
		if (doi_find(text, doi))
			set_first(work, WORK_DOI, str_from(doi));
		break;
	case USE_IDNO_ARXIV:
		buf_printf(&announced, "arxiv:%.*s", STR_FMT(text));
		if (arxiv_find(text, arxiv) || arxiv_find(buf_str(&announced), arxiv))
			set_first(work, WORK_ARXIV, str_from(arxiv));
		break;
	case USE_DATE:
		if (work->year == 0)
			work->year = section_find_year(text, 0, NULL);
		break;
	case USE_VOLUME:
		set_first(work, WORK_VOLUME, text);
		break;
	case USE_ISSUE:
		set_first(work, WORK_ISSUE, text);
		break;
	case USE_PAGES:
		set_first(work, WORK_PAGES, text);
		break;
	case USE_RAW:
		set_first(work, WORK_RAW, text);
		break;
	}
	buf_clear(&announced);
}

/* --- works --- */

static void
end_author(struct tei *tei)
{
	if (buf_len(&tei->author) > 0 &&
	    buf_len(&tei->authors) < LIMIT_CITATION_TEXT_BYTES) {
		if (buf_len(&tei->authors) > 0)
			buf_printf(&tei->authors, "; ");
		buf_add_str(&tei->authors, buf_str(&tei->author));
	}
	buf_reset(&tei->author);
}

static void
end_work(struct tei *tei)
{
	struct work *work = tei->work;
	struct str raw = work_text(work, WORK_RAW);
	char doi[DOI_SIZE], arxiv[ARXIV_SIZE];

	work_set(work, WORK_AUTHORS, buf_str(&tei->authors));
	/* Not part of anything: it is the title itself. */
	if (work_text(work, WORK_TITLE).len == 0) {
		work_set(work, WORK_TITLE, work_text(work, WORK_VENUE));
		work_set(work, WORK_VENUE, STR_NONE);
	}
	if (work_text(work, WORK_DOI).len == 0 && doi_find(raw, doi))
		work_set(work, WORK_DOI, str_from(doi));
	if (work_text(work, WORK_ARXIV).len == 0 && arxiv_find(raw, arxiv))
		work_set(work, WORK_ARXIV, str_from(arxiv));
	/* Nothing is known of what has none of these. */
	if (raw.len == 0 && work_text(work, WORK_TITLE).len == 0 &&
	    work_text(work, WORK_DOI).len == 0)
		works_drop_last(tei->works);
	tei->work = NULL;
}

/* --- expat --- */

static void
on_start(void *arg, const char *name, const char **attributes)
{
	struct tei *tei = arg;
	enum element element = element_of(name);
	enum use use;

	if (tei->depth == LIMIT_TEI_DEPTH) {
		refuse(tei, ERR_LIMIT, "its elements are nested too deeply");
		return;
	}
	/* A page of some proxy would be a document that cites nothing. */
	if (tei->depth == 0 && strcmp(local_name(name), "TEI") != 0) {
		refuse(tei, ERR_INVALID, "it is no TEI");
		return;
	}
	tei->stack[tei->depth++] = element;
	tei->lists += element == EL_LIST_BIBL;
	if (element == EL_BIBL && tei->lists > 0 && tei->work == NULL) {
		tei->work = works_add(tei->works, CITATION_FROM_GROBID);
		buf_reset(&tei->authors);
		buf_reset(&tei->author);
	}
	if (tei->work == NULL)
		return;
	use = use_of(tei, element, attributes);
	/* What stands inside of an element in use is part of its text. */
	if (use != USE_NOTHING && tei->use == USE_NOTHING) {
		tei->use = use;
		tei->use_depth = tei->depth;
		buf_reset(&tei->text);
	}
}

static void
on_end(void *arg, const char *name BF_UNUSED)
{
	struct tei *tei = arg;
	enum element element;

	/* Of an empty element expat tells the end, too, when its start was refused. */
	if (tei->refusal != NULL)
		return;
	element = tei->stack[tei->depth - 1];
	if (tei->use != USE_NOTHING && tei->depth == tei->use_depth) {
		take_text(tei);
		tei->use = USE_NOTHING;
	}
	tei->depth--;
	tei->lists -= element == EL_LIST_BIBL;
	if (tei->work == NULL)
		return;
	if (element == EL_AUTHOR)
		end_author(tei);
	if (element == EL_BIBL && !is_inside(tei, EL_BIBL))
		end_work(tei);
}

static void
on_text(void *arg, const char *text, int len)
{
	struct tei *tei = arg;

	if (tei->use != USE_NOTHING && buf_len(&tei->text) < LIMIT_CITATION_TEXT_BYTES)
		buf_add(&tei->text, text, (size_t)len);
}

static void
on_doctype(void *arg, const char *name BF_UNUSED, const char *system BF_UNUSED,
    const char *public BF_UNUSED, int has_internal BF_UNUSED)
{
	refuse(arg, ERR_LIMIT, "it has a document type");
}

struct tei *
tei_new(struct works *works)
{
	struct tei *tei = xcalloc(1, sizeof(*tei));

	tei->works = works;
	tei->parser = XML_ParserCreateNS("UTF-8", '|');
	if (tei->parser == NULL)
		abort();
	XML_SetUserData(tei->parser, tei);
	XML_SetElementHandler(tei->parser, on_start, on_end);
	XML_SetCharacterDataHandler(tei->parser, on_text);
	XML_SetStartDoctypeDeclHandler(tei->parser, on_doctype);
	return tei;
}

void
tei_free(struct tei **tei)
{
	if (*tei == NULL)
		return;
	XML_ParserFree((*tei)->parser);
	buf_clear(&(*tei)->text);
	buf_clear(&(*tei)->author);
	buf_clear(&(*tei)->authors);
	free(*tei);
	*tei = NULL;
}

static int
parse(struct tei *tei, struct bytes piece, bool is_last, struct err *err)
{
	assert(piece.len <= INT_MAX);
	if (XML_Parse(tei->parser, (const char *)piece.ptr, (int)piece.len, is_last) ==
	    XML_STATUS_OK)
		return 0;
	if (tei->refusal != NULL)
		return err_set(err, tei->refusal_code, "XML: %s", tei->refusal);
	return err_set(err, ERR_INVALID, "XML: %s in line %lu",
	    XML_ErrorString(XML_GetErrorCode(tei->parser)),
	    (unsigned long)XML_GetCurrentLineNumber(tei->parser));
}

int
tei_add(struct tei *tei, struct bytes piece, struct err *err)
{
	return parse(tei, piece, false, err);
}

int
tei_end(struct tei *tei, struct err *err)
{
	return parse(tei, BYTES_NONE, true, err);
}

/*
 * work.h - a cited work: what a reference says of it.
 *
 * All of src/citation is pure: text in, works out; no I/O, no network, no clock.
 * What it reads is hostile: texts of PDFs, answers of services, records of strangers.
 * Process: workers; backfillctl for the names.
 */
#ifndef BF_CITATION_WORK_H
#define BF_CITATION_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

/* X(NAME, what people and programs read) */
#define WORK_TEXTS(X)							\
	X(RAW,		"raw")		/* the reference as it was found */ \
	X(TITLE,	"title")					\
	X(AUTHORS,	"authors")	/* as written, or "A; B; C" */	\
	X(VENUE,	"venue")	/* journal, proceedings, book */ \
	X(VOLUME,	"volume")					\
	X(ISSUE,	"issue")					\
	X(PAGES,	"pages")					\
	X(DOI,		"doi")		/* normal form (doi.h) */	\
	X(ARXIV,	"arxivId")	/* "1706.03762", "hep-th/9901001" */

enum work_text {
#define X(name, text) WORK_##name,
	WORK_TEXTS(X)
#undef X
	WORK_TEXT_COUNT
};

/* Who told of it.  X(NAME, number on disk, word) */
#define WORK_SOURCES(X)							\
	X(PDF,			1, "pdf")		/* pdftotext and reference.h */ \
	X(GROBID,		2, "grobid")				\
	X(SEMANTIC_SCHOLAR,	3, "semantic-scholar")

enum work_source {
#define X(name, number, word) WORK_FROM_##name = number,
	WORK_SOURCES(X)
#undef X
};

struct work {
	char *texts[WORK_TEXT_COUNT];	/* owned; NULL: not known */
	unsigned year;			/* 0: not known */
	enum work_source source;
};

struct works {
	/* owned */
	struct work *list;
	size_t count, size;
};

#define WORKS_INIT	((struct works){ NULL, 0, 0 })

void works_clear(struct works *works);

/* A new empty one at the end, good until the next; NULL when there are
 * LIMIT_CITATIONS. */
struct work *works_add(struct works *works, enum work_source source);

/* Forget the last one. */
void works_drop_last(struct works *works);

/* Empty if not known.  Good until it is set again. */
struct str work_text(const struct work *work, enum work_text which);

/*
 * Set a text.  Any bytes: runs of blanks and control characters become one blank,
 * what is not UTF-8 is left out, what is over LIMIT_CITATION_TEXT_BYTES is cut.
 * Empty: not known.
 */
void work_set(struct work *work, enum work_text which, struct str text);

const char *work_text_name(enum work_text which);

/* "pdf", "grobid", ...; "unknown" for a number that is none. */
const char *work_source_name(uint64_t source);

#endif

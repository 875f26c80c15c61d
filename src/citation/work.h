/*
 * work.h - a cited work: what a reference says of it.
 *
 * All of src/citation is pure: text in, works out; no I/O, no network, no clock.
 * What it reads is hostile: texts of PDFs, answers of services, records of strangers.
 * Process: workers.
 */
#ifndef BF_CITATION_WORK_H
#define BF_CITATION_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "common/str.h"
#include "rows/citation_row.h"

enum work_text {
	WORK_RAW,		/* the reference as it was found */
	WORK_TITLE,
	WORK_AUTHORS,		/* as written, or "A; B; C" */
	WORK_VENUE,		/* journal, proceedings, book */
	WORK_VOLUME,
	WORK_ISSUE,
	WORK_PAGES,
	WORK_DOI,		/* normal form (doi.h) */
	WORK_ARXIV,		/* "1706.03762", "hep-th/9901001" */
	WORK_TEXT_COUNT
};

struct work {
	char *texts[WORK_TEXT_COUNT];	/* owned; NULL: not known */
	unsigned year;			/* 0: not known */
	enum citation_source source;
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
struct work *works_add(struct works *works, enum citation_source source);

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

#endif

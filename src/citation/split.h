/*
 * split.h - a reference section as single references.
 *
 * Four styles are told apart by how lines begin:
 *
 *	[12] or [Knu84]		labels in brackets
 *	12. or 12 or (12)	numbers that count up
 *	an indentation or blank lines between paragraphs
 *	a line that begins with a name behind one that ended a sentence
 *
 * the last two together, since the text of PDFs has blank lines at most, but not
 * at all, ends.  Running heads and page numbers are dropped, words that were parted
 * at the end of a line are put together, and so are DOIs and addresses.
 */
#ifndef BF_CITATION_SPLIT_H
#define BF_CITATION_SPLIT_H

#include "common/str.h"

/* One reference on one line, with its label, cut at LIMIT_CITATION_TEXT_BYTES; good for
 * the call. */
typedef void split_cb(struct str reference, void *arg);

/* At most LIMIT_CITATIONS.  section: of section_find(). */
void split_references(struct str section, split_cb *cb, void *arg);

#endif

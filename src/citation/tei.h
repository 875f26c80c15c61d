/*
 * tei.h - the references in an answer of GROBID (TEI XML), as it comes.
 *
 * Read are the biblStruct below a listBibl; the one in the header is the document
 * itself.  Of each: the title of the article (analytic) or else of the whole (monogr),
 * authors, journal or book, volume, issue, pages, year, DOI, arXiv identifier, and the
 * raw reference if it was asked for (includeRawCitations).
 *
 * By expat.  Memory is bounded by what works may hold; a document type, and with it
 * every entity but XML's own five, is refused, and so is nesting beyond
 * LIMIT_TEI_DEPTH.  The bytes are bounded by who fetches them.
 */
#ifndef BF_CITATION_TEI_H
#define BF_CITATION_TEI_H

#include "citation/work.h"
#include "common/attr.h"
#include "common/err.h"

struct tei;

/* What is found is added to works, which is borrowed until tei_free(). */
struct tei *tei_new(struct works *works);
void tei_free(struct tei **tei);

/* The next bytes.  ERR_INVALID: no XML, or no TEI; ERR_LIMIT: too deep, a document
 * type.  No further call but tei_free() after that. */
int tei_add(struct tei *tei, struct bytes piece, struct err *err) BF_MUSTCHECK;

/* That was all of them; fails if it was not all of a document. */
int tei_end(struct tei *tei, struct err *err) BF_MUSTCHECK;

#endif

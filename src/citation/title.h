/*
 * title.h - titles as they are compared.
 *
 * Two titles are the same work's if their normal forms are equal: letters and
 * digits of any script, case folded, compatibility forms resolved (ligatures, full
 * width), accents dropped.  Blanks and punctuation are dropped too, since they are
 * what references, and the text of PDFs even more, get wrong: "meta-analysis",
 * "meta- analysis" and "metaanalysis" are one.
 *
 * By Unicode's NFKD and full case folding (libunistring).  Marks with a meaning of
 * their own stay: vowel signs, viramas and nuktas, voiced sound marks (canonical
 * combining class below 10).
 */
#ifndef BF_CITATION_TITLE_H
#define BF_CITATION_TITLE_H

#include <stdint.h>

#include "common/buf.h"
#include "common/str.h"

/* Append the normal form of a title.  Any bytes; what is not UTF-8 is left out, and
 * what is behind LIMIT_CITATION_TEXT_BYTES. */
void title_normal(struct str title, struct buf *to);

/* A normal form that is shorter says too little: "Introduction".  In bytes, so that a
 * title of four ideographs is long enough. */
#define TITLE_LEAST_BYTES	12

/* FNV-1a, for match.h: equal texts have equal hashes, never 0. */
uint64_t title_hash(struct str normal);

#endif

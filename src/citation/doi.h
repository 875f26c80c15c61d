/*
 * doi.h - identifiers of works inside text: DOIs (ISO 26324) and those of arXiv.
 */
#ifndef BF_CITATION_DOI_H
#define BF_CITATION_DOI_H

#include <stdbool.h>

#include "common/str.h"

#define DOI_SIZE	257	/* longer ones exist and are not looked for; and a NUL */
#define ARXIV_SIZE	40

/*
 * The first DOI in a text, in its normal form: lower case, as DOIs are compared,
 * without "doi:" or a resolver's address in front, without the punctuation that
 * follows it in a sentence.  A closing bracket belongs to it only if it is opened
 * in it.  False, and nothing is written, if there is none.
 */
bool doi_find(struct str text, char doi_out[DOI_SIZE]);

/* Where the first one at or behind `from` begins. */
bool doi_find_from(struct str text, size_t from, size_t *at_out);

/* A text that is one DOI, with or without such a prefix, and nothing else. */
bool doi_parse(struct str text, char doi_out[DOI_SIZE]);

/*
 * The first identifier of arXiv in a text, without its version.  Found behind
 * "arXiv:", "CoRR abs/", an address of arxiv.org and in arXiv's DOIs; four digits,
 * a point and five digits alone may be anything.
 */
bool arxiv_find(struct str text, char id_out[ARXIV_SIZE]);

#endif

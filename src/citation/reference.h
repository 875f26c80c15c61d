/*
 * reference.h - what one reference says: a work.
 *
 * Identifiers are recognised for certain, years nearly so.  Titles are found by the
 * shapes that styles of references have:
 *
 *	Authors, "Title," Venue, 2017.			quotation marks
 *	Author, A. (2017). Title. Venue.		APA
 *	Ann Author. 2017. Title. Venue.			Chicago, ACL
 *	A. Author and B. Author. Title. Venue, 2017.	plain, Vancouver
 *	A. Author, Title, Venue (2017)			what is left: no title
 *
 * A wrong title only fails to match; it never matches by chance.
 */
#ifndef BF_CITATION_REFERENCE_H
#define BF_CITATION_REFERENCE_H

#include "citation/work.h"

/* Fill a new work from its reference, one line of UTF-8 with or without a label. */
void reference_read(struct str reference, struct work *work);

#endif

/*
 * aturi.h - "at://AUTHORITY[/COLLECTION[/RKEY]]" (spec: AT URI, restricted form).
 */
#ifndef BF_ATPROTO_ATURI_H
#define BF_ATPROTO_ATURI_H

#include <stdbool.h>

#include "common/attr.h"
#include "common/buf.h"
#include "common/str.h"

struct aturi {			/* all borrow from the text that was parsed */
	struct str authority;	/* a DID or a handle */
	struct str collection;	/* empty if absent */
	struct str rkey;	/* empty if absent */
};

/* -1 on anything but an AT-URI of at most LIMIT_ATURI_BYTES. */
int aturi_parse(struct str text, struct aturi *uri_out) BF_MUSTCHECK;
bool aturi_is_valid(struct str text);

/* Append the text of uri, whose parts are valid. */
void aturi_format(const struct aturi *uri, struct buf *to);

#endif

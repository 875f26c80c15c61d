/*
 * nsid.h - namespaced identifiers (spec: NSID) and patterns of them.
 *
 * A pattern names collections: an NSID for itself, "pub.chive.*" for every NSID
 * that begins with "pub.chive.", "*" for all.  The star stands for one or more
 * whole segments and only at the end.
 */
#ifndef BF_ATPROTO_NSID_H
#define BF_ATPROTO_NSID_H

#include <stdbool.h>

#include "common/str.h"

bool nsid_is_valid(struct str nsid);	/* at most LIMIT_COLLECTION_BYTES */

bool nsid_pattern_is_valid(struct str pattern);
bool nsid_matches(struct str nsid, struct str pattern);	/* both valid */

#endif

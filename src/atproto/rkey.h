/*
 * rkey.h - record keys and repository paths (spec: Record Key, Repository).
 */
#ifndef BF_ATPROTO_RKEY_H
#define BF_ATPROTO_RKEY_H

#include <stdbool.h>

#include "common/attr.h"
#include "common/str.h"

bool rkey_is_valid(struct str rkey);	/* at most LIMIT_RKEY_BYTES */

/*
 * Split "COLLECTION/RKEY", the key of a record in a repository's tree, into its
 * two parts, which borrow from path.  -1 unless both are valid.
 */
int path_parse(struct str path, struct str *collection_out, struct str *rkey_out)
    BF_MUSTCHECK;

#endif

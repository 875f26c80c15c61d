/*
 * handle.h - handle syntax (spec: Handle).  Pure; no resolution here.
 */
#ifndef BF_ATPROTO_HANDLE_H
#define BF_ATPROTO_HANDLE_H

#include <stdbool.h>

#include "common/str.h"

bool handle_is_valid(struct str handle);	/* syntax; case does not matter */

/* Not under a top-level domain that the spec reserves (.local, .onion, ...). */
bool handle_is_allowed(struct str handle);

bool at_identifier_is_valid(struct str text);	/* a DID or a handle */

#endif

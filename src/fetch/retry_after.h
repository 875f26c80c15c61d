/*
 * retry_after.h - what response headers say about when to come back.  Pure.
 */
#ifndef BF_FETCH_RETRY_AFTER_H
#define BF_FETCH_RETRY_AFTER_H

#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

/*
 * Retry-After: seconds or an HTTP date (RFC 9110, 10.2.3), in ms from now and
 * clamped to LIMIT_FETCH_RETRY_AFTER_MIN_MS .. _MAX_MS.  -1 if it is neither.
 */
int64_t retry_after_parse(struct str value, int64_t wall_ms);

/*
 * RateLimit-Reset: seconds since 1970 on AT Protocol servers, seconds from now
 * elsewhere; told apart by their size.  Otherwise as above.
 */
int64_t retry_after_parse_reset(struct str value, int64_t wall_ms);

#endif

/*
 * datetime.h - reading the lexicon's datetime format (RFC 3339 and ISO 8601 at
 * once; spec: Lexicon, "datetime").  Writing is in common/clock.h.
 */
#ifndef BF_ATPROTO_DATETIME_H
#define BF_ATPROTO_DATETIME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

#define DATETIME_MAX_BYTES	64

bool datetime_is_valid(struct str text);	/* syntax and a date that exists */

/* Milliseconds since 1970, rounded down.  -1 unless datetime_is_valid(). */
int datetime_parse(struct str text, int64_t *wall_ms_out) BF_MUSTCHECK;

#endif

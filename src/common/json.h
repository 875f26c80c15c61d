/*
 * json.h - a streaming JSON writer into a struct buf.
 *
 * Builds no tree: what is written goes straight to the buffer.  Commas and the
 * escaping of text are its job, the pairing of begin and end the caller's.
 * Text is written as it is, except for what RFC 8259 section 7 wants escaped, and
 * for what would steer a terminal (utf8_is_steering()), since backfillctl prints this;
 * bytes that are not UTF-8 become U+FFFD, so the result is always valid JSON.
 */
#ifndef BF_COMMON_JSON_H
#define BF_COMMON_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/str.h"

struct json {
	struct buf *to;		/* borrowed */
	bool needs_comma;	/* something stands before in this object or array */
};

static inline struct json json_to(struct buf *to) { return (struct json){ to, false }; }

void json_object_begin(struct json *json);
void json_object_end(struct json *json);
void json_array_begin(struct json *json);
void json_array_end(struct json *json);

/* The name of the next member; a value has to follow. */
void json_name(struct json *json, struct str name);

void json_str(struct json *json, struct str value);
void json_u64(struct json *json, uint64_t value);
void json_i64(struct json *json, int64_t value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* json_name() and a value in one. */
void json_member_str(struct json *json, struct str name, struct str value);
void json_member_u64(struct json *json, struct str name, uint64_t value);
void json_member_bool(struct json *json, struct str name, bool value);
void json_member_datetime(struct json *json, struct str name, int64_t wall_ms);

/* Append text, escaped and quoted, without any comma: for writers of their own. */
void json_quote(struct buf *to, struct str text);

#endif

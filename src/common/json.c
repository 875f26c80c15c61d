#include "common/json.h"

#include <string.h>

#include "common/clock.h"
#include "common/utf8.h"

static void
begin_value(struct json *json)
{
	if (json->needs_comma)
		buf_add_byte(json->to, ',');
	json->needs_comma = true;
}

static void
open_with(struct json *json, uint8_t bracket)
{
	begin_value(json);
	buf_add_byte(json->to, bracket);
	json->needs_comma = false;
}

static void
close_with(struct json *json, uint8_t bracket)
{
	buf_add_byte(json->to, bracket);
	json->needs_comma = true;
}

void json_object_begin(struct json *json) { open_with(json, '{'); }
void json_object_end(struct json *json) { close_with(json, '}'); }
void json_array_begin(struct json *json) { open_with(json, '['); }
void json_array_end(struct json *json) { close_with(json, ']'); }

/* Bytes that stand for themselves inside quotes. */
static bool
is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void
add_escaped(struct buf *to, uint8_t c)
{
	switch (c) {
	case '"':
		buf_add(to, "\\\"", 2);
		break;
	case '\\':
		buf_add(to, "\\\\", 2);
		break;
	case '\n':
		buf_add(to, "\\n", 2);
		break;
	case '\r':
		buf_add(to, "\\r", 2);
		break;
	case '\t':
		buf_add(to, "\\t", 2);
		break;
	default:
		buf_printf(to, "\\u%04x", c);
	}
}

/* What would steer a terminal that shows the text is written as an escape. */
static void
add_character(struct buf *to, const uint8_t *at, size_t n)
{
	if (!utf8_is_steering(at, n))
		buf_add(to, at, n);
	else if (n == 2)
		buf_printf(to, "\\u%04x", (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu));
	else
		buf_printf(to, "\\u%04x", (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 |
		    (at[2] & 0x3fu));
}

/* The same of eight at once: none is below 0x20 or from 0x7f on, '"' or '\\'. */
static bool
are_plain(const uint8_t text[8])
{
	const uint64_t each = 0x0101010101010101ull;
	uint64_t t, quotes, slashes, deletes;

	memcpy(&t, text, sizeof(t));
	quotes = t ^ each * '"';
	slashes = t ^ each * '\\';
	deletes = t ^ each * 0x7f;
	/* Where a byte is too small to have it taken off, its top bit is set. */
	return ((t | (t - each * 0x20) | (quotes - each) | (slashes - each) |
	    (deletes - each)) & each * 0x80) == 0;
}

/* The length of what stands for itself at the front of a text. */
static size_t
plain_run(const uint8_t *text, size_t len)
{
	size_t run = 0;

	while (len - run >= 8 && are_plain(text + run))
		run += 8;
	while (run < len && is_plain(text[run]))
		run++;
	return run;
}

void
json_quote(struct buf *to, struct str text)
{
	const uint8_t *t = (const uint8_t *)text.ptr;
	size_t i = plain_run(t, text.len);
	uint8_t *at = buf_reserve(to, text.len + 2);

	/* In one piece, which is all of nearly every text. */
	at[0] = '"';
	if (i > 0)
		memcpy(at + 1, t, i);
	buf_added(to, i + 1);
	while (i < text.len) {
		size_t n;

		if (t[i] < 0x80) {
			add_escaped(to, t[i++]);
		} else if ((n = utf8_sequence(t + i, text.len - i)) > 0) {
			add_character(to, t + i, n);
			i += n;
		} else {
			buf_add(to, "\xef\xbf\xbd", 3);		/* U+FFFD */
			i++;
		}
		n = plain_run(t + i, text.len - i);
		buf_add(to, t + i, n);
		i += n;
	}
	buf_add_byte(to, '"');
}

void
json_name(struct json *json, struct str name)
{
	begin_value(json);
	json_quote(json->to, name);
	buf_add_byte(json->to, ':');
	json->needs_comma = false;
}

void
json_str(struct json *json, struct str value)
{
	begin_value(json);
	json_quote(json->to, value);
}

static void
add_decimal(struct buf *to, uint64_t value)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buf_add(to, text + at, sizeof(text) - at);
}

void
json_u64(struct json *json, uint64_t value)
{
	begin_value(json);
	add_decimal(json->to, value);
}

void
json_i64(struct json *json, int64_t value)
{
	begin_value(json);
	if (value < 0)
		buf_add_byte(json->to, '-');
	add_decimal(json->to, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void
json_bool(struct json *json, bool value)
{
	begin_value(json);
	buf_add_str(json->to, value ? STR("true") : STR("false"));
}

void
json_null(struct json *json)
{
	begin_value(json);
	buf_add_str(json->to, STR("null"));
}

void
json_member_str(struct json *json, struct str name, struct str value)
{
	json_name(json, name);
	json_str(json, value);
}

void
json_member_u64(struct json *json, struct str name, uint64_t value)
{
	json_name(json, name);
	json_u64(json, value);
}

void
json_member_bool(struct json *json, struct str name, bool value)
{
	json_name(json, name);
	json_bool(json, value);
}

void
json_member_datetime(struct json *json, struct str name, int64_t wall_ms)
{
	char text[DATETIME_SIZE];

	datetime_format(wall_ms, text);
	json_member_str(json, name, str_from(text));
}

#include "common/utf8.h"

#include <string.h>

static bool
is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

size_t
utf8_sequence(const uint8_t *t, size_t len)
{
	if (t[0] < 0x80)
		return 1;
	if (t[0] < 0xc2)	/* a continuation byte, or an overlong C0, C1 */
		return 0;
	if (t[0] < 0xe0)
		return len >= 2 && is_continuation(t[1]) ? 2 : 0;
	if (t[0] < 0xf0) {
		if (len < 3 || !is_continuation(t[1]) || !is_continuation(t[2]))
			return 0;
		if (t[0] == 0xe0 && t[1] < 0xa0)	/* overlong */
			return 0;
		if (t[0] == 0xed && t[1] >= 0xa0)	/* surrogate */
			return 0;
		return 3;
	}
	if (t[0] > 0xf4 || len < 4 || !is_continuation(t[1]) ||
	    !is_continuation(t[2]) || !is_continuation(t[3]))
		return 0;
	if (t[0] == 0xf0 && t[1] < 0x90)	/* overlong */
		return 0;
	if (t[0] == 0xf4 && t[1] >= 0x90)	/* above U+10FFFF */
		return 0;
	return 4;
}

bool
utf8_is_steering(const uint8_t *t, size_t n)
{
	switch (n) {
	case 1:
		return t[0] < 0x20 || t[0] == 0x7f;
	case 2:		/* U+0080 to U+009F, U+061C */
		return (t[0] == 0xc2 && t[1] < 0xa0) || (t[0] == 0xd8 && t[1] == 0x9c);
	case 3:		/* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069 */
		if (t[0] != 0xe2)
			return false;
		return (t[1] == 0x80 && (t[2] == 0x8e || t[2] == 0x8f ||
		    (t[2] >= 0xa8 && t[2] <= 0xae))) ||
		    (t[1] == 0x81 && t[2] >= 0xa6 && t[2] <= 0xa9);
	default:
		return false;
	}
}

bool
utf8_is_valid(const uint8_t *text, size_t len)
{
	size_t i = 0;

	while (i < len) {
		uint64_t eight;
		size_t n;

		/* Most text is ASCII: eight bytes a step. */
		if (len - i >= 8) {
			memcpy(&eight, text + i, 8);
			if ((eight & 0x8080808080808080u) == 0) {
				i += 8;
				continue;
			}
		}
		n = utf8_sequence(text + i, len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

size_t
utf8_clean(char *text, size_t len)
{
	size_t from = 0, to = 0;

	while (from < len) {
		const uint8_t *at = (const uint8_t *)text + from;
		size_t n = utf8_sequence(at, len - from);

		if (n == 0 || utf8_is_steering(at, n)) {
			text[to++] = '?';
		} else {
			memmove(text + to, at, n);
			to += n;
		}
		from += n > 0 ? n : 1;
	}
	return to;
}

struct str
utf8_cut(struct str text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((uint8_t)text.ptr[max] & 0xc0) == 0x80)
		max--;
	return (struct str){ text.ptr, max };
}

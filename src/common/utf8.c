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

struct str
utf8_cut(struct str text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((uint8_t)text.ptr[max] & 0xc0) == 0x80)
		max--;
	return (struct str){ text.ptr, max };
}

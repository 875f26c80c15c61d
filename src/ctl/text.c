#include "ctl/text.h"

#include <wchar.h>

#include "common/utf8.h"

static uint32_t
code_point(const uint8_t *at, size_t len)
{
	uint32_t value = len == 1 ? at[0] : at[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++)
		value = value << 6 | (at[i] & 0x3f);
	return value;
}

/* Take one character from the front of *rest: its cleaned form and its width. */
static size_t
take_glyph(struct str *rest, bool is_utf8, struct str *glyph_out)
{
	const uint8_t *at = (const uint8_t *)rest->ptr;
	size_t len = utf8_sequence(at, rest->len);
	int width = -1;
	uint32_t c;

	*glyph_out = STR("?");
	if (len > 0) {
		c = code_point(at, len);
		if (c == '\n' || c == '\r' || c == '\t')
			*glyph_out = STR(" ");
		else if ((c < 0x80 || is_utf8) && !utf8_is_steering(at, len))
			width = wcwidth((wchar_t)c);
	}
	if (width >= 0)
		*glyph_out = (struct str){ rest->ptr, len };
	if (len == 0)
		len = 1;
	rest->ptr += len;
	rest->len -= len;
	return width >= 0 ? (size_t)width : 1;
}

size_t
text_columns(struct str text, bool is_utf8)
{
	struct str glyph;
	size_t columns = 0;

	while (text.len > 0)
		columns += take_glyph(&text, is_utf8, &glyph);
	return columns;
}

size_t
text_add(struct buf *to, struct str text, size_t columns, bool is_utf8)
{
	bool is_cut = text_columns(text, is_utf8) > columns;
	size_t room = is_cut && columns > 0 ? columns - 1 : columns, used = 0;
	struct str glyph;

	while (text.len > 0) {
		size_t width = take_glyph(&text, is_utf8, &glyph);

		if (width > room - used)
			break;
		buf_add_str(to, glyph);
		used += width;
	}
	if (is_cut && columns > 0) {
		buf_add_str(to, is_utf8 ? STR("…") : STR("~"));
		used++;
	}
	return used;
}

void
text_add_blanks(struct buf *to, size_t count)
{
	while (count-- > 0)
		buf_add_byte(to, ' ');
}

void
text_add_left(struct buf *to, struct str text, size_t columns, bool is_utf8)
{
	size_t used = text_add(to, text, columns, is_utf8);

	text_add_blanks(to, columns - used);
}

void
text_add_right(struct buf *to, struct str text, size_t columns, bool is_utf8)
{
	size_t wide = text_columns(text, is_utf8);

	if (wide < columns)
		text_add_blanks(to, columns - wide);
	(void)text_add(to, text, columns, is_utf8);
}

#include "api/html.h"

#include "common/clock.h"
#include "common/human.h"
#include "common/utf8.h"

static const char *
escape_of(uint8_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f ? "\xef\xbf\xbd" :
		    NULL;
	}
}

void
html_text(struct buf *to, struct str text)
{
	const uint8_t *at = (const uint8_t *)text.ptr;
	size_t left = text.len;

	while (left > 0) {
		size_t n = utf8_sequence(at, left);
		const char *escape = n == 0 ? "\xef\xbf\xbd" : n == 1 ? escape_of(*at) : NULL;

		if (escape != NULL)
			buf_add_str(to, str_from(escape));
		else
			buf_add(to, at, n);
		n = n == 0 ? 1 : n;
		at += n;
		left -= n;
	}
}

void
html_count(struct buf *to, uint64_t number)
{
	char text[HUMAN_SIZE];

	human_count(number, text);
	buf_add_str(to, str_from(text));
}

void
html_failed(struct buf *to, uint64_t number)
{
	if (number > 0)
		html(to, "<span class=\"bad\">");
	html_count(to, number);
	if (number > 0)
		html(to, "</span>");
}

void
html_ago(struct buf *to, int64_t then_ms, int64_t now_ms)
{
	char iso[DATETIME_SIZE], ago[HUMAN_SIZE];

	datetime_format(then_ms, iso);
	human_ago(then_ms, now_ms, ago);
	buf_printf(to, "<time datetime=\"%s\" title=\"%.10s %.8s UTC\">%s</time>", iso, iso,
	    iso + 11, ago);
}

void
html_query(struct buf *to, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_')
			buf_add_byte(to, (uint8_t)c);
		else
			buf_printf(to, "%%%02X", (unsigned char)c);
	}
}

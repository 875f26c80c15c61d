#include "workers/wire_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

struct str
wire_text(const char *text, size_t len, char to[LIMIT_OP_TEXT_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		size_t step = utf8_sequence((const uint8_t *)text + i, len - i);

		if (n + (step > 0 ? step : 1) > LIMIT_OP_TEXT_BYTES)
			break;
		if (step == 0) {
			to[n++] = '?';
			i++;
			continue;
		}
		memcpy(to + n, text + i, step);
		n += step;
		i += step;
	}
	return (struct str){ to, n };
}

struct str
wire_text_format(char to[LIMIT_OP_TEXT_BYTES], const char *fmt, va_list ap)
{
	char raw[LIMIT_OP_TEXT_BYTES + 1];

	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	return wire_text(raw, strlen(raw), to);
}

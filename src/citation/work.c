#include "citation/work.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/utf8.h"

static void
work_clear(struct work *work)
{
	for (int i = 0; i < WORK_TEXT_COUNT; i++)
		free(work->texts[i]);
}

void
works_clear(struct works *works)
{
	for (size_t i = 0; i < works->count; i++)
		work_clear(&works->list[i]);
	free(works->list);
	*works = WORKS_INIT;
}

struct work *
works_add(struct works *works, enum citation_source source)
{
	struct work *work;

	if (works->count == LIMIT_CITATIONS)
		return NULL;
	if (works->count == works->size) {
		works->size = works->size > 0 ? 2 * works->size : 32;
		works->list = xrealloc(works->list, works->size * sizeof(*works->list));
	}
	work = &works->list[works->count++];
	*work = (struct work){ .source = source };
	return work;
}

void
works_drop_last(struct works *works)
{
	work_clear(&works->list[--works->count]);
}

struct str
work_text(const struct work *work, enum work_text which)
{
	return str_from(work->texts[which]);
}

static bool
is_blank(uint8_t byte)
{
	return byte <= ' ' || byte == 0x7f;
}

void
work_set(struct work *work, enum work_text which, struct str text)
{
	struct buf clean = BUF_INIT;
	bool blank_is_due = false;

	for (size_t i = 0, n; i < text.len && buf_len(&clean) < LIMIT_CITATION_TEXT_BYTES;
	    i += n > 0 ? n : 1) {
		const uint8_t *at = (const uint8_t *)text.ptr + i;

		n = utf8_sequence(at, text.len - i);

		if (n == 1 && is_blank(*at)) {
			blank_is_due = buf_len(&clean) > 0;
		} else if (n > 0) {
			if (blank_is_due)
				buf_add_byte(&clean, ' ');
			blank_is_due = false;
			if (buf_len(&clean) + n > LIMIT_CITATION_TEXT_BYTES)
				break;
			buf_add(&clean, at, n);
		}
	}
	free(work->texts[which]);
	work->texts[which] = NULL;
	if (buf_len(&clean) > 0)
		work->texts[which] = xstrndup((const char *)buf_data(&clean),
		    buf_len(&clean));
	buf_clear(&clean);
}

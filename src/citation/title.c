#include "citation/title.h"

#include <stdlib.h>

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "common/limits.h"
#include "common/utf8.h"

#define FIRST_DIACRITIC_CLASS	10

static bool
is_kept(ucs4_t c)
{
	if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N))
		return true;
	return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_M) &&
	    uc_combining_class(c) < FIRST_DIACRITIC_CLASS &&
	    !uc_is_property_variation_selector(c);
}

static struct str
only_utf8(struct str text, struct buf *clean)
{
	for (size_t i = 0; i < text.len && i < LIMIT_CITATION_TEXT_BYTES;) {
		const uint8_t *at = (const uint8_t *)text.ptr + i;
		size_t n = utf8_sequence(at, text.len - i);

		if (n > 0)
			buf_add(clean, at, n);
		i += n > 0 ? n : 1;
	}
	return buf_str(clean);
}

/* Nearly all titles, and lines of a document, at a small part of the price.  False if
 * it is not all ASCII; then nothing is added. */
static bool
add_ascii(struct str title, struct buf *to)
{
	uint8_t *at;
	size_t n = 0;

	if (title.len == 0)
		return true;
	for (size_t i = 0; i < title.len; i++)
		if ((unsigned char)title.ptr[i] >= 0x80)
			return false;
	at = buf_reserve(to, title.len);
	for (size_t i = 0; i < title.len; i++) {
		char c = title.ptr[i];

		if (c >= 'A' && c <= 'Z')
			at[n++] = (uint8_t)(c - 'A' + 'a');
		else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			at[n++] = (uint8_t)c;
	}
	buf_added(to, n);
	return true;
}

void
title_normal(struct str title, struct buf *to)
{
	struct buf clean = BUF_INIT;
	uint8_t *folded = NULL;
	size_t len = 0;
	struct str text;

	if (title.len <= LIMIT_CITATION_TEXT_BYTES && add_ascii(title, to))
		return;
	text = only_utf8(title, &clean);
	if (text.len > 0) {
		folded = u8_casefold((const uint8_t *)text.ptr, text.len, NULL,
		    UNINORM_NFKD, NULL, &len);
		if (folded == NULL)
			abort();	/* no memory; the text is valid */
	}
	for (size_t i = 0; i < len;) {
		ucs4_t c;
		int n = u8_mbtoucr(&c, folded + i, len - i);

		if (n <= 0)
			break;
		if (is_kept(c))
			buf_add(to, folded + i, (size_t)n);
		i += (size_t)n;
	}
	free(folded);
	buf_clear(&clean);
}

uint64_t
title_hash(struct str normal)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < normal.len; i++)
		hash = (hash ^ (uint8_t)normal.ptr[i]) * 1099511628211u;
	return hash != 0 ? hash : 1;
}

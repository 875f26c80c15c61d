/*
 * The part of a scan that writes down where it is.
 *
 * version u8 = 1, then integers of 8 bytes and texts with 2 bytes of length:
 *
 *	started_ms processed failed units bad_units bytes stage total position
 *	number of sources (1 byte), and of each:
 *		name cursor listed pages done pending, the last two as 2 bytes and
 *		hashes of 5
 *
 * The cursor is that of the oldest open page; done and pending are the entries of
 * the open pages, by hash and not by place: a list may have lost some by the next
 * time.
 */
#include <assert.h>
#include <stdlib.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/number.h"
#include "workers/scan_impl.h"

#define CHECKPOINT_VERSION		1
#define HASH_BYTES	5
#define SOURCE_BYTES	(2 + URL_ORIGIN_SIZE + 2 + LIMIT_LIST_CURSOR_BYTES + 8 + 1 + 2 * 2)
#define HEAD_BYTES	(1 + 8 * 8 + 2 + URL_ORIGIN_SIZE + 1)

static_assert(HEAD_BYTES + SCAN_SOURCES * SOURCE_BYTES +
    SCAN_PAGES * SCAN_PAGE_ENTRIES * HASH_BYTES <= LIMIT_CHECKPOINT_BYTES,
    "a full checkpoint fits");

bool
scan_may_checkpoint(const struct scan *scan)
{
	const struct scan_source *source;

	TAILQ_FOREACH(source, &scan->sources, link)
		if (source->pages_again > 0)
			return false;
	return scan->resumed_count == 0;
}

/* --- writing --- */

static void
add_u64(struct buf *to, uint64_t value)
{
	value = htobe64(value);
	buf_add(to, &value, sizeof(value));
}

static void
add_u16(struct buf *to, size_t value)
{
	uint8_t bytes[2];

	u16_encode(bytes, (uint16_t)value);
	buf_add(to, bytes, sizeof(bytes));
}

static void
add_bytes(struct buf *to, struct bytes bytes)
{
	add_u16(to, bytes.len);
	buf_add(to, bytes.ptr, bytes.len);
}

static void
add_text(struct buf *to, const char *text)
{
	struct str str = str_from(text);

	add_bytes(to, (struct bytes){ (const uint8_t *)str.ptr, str.len });
}

/* The entries of open pages that are over, or that are not. */
static void
add_entries(struct buf *to, const struct scan_source *source, bool is_over)
{
	size_t count_at = buf_len(to), count = 0;
	const struct scan_page *page;

	add_u16(to, 0);
	TAILQ_FOREACH(page, &source->pages, link) {
		for (size_t i = 0; i < page->count; i++) {
			uint64_t hash = htobe64(page->hashes[i] << (64 - 8 * HASH_BYTES));

			if (page->entries[i]->is_over != is_over)
				continue;
			buf_add(to, &hash, HASH_BYTES);
			count++;
		}
	}
	u16_encode(buf_data(to) + count_at, (uint16_t)count);
}

/* The one that is being read has no entries yet that could be done. */
static unsigned
filled_pages(const struct scan_source *source)
{
	return source->page_count - (source->reading != NULL);
}

static void
add_source(struct buf *to, const struct scan_source *source)
{
	const struct scan_page *oldest = TAILQ_FIRST(&source->pages);

	add_text(to, source->name);
	add_bytes(to, buf_bytes(oldest != NULL ? &oldest->cursor : &source->cursor));
	add_u64(to, oldest != NULL ? oldest->listed_before : source->listed);
	buf_add_byte(to, (uint8_t)filled_pages(source));
	add_entries(to, source, true);
	add_entries(to, source, false);
}

void
scan_checkpoint_encode(const struct scan *scan, struct buf *to)
{
	const struct scan_counts *counts = &scan->counts;
	const struct scan_source *source;

	buf_add_byte(to, CHECKPOINT_VERSION);
	add_u64(to, (uint64_t)scan->started_ms);
	add_u64(to, counts->processed);
	add_u64(to, counts->failed);
	add_u64(to, counts->units);
	add_u64(to, counts->bad_units);
	add_u64(to, counts->bytes + http_received_bytes(scan->env.http));
	add_u64(to, scan->stage);
	add_u64(to, scan->total);
	add_text(to, scan->position);
	buf_add_byte(to, (uint8_t)scan->source_count);
	TAILQ_FOREACH(source, &scan->sources, link)
		add_source(to, source);
}

/* --- reading --- */

struct reader {
	struct bytes rest;
	bool is_bad;		/* then everything that was read is 0 or empty */
};

static struct bytes
take(struct reader *reader, size_t len)
{
	struct bytes bytes = { reader->rest.ptr, len };

	if (reader->is_bad || reader->rest.len < len) {
		reader->is_bad = true;
		return BYTES_NONE;
	}
	reader->rest.ptr += len;
	reader->rest.len -= len;
	return bytes;
}

static uint64_t
take_number(struct reader *reader, size_t len)
{
	struct bytes bytes = take(reader, len);
	uint64_t value = 0;

	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | bytes.ptr[i];
	return value;
}

static struct bytes
take_bytes(struct reader *reader)
{
	return take(reader, (size_t)take_number(reader, 2));
}

static void
take_set(struct reader *reader, struct scan_set *to)
{
	size_t count = (size_t)take_number(reader, 2);

	for (size_t i = 0; i < count && !reader->is_bad; i++)
		scan_set_add(to, take_number(reader, HASH_BYTES));
}

static void
take_source(struct reader *reader, struct scan_resumed *to)
{
	struct bytes name = take_bytes(reader), cursor;

	cursor = take_bytes(reader);
	to->name = xstrndup((const char *)name.ptr, name.len);
	if (cursor.len > 0)
		buf_add(&to->cursor, cursor.ptr, cursor.len);
	to->listed = take_number(reader, 8);
	to->pages = (unsigned)take_number(reader, 1);
	take_set(reader, &to->done);
	take_set(reader, &to->pending);
}

int
scan_checkpoint_decode(struct scan *scan, struct bytes from)
{
	struct reader reader = { .rest = from };
	struct scan_counts *counts = &scan->counts;
	struct bytes position;
	uint64_t sources;

	if (take_number(&reader, 1) != CHECKPOINT_VERSION)
		return -1;
	scan->started_ms = (int64_t)take_number(&reader, 8);
	counts->processed = take_number(&reader, 8);
	counts->failed = take_number(&reader, 8);
	counts->units = take_number(&reader, 8);
	counts->bad_units = take_number(&reader, 8);
	counts->bytes = take_number(&reader, 8);
	scan->stage = take_number(&reader, 8);
	scan->total = take_number(&reader, 8);
	position = take_bytes(&reader);
	free(scan->position);
	scan->position = xstrndup((const char *)position.ptr, position.len);
	sources = take_number(&reader, 1);
	while (scan->resumed_count < sources && sources <= SCAN_SOURCES &&
	    !reader.is_bad)
		take_source(&reader, &scan->resumed[scan->resumed_count++]);
	return reader.is_bad || reader.rest.len > 0 ? -1 : 0;
}

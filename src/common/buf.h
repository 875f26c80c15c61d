/*
 * buf.h - a growable byte buffer, embedded in its owner.
 *
 * Bytes are appended at the end and consumed from the front; the unread part
 * is [buf_data, buf_data + buf_len).  Pointers into it are valid until the
 * next call that is not const.
 */
#ifndef BF_COMMON_BUF_H
#define BF_COMMON_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

struct buf {
	/* owned */
	uint8_t *mem;
	size_t size;		/* of mem */
	size_t start, end;	/* the unread part; start <= end <= size */
};

#define BUF_INIT	((struct buf){ NULL, 0, 0, 0 })

void buf_clear(struct buf *buf);	/* free the memory; buf is as BUF_INIT */
static inline void buf_reset(struct buf *buf) { buf->start = buf->end = 0; }

static inline size_t buf_len(const struct buf *buf) { return buf->end - buf->start; }

/* NULL, to which nothing may be added, before the first byte. */
static inline uint8_t *
buf_data(const struct buf *buf)
{
	return buf->mem != NULL ? buf->mem + buf->start : NULL;
}

static inline struct bytes
buf_bytes(const struct buf *buf)
{
	return (struct bytes){ buf_data(buf), buf_len(buf) };
}

static inline struct str
buf_str(const struct buf *buf)
{
	return (struct str){ (const char *)buf_data(buf), buf_len(buf) };
}

uint8_t *buf_grow(struct buf *buf, size_t n);	/* for buf_reserve() */

/* Make room for n more bytes and return where they go; follow with buf_added(). */
static inline uint8_t *
buf_reserve(struct buf *buf, size_t n)
{
	return n <= buf->size - buf->end ? buf->mem + buf->end : buf_grow(buf, n);
}

static inline void buf_added(struct buf *buf, size_t n) { buf->end += n; }

void buf_add(struct buf *buf, const void *from, size_t n);

static inline void
buf_add_byte(struct buf *buf, uint8_t byte)
{
	*buf_reserve(buf, 1) = byte;
	buf->end++;
}

static inline void
buf_add_str(struct buf *buf, struct str s)
{
	buf_add(buf, s.ptr, s.len);
}

void buf_printf(struct buf *buf, const char *fmt, ...) BF_PRINTF(2, 3);

/* Drop n bytes from the front, n <= buf_len(). */
void buf_consume(struct buf *buf, size_t n);

/* Give memory back when the buffer is empty and holds more than keep_bytes. */
void buf_shrink(struct buf *buf, size_t keep_bytes);

#endif

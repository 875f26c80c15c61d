#include "common/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define BUF_MIN_BYTES	256

void
buf_clear(struct buf *buf)
{
	free(buf->mem);
	*buf = BUF_INIT;
}

uint8_t *
buf_grow(struct buf *buf, size_t n)
{
	size_t len = buf_len(buf);

	/* Moving is worth it only when at least half of the memory is read already. */
	if (buf->start >= buf->size / 2 && n <= buf->size - len && len > 0) {
		memmove(buf->mem, buf->mem + buf->start, len);
	} else if (len > 0 || buf->size < n) {
		size_t size = buf->size > 0 ? buf->size : BUF_MIN_BYTES;
		uint8_t *mem;

		while (size - len < n)
			size *= 2;
		mem = xmalloc(size);
		if (len > 0)
			memcpy(mem, buf->mem + buf->start, len);
		free(buf->mem);
		buf->mem = mem;
		buf->size = size;
	}
	buf->start = 0;
	buf->end = len;
	return buf->mem + buf->end;
}

void
buf_add(struct buf *buf, const void *from, size_t n)
{
	if (n > 0) {
		memcpy(buf_reserve(buf, n), from, n);
		buf->end += n;
	}
}

void
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	va_start(ap, fmt);
	(void)vsnprintf((char *)buf_reserve(buf, (size_t)n + 1), (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf->end += (size_t)n;
}

void
buf_consume(struct buf *buf, size_t n)
{
	assert(n <= buf_len(buf));
	buf->start += n;
	if (buf->start == buf->end)
		buf_reset(buf);
}

void
buf_shrink(struct buf *buf, size_t keep_bytes)
{
	if (buf_len(buf) == 0 && buf->size > keep_bytes)
		buf_clear(buf);
}

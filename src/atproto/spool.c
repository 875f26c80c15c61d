#include "atproto/spool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/mem.h"

#define FIRST_BYTES	(64 * 1024)
#define WRITE_BYTES	(256 * 1024)	/* per write, once bytes go to the file */

void
spool_init(struct spool *spool, size_t memory_bytes, int fd)
{
	*spool = (struct spool){ .memory_bytes = memory_bytes, .fd = fd };
}

void
spool_clear(struct spool *spool)
{
	if (spool->map != NULL)
		munmap((void *)(uintptr_t)spool->map, spool->len);
	free(spool->mem);
	*spool = (struct spool){ .fd = -1 };
}

static size_t
in_memory(const struct spool *spool)
{
	return (size_t)(spool->len - spool->spilled_bytes);
}

static int
io_failed(struct fault *fault, uint64_t offset, const char *reason)
{
	return fault_set_detail(fault, FAULT_CAR_IO, offset, str_from(reason));
}

/* Write the first n bytes in memory to the end of the file. */
static int
spill(struct spool *spool, size_t n, struct fault *fault)
{
	size_t done = 0;

	while (done < n) {
		ssize_t written = pwrite(spool->fd, spool->mem + done, n - done,
		    (off_t)(spool->spilled_bytes + done));

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return io_failed(fault, spool->spilled_bytes + done, strerror(errno));
		done += (size_t)written;
	}
	if (n > 0)
		memmove(spool->mem, spool->mem + n, in_memory(spool) - n);
	spool->spilled_bytes += n;
	return 0;
}

static void
resize(struct spool *spool, size_t size)
{
	spool->mem = xrealloc(spool->mem, size);
	spool->mem_size = size;
}

/* Make room for n more bytes, in memory or by sending parsed ones to the file. */
static int
make_room(struct spool *spool, size_t n, uint64_t parsed_to, struct fault *fault)
{
	size_t need = in_memory(spool) + n;
	size_t size = spool->mem_size > 0 ? spool->mem_size : FIRST_BYTES;

	if (spool->spilled_bytes == 0 && need > spool->memory_bytes) {
		if (spool->fd == -1)
			return fault_set(fault, FAULT_CAR_MEMORY, spool->len);
		if (spill(spool, (size_t)parsed_to, fault) < 0)
			return -1;
		need = in_memory(spool) + n;
		/* The rest is short: give the memory back. */
		size = WRITE_BYTES;
		resize(spool, need > size ? need : size);
	}
	if (need <= spool->mem_size)
		return 0;
	if (spool->spilled_bytes > 0 && parsed_to > spool->spilled_bytes) {
		if (spill(spool, (size_t)(parsed_to - spool->spilled_bytes), fault) < 0)
			return -1;
		need = in_memory(spool) + n;
	}
	while (size < need)
		size *= 2;
	if (size > spool->mem_size)
		resize(spool, size);
	return 0;
}

int
spool_add(struct spool *spool, struct bytes piece, uint64_t parsed_to, struct fault *fault)
{
	if (piece.len == 0)
		return 0;
	if (make_room(spool, piece.len, parsed_to, fault) < 0)
		return -1;
	memcpy(spool->mem + in_memory(spool), piece.ptr, piece.len);
	spool->len += piece.len;
	return 0;
}

struct bytes
spool_tail(const struct spool *spool, uint64_t from)
{
	assert(from >= spool->spilled_bytes && from <= spool->len);
	return (struct bytes){ spool->mem + (from - spool->spilled_bytes),
	    (size_t)(spool->len - from) };
}

int
spool_end(struct spool *spool, struct fault *fault)
{
	void *map;

	if (spool->spilled_bytes == 0)
		return 0;
	if (spill(spool, in_memory(spool), fault) < 0)
		return -1;
	free(spool->mem);
	spool->mem = NULL;
	spool->mem_size = 0;
	/*
	 * Where the address space is limited below the size of the file, blocks are
	 * read one by one.  The file is whole and nobody else's, so a mapping does
	 * not meet an end that moved.
	 */
	map = mmap(NULL, spool->len, PROT_READ, MAP_SHARED | MAP_POPULATE, spool->fd, 0);
	if (map != MAP_FAILED)
		spool->map = map;
	return 0;
}

static int
read_file(const struct spool *spool, uint64_t offset, size_t len, uint8_t *to,
    struct fault *fault)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(spool->fd, to + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return io_failed(fault, offset + done, n < 0 ? strerror(errno) :
			    "it is shorter than what was written");
		done += (size_t)n;
	}
	return 0;
}

int
spool_read(const struct spool *spool, uint64_t offset, size_t len, struct buf *scratch,
    struct bytes *bytes_out, struct fault *fault)
{
	const uint8_t *start = spool_memory(spool);

	assert(offset <= spool->len && len <= spool->len - offset);
	if (start != NULL) {
		*bytes_out = (struct bytes){ start + offset, len };
		return 0;
	}
	buf_reset(scratch);
	if (read_file(spool, offset, len, buf_reserve(scratch, len), fault) < 0)
		return -1;
	buf_added(scratch, len);
	*bytes_out = buf_bytes(scratch);
	return 0;
}

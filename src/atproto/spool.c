#include "atproto/spool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

#define READY_BYTES	(256 * 1024)
#define WRITE_BYTES	(256 * 1024)	/* per write, once bytes go to the file */

void
spool_init(struct spool *spool, size_t memory_bytes, int fd, bool has_all)
{
	*spool = (struct spool){ .memory_bytes = memory_bytes, .fd = fd,
	    .has_all = has_all };
}

static void
free_memory(struct spool *spool)
{
	if (spool->is_region)
		munmap(spool->mem, spool->mem_size);
	else
		free(spool->mem);
	spool->mem = NULL;
	spool->mem_size = 0;
	spool->is_region = false;
}

void
spool_clear(struct spool *spool)
{
	if (spool->map != NULL)
		munmap((void *)(uintptr_t)spool->map, spool->len);
	free_memory(spool);
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

static int
write_failed(struct fault *fault, uint64_t offset)
{
	bool is_full = errno == ENOSPC || errno == EDQUOT;

	return fault_set_detail(fault, is_full ? FAULT_CAR_NO_ROOM : FAULT_CAR_IO, offset,
	    str_from(strerror(errno)));
}

static int
write_file(struct spool *spool, size_t n, struct fault *fault)
{
	size_t done = 0;

	while (done < n) {
		ssize_t written = pwrite(spool->fd, spool->mem + done, n - done,
		    (off_t)(spool->spilled_bytes + done));

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return write_failed(fault, spool->spilled_bytes + done);
		done += (size_t)written;
	}
	return 0;
}

/* Move the first n bytes in memory to the end of the file. */
static int
spill(struct spool *spool, size_t n, struct fault *fault)
{
	if (n == 0)
		return 0;
	if (!spool->has_all && write_file(spool, n, fault) < 0)
		return -1;
	memmove(spool->mem, spool->mem + n, in_memory(spool) - n);
	spool->spilled_bytes += n;
	return 0;
}

/* One region for all that may stay in memory: it costs what is used of it, and never
 * moves. */
static void
reserve_region(struct spool *spool)
{
	void *region = mmap(NULL, spool->memory_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (region == MAP_FAILED)	/* as xmalloc() */
		abort();
	spool->mem = region;
	spool->mem_size = spool->memory_bytes;
	spool->is_region = true;
	spool->ready_bytes = READY_BYTES;	/* a small repository takes no more */
}

/* Send what is parsed to the file, and keep the rest in a buffer. */
static int
leave_region(struct spool *spool, size_t n, uint64_t parsed_to, struct fault *fault)
{
	size_t size;
	uint8_t *mem;

	if (spool->fd == -1)
		return fault_set(fault, FAULT_CAR_MEMORY, spool->len);
	if (spill(spool, (size_t)parsed_to, fault) < 0)
		return -1;
	size = spool->memory_bytes < WRITE_BYTES ? spool->memory_bytes : WRITE_BYTES;
	if (size < in_memory(spool) + n)
		size = in_memory(spool) + n;
	mem = xmalloc(size);
	if (in_memory(spool) > 0)
		memcpy(mem, spool->mem, in_memory(spool));
	free_memory(spool);
	spool->mem = mem;
	spool->mem_size = size;
	return 0;
}

/* Make room for n more bytes, in memory or by sending parsed ones to the file. */
static int
make_room(struct spool *spool, size_t n, uint64_t parsed_to, struct fault *fault)
{
	size_t need;

	if (spool->len == 0 && n <= spool->memory_bytes && !spool->has_all)
		reserve_region(spool);
	if (in_memory(spool) + n <= spool->mem_size)
		return 0;
	if (spool->is_region || spool->len == 0)
		return leave_region(spool, n, parsed_to, fault);
	if (spill(spool, (size_t)(parsed_to - spool->spilled_bytes), fault) < 0)
		return -1;
	need = in_memory(spool) + n;
	if (need > spool->mem_size) {
		spool->mem_size = need > 2 * spool->mem_size ? need : 2 * spool->mem_size;
		spool->mem = xrealloc(spool->mem, spool->mem_size);
	}
	return 0;
}

/* Pages of the region are asked for by the hundred, not one by one as they are
 * written; a kernel that cannot do so gives them one by one. */
static void
make_ready(struct spool *spool, size_t upto)
{
	size_t n = READY_BYTES;

	if (upto <= spool->ready_bytes || spool->ready_bytes >= spool->mem_size)
		return;
	if (n > spool->mem_size - spool->ready_bytes)
		n = spool->mem_size - spool->ready_bytes;
	(void)madvise(spool->mem + spool->ready_bytes, n, MADV_POPULATE_WRITE);
	spool->ready_bytes += n;
}

int
spool_add(struct spool *spool, struct bytes piece, uint64_t parsed_to,
    struct fault *fault)
{
	if (piece.len == 0)
		return 0;
	if (make_room(spool, piece.len, parsed_to, fault) < 0)
		return -1;
	if (spool->is_region)
		make_ready(spool, in_memory(spool) + piece.len);
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

/* A mapping of a file that is shorter would end the process where it ends. */
static int
check_size(const struct spool *spool, struct fault *fault)
{
	struct stat st;

	if (fstat(spool->fd, &st) == -1)
		return io_failed(fault, 0, strerror(errno));
	if (st.st_size < 0 || (uint64_t)st.st_size < spool->len)
		return io_failed(fault, (uint64_t)st.st_size,
		    "it is shorter than what was read");
	return 0;
}

int
spool_end(struct spool *spool, struct fault *fault)
{
	void *map;

	if (spool->spilled_bytes == 0)
		return 0;
	if (spill(spool, in_memory(spool), fault) < 0 || check_size(spool, fault) < 0)
		return -1;
	free_memory(spool);
	/*
	 * Where the address space is limited below the size of the file, blocks are
	 * read one by one.
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
		ssize_t n = pread(spool->fd, to + done, len - done,
		    (off_t)(offset + done));

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

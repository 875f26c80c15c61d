#include "t/unit/disk_recorder.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/mem.h"

#define SECTOR	512

enum kind { WRITE, SYNC, ACK };

struct event {
	enum kind kind;
	bool is_dsync;
	uint64_t at;		/* WRITE; ACK: the number of steps */
	size_t len;
	uint8_t *data;		/* owned */
};

static struct {
	const char *path;	/* NULL: nothing is recorded */
	struct event *events;
	size_t count;
} disk;

static bool
is_ours(int fd)
{
	struct stat one, other;

	return disk.path != NULL && fstat(fd, &one) == 0 && stat(disk.path, &other) == 0 &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static void
add(struct event event)
{
	disk.events = xrealloc(disk.events, (disk.count + 1) * sizeof(event));
	disk.events[disk.count++] = event;
}

static void
add_write(int fd, const void *data, size_t len, uint64_t at)
{
	add((struct event){ .kind = WRITE, .at = at, .len = len,
	    .data = xmemdup(data, len),
	    .is_dsync = (fcntl(fd, F_GETFL) & O_DSYNC) != 0 });
}

/* --- in front of libc's --- */

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	ssize_t n = syscall(SYS_pwrite64, fd, data, len, at);

	if (n > 0 && is_ours(fd))
		add_write(fd, data, (size_t)n, (uint64_t)at);
	return n;
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	bool ours = is_ours(fd);
	off_t at = ours ? lseek(fd, 0, SEEK_CUR) : 0;
	ssize_t n = syscall(SYS_writev, fd, parts, count);
	size_t left = n > 0 ? (size_t)n : 0;

	/* Each page by itself: nothing keeps them together on their way. */
	for (int i = 0; ours && i < count && left > 0; i++) {
		size_t len = parts[i].iov_len < left ? parts[i].iov_len : left;

		add_write(fd, parts[i].iov_base, len, (uint64_t)at);
		at += (off_t)len;
		left -= len;
	}
	return n;
}

int
fdatasync(int fd)
{
	int rc = (int)syscall(SYS_fdatasync, fd);

	if (rc == 0 && is_ours(fd))
		add((struct event){ .kind = SYNC });
	return rc;
}

int
fsync(int fd)
{
	int rc = (int)syscall(SYS_fsync, fd);

	if (rc == 0 && is_ours(fd))
		add((struct event){ .kind = SYNC });
	return rc;
}

/* --- recording --- */

void
disk_record(const char *path)
{
	disk_record_forget();
	disk.path = path;
}

void
disk_record_end(void)
{
	disk.path = NULL;
}

void
disk_record_forget(void)
{
	for (size_t i = 0; i < disk.count; i++)
		free(disk.events[i].data);
	free(disk.events);
	disk.events = NULL;
	disk.count = 0;
	disk.path = NULL;
}

void
disk_record_ack(unsigned steps)
{
	add((struct event){ .kind = ACK, .at = steps });
}

size_t
disk_recorded(void)
{
	return disk.count;
}

/* --- images --- */

struct image {
	uint8_t *data;		/* owned */
	size_t len;
};

static void
image_put(struct image *image, uint64_t at, const uint8_t *data, size_t len)
{
	if (at + len > image->len) {
		image->data = xrealloc(image->data, at + len);
		memset(image->data + image->len, 0, at + len - image->len);
		image->len = at + len;
	}
	memcpy(image->data + at, data, len);
}

static void
image_put_torn(struct image *image, const struct event *event)
{
	for (uint64_t at = event->at; at < event->at + event->len;) {
		uint64_t next = (at / SECTOR + 1) * SECTOR;

		if (next > event->at + event->len)
			next = event->at + event->len;
		if (rand() % 2 == 0)
			image_put(image, at, event->data + (at - event->at), next - at);
		at = next;
	}
}

static void
image_put_rest(struct image *image, const struct event *event, enum disk_rest rest)
{
	if (rest == DISK_NONE || (rest >= DISK_SOME && rand() % 2 == 0))
		return;
	if (rest == DISK_SOME_TORN && rand() % 2 == 0)
		image_put_torn(image, event);
	else
		image_put(image, event->at, event->data, event->len);
}

/* The first event that is not on the disk for sure. */
static size_t
synced_until(size_t moment, enum disk_trust trust)
{
	for (size_t i = moment; i > 0 && trust != DISK_NO_FDATASYNC; i--)
		if (disk.events[i - 1].kind == SYNC)
			return i;
	return 0;
}

static void
image_write(const struct image *image, const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || (image->len > 0 &&
	    fwrite(image->data, image->len, 1, file) != 1) || fclose(file) != 0)
		abort();
}

unsigned
disk_image(size_t moment, enum disk_trust trust, enum disk_rest rest, const char *path)
{
	size_t synced = synced_until(moment, trust);
	struct image image = { 0 };
	unsigned acked = 0;

	for (size_t i = 0; i <= moment && i < disk.count; i++) {
		const struct event *event = &disk.events[i];
		bool is_safe = i < synced || (event->is_dsync && trust != DISK_NO_DSYNC &&
		    i < moment);

		if (event->kind == ACK && i < moment)
			acked = (unsigned)event->at;
		if (event->kind != WRITE)
			continue;
		if (is_safe)
			image_put(&image, event->at, event->data, event->len);
		else
			image_put_rest(&image, event, rest);
	}
	image_write(&image, path);
	free(image.data);
	return acked;
}

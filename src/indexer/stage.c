#include "indexer/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/fdutil.h"
#include "common/mem.h"

#define WRITE_BYTES	(256 * 1024)	/* collected before a write */
#define READ_BYTES	(256 * 1024)

/* In front of each change: then key, CID and record. */
struct head {
	int64_t at_ms;
	uint32_t record_len;
	uint16_t key_len, cid_len;
	uint8_t kind, table;
};

struct stage {
	struct stage_pool *pool;	/* borrowed */
	uint64_t bytes;			/* added */

	/* owned */
	struct buf mem;			/* what is not in the file */
	int fd;				/* -1: no file yet */

	/* reading */
	uint64_t file_at;		/* read from the file so far */
	struct buf in;			/* of what was read from the file */
	size_t mem_at;			/* handed out of mem, without a file */
	size_t handed_out;		/* bytes of `in` that the last change still uses */
};

struct stage *
stage_new(struct stage_pool *pool)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));

	stage->pool = pool;
	stage->fd = -1;
	return stage;
}

void
stage_free(struct stage **stage)
{
	if (*stage == NULL)
		return;
	(*stage)->pool->memory_used -= buf_len(&(*stage)->mem);
	buf_clear(&(*stage)->mem);
	buf_clear(&(*stage)->in);
	fd_close(&(*stage)->fd);
	free(*stage);
	*stage = NULL;
}

uint64_t
stage_bytes(const struct stage *stage)
{
	return stage->bytes;
}

static int
file_fail(const char *what, const char *dir, struct err *err)
{
	bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

	(void)err_errno(err, "%s(temporary file in %s)", what, dir);
	if (is_full)
		err->code = ERR_DISK_FULL;
	return -1;
}

/* For file systems without O_TMPFILE. */
static int
open_and_unlink(const char *dir)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s/stage.XXXXXX", dir) == -1)
		abort();
	fd = mkostemp(path, O_CLOEXEC);
	if (fd != -1)
		(void)unlink(path);
	free(path);
	return fd;
}

static int
open_file(struct stage *stage, struct err *err)
{
	const char *dir = stage->pool->dir;

	stage->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (stage->fd == -1 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		stage->fd = open_and_unlink(dir);
	return stage->fd == -1 ? file_fail("open", dir, err) : 0;
}

/* Move what is in memory to the file. */
static int
spill(struct stage *stage, struct err *err)
{
	if (stage->fd == -1 && open_file(stage, err) == -1)
		return -1;
	while (buf_len(&stage->mem) > 0) {
		ssize_t n = write(stage->fd, buf_data(&stage->mem), buf_len(&stage->mem));

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return file_fail("write", stage->pool->dir, err);
		stage->pool->memory_used -= (size_t)n;
		buf_consume(&stage->mem, (size_t)n);
	}
	buf_shrink(&stage->mem, WRITE_BYTES);
	return 0;
}

static bool
is_over_memory(const struct stage *stage)
{
	size_t len = buf_len(&stage->mem);

	if (stage->fd != -1)
		return len >= WRITE_BYTES;
	return len > stage->pool->stage_memory_max ||
	    stage->pool->memory_used > stage->pool->memory_max;
}

int
stage_add(struct stage *stage, const struct stage_change *change, struct err *err)
{
	struct head head = {
		.at_ms = change->at_ms,
		.record_len = (uint32_t)change->record.len,
		.key_len = (uint16_t)change->key.len,
		.cid_len = (uint16_t)change->cid.len,
		.kind = (uint8_t)change->kind,
		.table = change->table,
	};
	size_t len = sizeof(head) + change->key.len + change->cid.len +
	    change->record.len;

	if (stage->bytes + len > stage->pool->stage_bytes_max)
		return err_set(err, ERR_LIMIT, "changes of one commit: over %llu bytes",
		    (unsigned long long)stage->pool->stage_bytes_max);
	buf_add(&stage->mem, &head, sizeof(head));
	buf_add(&stage->mem, change->key.ptr, change->key.len);
	buf_add(&stage->mem, change->cid.ptr, change->cid.len);
	buf_add(&stage->mem, change->record.ptr, change->record.len);
	stage->bytes += len;
	stage->pool->memory_used += len;
	return is_over_memory(stage) ? spill(stage, err) : 0;
}

int
stage_rewind(struct stage *stage, struct err *err)
{
	stage->file_at = 0;
	stage->mem_at = 0;
	stage->handed_out = 0;
	buf_reset(&stage->in);
	return stage->fd != -1 ? spill(stage, err) : 0;
}

/* Have at least want bytes of the file in `in`, or all that is left of it. */
static int
fill(struct stage *stage, size_t want, struct err *err)
{
	while (buf_len(&stage->in) < want) {
		size_t room = want > READ_BYTES ? want : READ_BYTES;
		ssize_t n = pread(stage->fd, buf_reserve(&stage->in, room), room,
		    (off_t)stage->file_at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return file_fail("read", stage->pool->dir, err);
		if (n == 0)
			return 0;
		buf_added(&stage->in, (size_t)n);
		stage->file_at += (uint64_t)n;
	}
	return 0;
}

static size_t
change_len(const struct head *head)
{
	return sizeof(*head) + head->key_len + head->cid_len + head->record_len;
}

/* The next bytes of the changes, as far as they are at hand. */
static struct bytes
at_hand(const struct stage *stage)
{
	size_t left = buf_len(&stage->mem) - stage->mem_at;

	if (stage->fd != -1)
		return buf_bytes(&stage->in);
	if (left == 0)
		return BYTES_NONE;
	return (struct bytes){ buf_data(&stage->mem) + stage->mem_at, left };
}

static void
take(struct stage *stage, size_t len)
{
	if (stage->fd == -1)
		stage->mem_at += len;
	else
		stage->handed_out = len;
}

int
stage_next(struct stage *stage, struct stage_change *change_out, bool *has_one_out,
    struct err *err)
{
	struct bytes bytes;
	struct head head;
	const uint8_t *at;

	buf_consume(&stage->in, stage->handed_out);
	stage->handed_out = 0;
	if (stage->fd != -1 && fill(stage, sizeof(head), err) == -1)
		return -1;
	bytes = at_hand(stage);
	if (bytes.len == 0) {
		*has_one_out = false;
		return 0;
	}
	if (bytes.len < sizeof(head))
		goto cut_short;
	memcpy(&head, bytes.ptr, sizeof(head));
	if (stage->fd != -1 && fill(stage, change_len(&head), err) == -1)
		return -1;
	bytes = at_hand(stage);
	if (bytes.len < change_len(&head))
		goto cut_short;

	at = bytes.ptr + sizeof(head);
	*change_out = (struct stage_change){
		.kind = head.kind,
		.table = head.table,
		.key = { (const char *)at, head.key_len },
		.cid = { at + head.key_len, head.cid_len },
		.record = { at + head.key_len + head.cid_len, head.record_len },
		.at_ms = head.at_ms,
	};
	take(stage, change_len(&head));
	*has_one_out = true;
	return 0;

cut_short:
	return err_set(err, ERR_CORRUPT, "temporary file in %s: ends too soon",
	    stage->pool->dir);
}

#include "workers/record_read.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/mem.h"
#include "workers/rows_link.h"

#define PAGE	8	/* nearly always one */

struct record_read {
	struct records_link *link;		/* borrowed, outlives us */
	struct link_question *question;		/* NULL: none is open */
	record_read_cb *cb;
	void *arg;
	/* owned */
	char *did, *path;
	struct buf last;			/* the path that came last */
	struct buf record;
	bool is_found, came;			/* in the page that is open */
};

static void ask_page(struct record_read *read);

static void
record_read_free(struct record_read *read)
{
	free(read->did);
	free(read->path);
	buf_clear(&read->last);
	buf_clear(&read->record);
	free(read);
}

static void
on_record(const struct msg_record *record, void *arg)
{
	struct record_read *read = arg;

	read->came = true;
	buf_reset(&read->last);
	buf_add_str(&read->last, record->path);
	if (!str_eq(record->path, str_from(read->path)))
		return;
	read->is_found = true;
	buf_add(&read->record, record->record.ptr, record->record.len);
}

static bool
is_behind(const struct record_read *read)
{
	return str_cmp(buf_str(&read->last), str_from(read->path)) >= 0;
}

static void
on_end(const struct msg_refuse *why, void *arg)
{
	struct record_read *read = arg;

	read->question = NULL;
	if (why == NULL && read->came && !read->is_found && !is_behind(read)) {
		ask_page(read);
		return;
	}
	/* A repository that is not there has no records. */
	if (why != NULL && str_eq(why->class, STR("not-found")))
		why = NULL;
	read->cb(read->is_found ? buf_bytes(&read->record) : BYTES_NONE, why, read->arg);
	record_read_free(read);
}

static void
ask_page(struct record_read *read)
{
	struct str path = str_from(read->path);
	const char *slash = memchr(path.ptr, '/', path.len);
	struct records_walk walk = {
		.did = str_from(read->did),
		.collection = { path.ptr, (size_t)(slash - path.ptr) },
		.after_did = str_from(read->did),
		.after_path = buf_str(&read->last),
		.limit = PAGE,
	};

	read->came = false;
	read->question = records_walk(read->link, &walk, on_record, on_end, read);
}

struct record_read *
record_read_start(struct records_link *link, struct str did, struct str path,
    record_read_cb *cb, void *arg)
{
	struct record_read *read = xcalloc(1, sizeof(*read));

	read->link = link;
	read->cb = cb;
	read->arg = arg;
	read->did = xstrndup(did.ptr, did.len);
	read->path = xstrndup(path.ptr, path.len);
	/*
	 * The place before it: the last byte one less and, since keys are ASCII, one
	 * byte behind that which is above all of them.
	 */
	buf_add_str(&read->last, path);
	buf_data(&read->last)[path.len - 1]--;
	buf_add_byte(&read->last, 0x7f);
	ask_page(read);
	return read;
}

void
record_read_cancel(struct record_read **read)
{
	if (*read == NULL)
		return;
	if ((*read)->question != NULL) {
		link_question_cancel(&(*read)->question);
		record_read_free(*read);
	}
	*read = NULL;
}

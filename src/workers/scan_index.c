#include "workers/scan_index.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/mem.h"
#include "workers/host_memory.h"

#define COUNT_ROWS	2000	/* at a time */

struct walk {
	const struct scan_index *index;	/* borrowed */
	struct scan_source *source;	/* borrowed, owns us */
	struct link_question *question;	/* NULL: none under way */
	struct buf cursor;		/* of the last row */
	unsigned rows;
	bool is_over;
};

/* A server that may not be asked has no line of its own; its sync will say so. */
static struct str
origin_of(const struct scan *scan, struct str pds, char text[URL_ORIGIN_SIZE])
{
	if (pds.len == 0 || host_memory_origin(scan_env(scan), pds, text) == -1)
		return STR_NONE;
	return str_from(text);
}

static void
on_repo(const struct msg_repo *repo, void *arg)
{
	struct walk *walk = arg;
	struct scan *scan = scan_source_scan(walk->source);
	char origin[URL_ORIGIN_SIZE];

	if (walk->is_over)
		return;
	switch (walk->index->judge(scan, repo)) {
	case SCAN_INDEX_END:
		walk->is_over = true;
		return;
	case SCAN_INDEX_TAKE:
		scan_source_add(walk->source, &(struct scan_listed){
		    .did = repo->did, .rev = repo->rev, .status = repo->status,
		    .pds = origin_of(scan, repo->pds_url, origin) });
		break;
	case SCAN_INDEX_PASS:
		break;
	}
	walk->rows++;
	buf_reset(&walk->cursor);
	buf_add(&walk->cursor, repo->cursor.ptr, repo->cursor.len);
}

static void
on_end(const struct msg_refuse *why, void *arg)
{
	struct walk *walk = arg;
	struct bytes next = buf_bytes(&walk->cursor);

	walk->question = NULL;
	if (why != NULL) {
		struct buf text = BUF_INIT;

		buf_printf(&text, "the indexer: %.*s%c", STR_FMT(why->text), '\0');
		scan_source_cut(walk->source, "index", (const char *)buf_data(&text));
		buf_clear(&text);
		return;
	}
	if (walk->is_over || walk->rows < SCAN_PAGE_ENTRIES)
		next = BYTES_NONE;
	scan_source_page(walk->source, next);
}

static void
read_index(struct scan_source *source, struct bytes cursor)
{
	struct walk *walk = scan_source_job(source);

	walk->rows = 0;
	walk->question = repos_walk(scan_env(scan_source_scan(source))->records,
	    walk->index->order, cursor, SCAN_PAGE_ENTRIES, on_repo, on_end, walk);
}

static void
take_repo(struct scan_entry *entry)
{
	struct walk *walk = scan_source_job(scan_entry_source(entry));

	scan_entry_order(entry, &walk->index->sync);
}

static void
walk_is_over(struct scan_source *source, bool is_complete BF_UNUSED)
{
	struct walk *walk = scan_source_job(source);

	if (walk->question != NULL)
		link_question_cancel(&walk->question);
	buf_clear(&walk->cursor);
	free(walk);
}

void
scan_index_add(struct scan *scan, const struct scan_index *index, const char *name)
{
	static const struct scan_source_type types[] = {
		[REPOS_BY_ID] = { .stage = "syncing", .moves = true,
		    .read = read_index, .take = take_repo, .over = walk_is_over },
		[REPOS_BY_CHECKED] = { .stage = "checking", .moves = true,
		    .read = read_index, .take = take_repo, .over = walk_is_over },
	};
	struct walk *walk = xcalloc(1, sizeof(*walk));

	walk->index = index;
	walk->source = scan_add_source(scan, &types[index->order], name, walk);
}

/* --- counting --- */

struct index_count {
	struct scan *scan;
	const struct scan_index *index;
	struct link_question *question;
	struct buf cursor;
	unsigned rows;
	uint64_t total;
	bool is_over;
};

static void count_page(struct index_count *count);

static void
on_counted(const struct msg_repo *repo, void *arg)
{
	struct index_count *count = arg;

	count->rows++;
	buf_reset(&count->cursor);
	buf_add(&count->cursor, repo->cursor.ptr, repo->cursor.len);
	if (count->is_over)
		return;
	switch (count->index->judge(count->scan, repo)) {
	case SCAN_INDEX_TAKE:
		count->total++;
		break;
	case SCAN_INDEX_PASS:
		break;
	case SCAN_INDEX_END:
		count->is_over = true;
		break;
	}
}

static void
on_count_end(const struct msg_refuse *why, void *arg)
{
	struct index_count *count = arg;

	count->question = NULL;
	if (why != NULL)
		return;		/* the walk itself will meet it */
	if (count->rows == COUNT_ROWS && !count->is_over)
		count_page(count);
	else
		scan_set_total(count->scan, count->total);
}

static void
count_page(struct index_count *count)
{
	count->rows = 0;
	count->question = repos_walk(scan_env(count->scan)->records,
	    count->index->order, buf_bytes(&count->cursor), COUNT_ROWS, on_counted,
	    on_count_end, count);
}

struct index_count *
index_count_start(struct scan *scan, const struct scan_index *index)
{
	struct index_count *count = xcalloc(1, sizeof(*count));

	count->scan = scan;
	count->index = index;
	count_page(count);
	return count;
}

void
index_count_cancel(struct index_count **count)
{
	if (*count == NULL)
		return;
	if ((*count)->question != NULL)
		link_question_cancel(&(*count)->question);
	buf_clear(&(*count)->cursor);
	free(*count);
	*count = NULL;
}

/*
 * The part of catch-up that fetches whole what the events did not prove: every
 * repository with a mark; of a retry, those that failed then.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/limits.h"
#include "common/mem.h"
#include "rows/desync_row.h"
#include "rows/row_table.h"
#include "workers/catch_up_impl.h"
#include "workers/item_class.h"
#include "workers/sync_pool.h"

#define PAGE_ROWS	64

/* A repository that is handed to the pool. */
struct handed {
	LIST_ENTRY(handed) link;
	char *did;			/* owned */
};

LIST_HEAD(handed_list, handed);

struct catch_up_resync {
	struct catch_up *job;		/* borrowed */
	/* owned */
	struct sync_pool *pool;
	struct link_question *question;
	char **dids;			/* of a page, or of the retry; NULL: handed over */
	size_t n, next, page_rows;
	uint64_t marked;		/* while they are counted */
	struct handed_list handed;	/* owned */
	struct buf last;		/* key of the last row that was read */
	bool is_read;			/* there are no more */
	bool is_resting;		/* for a pause: nothing is under way */
};

static void go_on(struct catch_up_resync *resync);

static void
forget_dids(struct catch_up_resync *resync)
{
	for (size_t i = resync->next; i < resync->n; i++)
		free(resync->dids[i]);
	resync->n = resync->next = 0;
}

static void
add_did(struct catch_up_resync *resync, struct str did)
{
	resync->dids = xrealloc(resync->dids, (resync->n + 1) * sizeof(*resync->dids));
	resync->dids[resync->n++] = xstrndup(did.ptr, did.len);
}

static void
free_handed(struct handed *handed)
{
	LIST_REMOVE(handed, link);
	free(handed->did);
	free(handed);
}

/* --- the outcome of one --- */

static void
on_outcome(struct sync_pool *pool BF_UNUSED, void *item,
    const struct sync_outcome *outcome, void *arg)
{
	struct catch_up_resync *resync = arg;
	struct catch_up *job = resync->job;
	struct handed *handed = item;
	struct str did = str_from(handed->did);

	job->created += outcome->created;
	job->updated += outcome->updated;
	job->deleted += outcome->deleted;
	switch (outcome->result) {
	case SYNC_DONE:
	case SYNC_UNCHANGED:
	case SYNC_INACTIVE:
		job->resynced++;
		job->failed += outcome->progress.failed;
		worker_item_works(job->worker, did);
		catch_up_mark(job, did, NULL);
		break;
	case SYNC_FAILED:
		/* The mark stays, for the next catch-up. */
		job->failed++;
		catch_up_item_failed(job, did, item_class_of(outcome->error_class),
		    outcome->error_text);
		catch_up_mark_failed(job, did, outcome->error_text);
		break;
	}
	job->fetched++;
	free_handed(handed);
	catch_up_tell_progress(job);
	go_on(resync);
}

static void
on_bad_record(struct sync_pool *pool BF_UNUSED, struct str did, struct str path,
    const struct fault *fault, void *arg)
{
	struct catch_up_resync *resync = arg;
	struct buf uri = BUF_INIT;
	char text[FAULT_TEXT_SIZE];

	fault_format(fault, text);
	buf_printf(&uri, "at://%.*s/%.*s", STR_FMT(did), STR_FMT(path));
	catch_up_item_failed(resync->job, buf_str(&uri), fault_kind(fault->code), text);
	buf_clear(&uri);
}

static void
on_note(struct sync_pool *pool BF_UNUSED, struct str did, const char *text, void *arg)
{
	struct catch_up_resync *resync = arg;

	worker_log(resync->job->worker, LOG_LEVEL_INFO, "%.*s: %s", STR_FMT(did), text);
}

/* --- the marks --- */

/* An attempt before has counted it, as failed. */
static bool
was_tried(const struct catch_up *job, struct bytes key, struct bytes value)
{
	struct desync_row row;

	return desync_row_decode(key, value, &row) == 0 && row.failed_by.len > 0 &&
	    str_eq(row.failed_by, worker_assignment(job->worker)->id);
}

static void
on_row(struct bytes key, struct bytes value, void *arg)
{
	struct catch_up_resync *resync = arg;

	resync->page_rows++;
	buf_reset(&resync->last);
	buf_add(&resync->last, key.ptr, key.len);
	if (!was_tried(resync->job, key, value))
		add_did(resync, (struct str){ (const char *)key.ptr, key.len });
}

static void
on_end(const struct msg_refuse *why, void *arg)
{
	struct catch_up_resync *resync = arg;
	char word[64], text[ERR_TEXT_SIZE];

	resync->question = NULL;
	if (why != NULL) {
		(void)str_copy(word, sizeof(word), why->class);
		(void)str_copy(text, sizeof(text), why->text);
		catch_up_fail(resync->job, word, text);
		return;
	}
	resync->is_read = resync->page_rows < PAGE_ROWS;
	go_on(resync);
}

static void
read_page(struct catch_up_resync *resync)
{
	forget_dids(resync);
	resync->page_rows = 0;
	resync->question = rows_read(worker_records(resync->job->worker), ROW_DESYNC,
	    BYTES_NONE, buf_bytes(&resync->last), PAGE_ROWS, on_row, on_end, resync);
}

/* Keep the pool filled; at the end wait until all outcomes are on disk. */
static void
go_on(struct catch_up_resync *resync)
{
	if (resync->job->is_pausing)
		return;
	while (resync->next < resync->n && sync_pool_has_room(resync->pool) &&
	    catch_up_save_has_room(resync->job)) {
		struct handed *handed = xcalloc(1, sizeof(*handed));

		handed->did = resync->dids[resync->next++];
		LIST_INSERT_HEAD(&resync->handed, handed, link);
		sync_pool_add(resync->pool, &(struct sync_pool_order){
			.did = str_from(handed->did), .item = handed,
			/* It may have moved, have another key, or gone back. */
			.wants_fresh_document = true, .accepts_older = true });
	}
	if (resync->next < resync->n || resync->question != NULL)
		return;
	if (!resync->is_read)
		read_page(resync);
	else if (sync_pool_count(resync->pool) == 0)
		catch_up_save_now(resync->job);
}

void
catch_up_resync_go_on(struct catch_up *job)
{
	struct catch_up_resync *resync = job->resync;

	if (resync->is_read && resync->next == resync->n &&
	    sync_pool_count(resync->pool) == 0 && job->save.n == 0)
		catch_up_enter(job, CATCH_UP_OVER);
	else
		go_on(resync);
}

/* --- how many there are --- */

static void
on_marked(struct bytes key, struct bytes value, void *arg)
{
	struct catch_up_resync *resync = arg;

	resync->marked += !was_tried(resync->job, key, value);
}

static void
on_counted(const struct msg_refuse *why, void *arg)
{
	struct catch_up_resync *resync = arg;

	if (why != NULL) {
		on_end(why, resync);
		return;
	}
	resync->question = NULL;
	resync->job->marked = resync->marked;
	catch_up_tell_progress(resync->job);
	go_on(resync);
}

/* --- a pause --- */

static void
on_rest(void *arg)
{
	struct catch_up_resync *resync = arg;

	resync->is_resting = true;
	catch_up_save_now(resync->job);
}

void
catch_up_resync_pause(struct catch_up *job)
{
	sync_pool_rest(job->resync->pool, on_rest, job->resync);
}

bool
catch_up_resync_is_resting(const struct catch_up *job)
{
	return job->resync != NULL && job->resync->is_resting;
}

void
catch_up_resync_start(struct catch_up *job)
{
	static const struct sync_pool_events events = {
		.on_outcome = on_outcome, .on_bad_record = on_bad_record,
		.on_note = on_note,
	};
	const struct worker_assignment *given = worker_assignment(job->worker);
	struct catch_up_resync *resync = xcalloc(1, sizeof(*resync));
	const struct str *items;
	size_t count;

	job->resync = resync;
	resync->job = job;
	resync->pool = sync_pool_new(&job->env, given->spill_fds, given->spill_count,
	    &events, resync);
	if (worker_retry_items(job->worker, &items, &count)) {
		for (size_t i = 0; i < count; i++)
			add_did(resync, items[i]);
		resync->is_read = true;
		job->marked = count;
		go_on(resync);
		return;
	}
	/* All of them at first, for the total: keys and reasons, which are short. */
	resync->question = rows_read(worker_records(job->worker), ROW_DESYNC, BYTES_NONE,
	    BYTES_NONE, 0, on_marked, on_counted, resync);
}

void
catch_up_resync_free(struct catch_up_resync **resync)
{
	struct handed *handed;

	if (*resync == NULL)
		return;
	link_question_cancel(&(*resync)->question);
	sync_pool_free(&(*resync)->pool);
	while ((handed = LIST_FIRST(&(*resync)->handed)) != NULL)
		free_handed(handed);
	forget_dids(*resync);
	free((*resync)->dids);
	buf_clear(&(*resync)->last);
	free(*resync);
	*resync = NULL;
}

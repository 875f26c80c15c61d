/*
 * citation-extraction - what eprints cite, and which of it is in the index.
 *
 *	checking     pdftotext and its sandbox, unless GROBID is used
 *	reading      all eprints of the index, to match with
 *	extracting   the eprints that are wanted (citation_job.h): one, or those of a
 *	             retry, or all in the order of the index
 *	sweeping     after all: citations of eprints that are gone
 *
 * The checkpoint is the last eprint of which it and all before it are acked
 * (citation_queue.h).  An attempt that goes on from it meets those behind it that were
 * done, too, and finds them unchanged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/aturi.h"
#include "atproto/did.h"
#include "citation/match.h"
#include "common/buf.h"
#include "common/mem.h"
#include "confine/confine.h"
#include "pdftext/pdftext.h"
#include "workers/citation_env.h"
#include "workers/citation_queue.h"
#include "workers/citation_table.h"
#include "workers/net_worker.h"
#include "workers/pdf_run.h"
#include "workers/room.h"
#include "workers/rows_link.h"

struct extraction {
	struct worker *worker;		/* borrowed, outlives us */
	struct citation_env env;
	bool has_env;
	const char *stage;

	/* What is under way; NULL: not that.  Owned. */
	struct pdf_run *check;
	struct citation_table *reading;
	struct link_question *page, *tally;
	struct citation_sweep *sweep;
	struct match_table *table;
	struct citation_queue *queue;

	/* What is wanted: items, or all if there are none. */
	const struct str *items;
	size_t items_count, items_next;
	struct buf last_did, last_path;	/* of all: the last that was begun */
	uint64_t in_page;
	bool list_is_over, is_pausing;

	uint64_t processed, total, failed, bytes, created, updated, deleted;
	struct citation_outcome last_failure;
};

static void pump(struct extraction *job);

static bool
wants_all(const struct extraction *job)
{
	return job->items == NULL;
}

static void
tell_progress(struct extraction *job)
{
	worker_progress(job->worker, &(struct msg_progress){
		.stage = str_from(job->stage), .processed = job->processed,
		.total = job->total, .failed = job->failed, .bytes = job->bytes,
	});
}

/* --- the checkpoint: "1 PROCESSED FAILED CREATED UPDATED DELETED DID PATH" --- */

static void
send_checkpoint(struct extraction *job, struct str did, struct str path)
{
	struct buf text = BUF_INIT;

	buf_printf(&text, "1 %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	    " %.*s %.*s", job->processed, job->failed, job->created, job->updated,
	    job->deleted, STR_FMT(did), STR_FMT(path));
	worker_checkpoint(job->worker, &(struct msg_checkpoint){
		.data = buf_bytes(&text), .processed = job->processed,
		.created = job->created, .updated = job->updated, .deleted = job->deleted,
	});
	buf_clear(&text);
}

static void
read_checkpoint(struct extraction *job, struct bytes from)
{
	char *text = xstrndup((const char *)from.ptr, from.len);
	int at = 0;
	char *blank;

	if (from.len > 0 && sscanf(text, "1 %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
	    " %" SCNu64 " %n", &job->processed, &job->failed, &job->created, &job->updated,
	    &job->deleted, &at) == 5 && (blank = strchr(text + at, ' ')) != NULL) {
		buf_add(&job->last_did, text + at, (size_t)(blank - text - at));
		buf_add_str(&job->last_path, str_from(blank + 1));
		job->items_next = job->processed;
	}
	free(text);
}

/* --- the end --- */

static void
on_tally(const struct msg_ack *tally, const struct msg_refuse *why BF_UNUSED, void *arg)
{
	struct extraction *job = arg;

	job->tally = NULL;
	/* Exact, whatever died in between; our own sum is the next best. */
	if (tally != NULL) {
		job->created = tally->created;
		job->updated = tally->updated;
		job->deleted = tally->deleted;
	}
	worker_done(job->worker, &(struct msg_done){
		.processed = job->processed, .total = job->processed,
		.failed = job->failed, .bytes = job->bytes, .created = job->created,
		.updated = job->updated, .deleted = job->deleted,
	});
}

/* What was learned of servers is kept for the next operation. */
static void
on_notes_written(const char *why, void *arg)
{
	struct extraction *job = arg;

	if (why != NULL)
		worker_log(job->worker, LOG_LEVEL_WARN, "notes were not written: %s", why);
	job->tally = records_tally(job->env.net.records, on_tally, job);
}

static void
finish(struct extraction *job)
{
	const struct citation_outcome *last = &job->last_failure;

	if (job->failed > 0 && job->failed == job->processed) {
		const char *class = job->failed == 1 && last->error_class[0] != '\0' ?
		    last->error_class : "all-failed";

		worker_fail(job->worker, class, "none of the %" PRIu64 " eprints could be "
		    "done; the last one: %s: %s", job->failed, last->error_class,
		    last->error_text);
		return;
	}
	sync_env_write(&job->env.net, on_notes_written, job);
}

static void
on_sweep(uint64_t swept, const char *class, const char *text, void *arg)
{
	struct extraction *job = arg;

	job->sweep = NULL;
	if (class != NULL) {
		worker_fail(job->worker, class, "sweeping: %s", text);
		return;
	}
	if (swept > 0)
		worker_log(job->worker, LOG_LEVEL_INFO, "the citations of %" PRIu64
		    " eprints that are gone are deleted", swept);
	finish(job);
}

static void
end_of_list(struct extraction *job)
{
	if (!wants_all(job)) {
		finish(job);
		return;
	}
	job->stage = "sweeping";
	tell_progress(job);
	job->sweep = citation_sweep_start(&job->env, on_sweep, job);
}

/* --- eprint after eprint --- */

static void
on_ended(struct str did, struct str path, const struct citation_outcome *outcome,
    void *arg)
{
	struct extraction *job = arg;
	struct buf item = BUF_INIT;

	job->processed++;
	job->bytes += outcome->bytes;
	job->created += outcome->created;
	job->updated += outcome->updated;
	job->deleted += outcome->deleted;
	buf_printf(&item, "%s%.*s%s%.*s", did.len > 0 ? "at://" : "", STR_FMT(did),
	    did.len > 0 ? "/" : "", STR_FMT(path));
	if (outcome->error_class[0] != '\0') {
		job->failed++;
		job->last_failure = *outcome;
		worker_item_failed(job->worker, buf_str(&item), outcome->error_class,
		    outcome->error_text);
	} else {
		worker_item_works(job->worker, buf_str(&item));
	}
	buf_clear(&item);
	/* An item without a DID is no place in the index; those of a list are counted. */
	send_checkpoint(job, did.len > 0 ? did : STR("-"), did.len > 0 ? path : STR("-"));
	tell_progress(job);
	pump(job);
}

static void
on_record(const struct msg_record *record, void *arg)
{
	struct extraction *job = arg;

	job->in_page++;
	buf_reset(&job->last_did);
	buf_add_str(&job->last_did, record->did);
	buf_reset(&job->last_path);
	buf_add_str(&job->last_path, record->path);
	citation_queue_add(job->queue, record->did, record->path, record->record);
}

static void
on_page_end(const struct msg_refuse *why, void *arg)
{
	struct extraction *job = arg;

	job->page = NULL;
	if (why != NULL) {
		worker_fail(job->worker, "index", "%.*s: %.*s", STR_FMT(why->class),
		    STR_FMT(why->text));
		return;
	}
	job->list_is_over = job->in_page == 0;
	pump(job);
}

static void
ask_page(struct extraction *job)
{
	struct records_walk walk = {
		.collection = job->env.collection,
		.after_did = buf_str(&job->last_did),
		.after_path = buf_str(&job->last_path),
		.limit = citation_queue_room(job->queue),
	};

	job->in_page = 0;
	job->page = records_walk(job->env.net.records, &walk, on_record, on_page_end, job);
}

static void
add_item(struct extraction *job, struct str item)
{
	struct aturi uri;

	if (aturi_parse(item, &uri) == -1 || !did_is_atproto(uri.authority) ||
	    uri.rkey.len == 0 || !str_eq(uri.collection, job->env.collection)) {
		citation_queue_add_failed(job->queue, item, "invalid",
		    "this is not the URI, with a DID, of an eprint");
		return;
	}
	citation_queue_add(job->queue, uri.authority, (struct str){ uri.collection.ptr,
	    uri.collection.len + 1 + uri.rkey.len }, BYTES_NONE);
}

static void
pump(struct extraction *job)
{
	if (job->page != NULL)
		return;
	if (job->is_pausing) {
		if (citation_queue_is_empty(job->queue))
			worker_paused(job->worker);
		return;
	}
	while (!wants_all(job) && job->items_next < job->items_count &&
	    citation_queue_room(job->queue) > 0)
		add_item(job, job->items[job->items_next++]);
	if (!wants_all(job))
		job->list_is_over = job->items_next >= job->items_count;
	else if (!job->list_is_over && citation_queue_room(job->queue) > 0)
		ask_page(job);
	if (job->list_is_over && citation_queue_is_empty(job->queue))
		end_of_list(job);
}

/* --- before them --- */

static void
on_table(struct match_table *table, const char *class, const char *text, void *arg)
{
	struct extraction *job = arg;

	job->reading = NULL;
	if (table == NULL) {
		worker_fail(job->worker, class, "reading the index: %s", text);
		return;
	}
	job->table = table;
	job->env.table = table;
	job->total = wants_all(job) ? match_count(table) : job->items_count;
	job->stage = "extracting";
	job->queue = citation_queue_new(&job->env,
	    (unsigned)job->env.net.settings->citation_concurrency, on_ended, job);
	tell_progress(job);
	pump(job);
}

static void
read_index(struct extraction *job)
{
	job->stage = "reading the index";
	tell_progress(job);
	job->reading = citation_table_start(&job->env, on_table, job);
}

/* Two lines: how it is locked up, and which pdftotext. */
static void
on_check(const struct pdf_run_result *result, void *arg)
{
	struct extraction *job = arg;
	struct str sandbox = result->text, version;
	const char *end;

	job->check = NULL;
	if (result->error_class != NULL) {
		worker_fail(job->worker, result->error_class, "%s: %s; install poppler-utils, "
		    "or set pdftotext or grobid_url", job->env.net.settings->pdftotext,
		    result->error_text);
		return;
	}
	end = memchr(sandbox.ptr, '\n', sandbox.len);
	version = sandbox;
	if (end != NULL) {
		sandbox.len = (size_t)(end - sandbox.ptr);
		version = (struct str){ end + 1, version.len - sandbox.len - 1 };
	}
	end = version.len > 0 ? memchr(version.ptr, '\n', version.len) : NULL;
	if (end != NULL)
		version.len = (size_t)(end - version.ptr);
	(void)str_copy(job->env.version, sizeof(job->env.version), version);
	worker_log(job->worker, memmem(sandbox.ptr, sandbox.len, " not ", 5) != NULL ?
	    LOG_LEVEL_WARN : LOG_LEVEL_INFO, "%s; its sandbox: %.*s", job->env.version,
	    STR_FMT(sandbox));
	read_index(job);
}

/* What earlier operations learned of servers is known, or cannot be read, which hurts
 * nobody but them. */
static void
on_remembered(const char *why, void *arg)
{
	struct extraction *job = arg;

	if (why != NULL)
		worker_log(job->worker, LOG_LEVEL_WARN, "what is known of servers cannot be "
		    "read: %s", why);
	if (job->env.grobid != NULL) {
		read_index(job);
		return;
	}
	job->check = pdf_run_start(job->env.net.loop, &(struct pdf_run_options){
		.helper = job->env.helper,
		.tool = job->env.net.settings->pdftotext,
		.is_check = true, .pdf_fd = -1,
	}, on_check, job);
}

/* --- the type --- */

static void *
start(struct worker *worker)
{
	const struct worker_assignment *given = worker_assignment(worker);
	struct extraction *job = xcalloc(1, sizeof(*job));
	struct err err;

	job->worker = worker;
	job->stage = "checking";
	if (!worker_retry_items(worker, &job->items, &job->items_count) &&
	    given->uri.len > 0) {
		job->items = &given->uri;
		job->items_count = 1;
	}
	if (citation_env_init(&job->env, worker, &err) == -1) {
		worker_fail(worker, "setting", "%s", err.text);
		return job;
	}
	job->has_env = true;
	read_checkpoint(job, given->checkpoint);
	sync_env_remember(&job->env.net, on_remembered, job);
	return job;
}

static void
pause_job(void *arg)
{
	struct extraction *job = arg;

	job->is_pausing = true;
	job->env.is_pausing = true;
	/* What comes before the eprints is done again, quickly; so is what waits for room
	 * on the disk. */
	if (job->queue != NULL && !job->env.net.room->is_lacking)
		pump(job);
	else
		worker_paused(job->worker);
}

static void
end(void *arg)
{
	struct extraction *job = arg;

	pdf_run_cancel(&job->check);
	citation_table_cancel(&job->reading);
	if (job->page != NULL)
		link_question_cancel(&job->page);
	if (job->tally != NULL)
		link_question_cancel(&job->tally);
	citation_sweep_cancel(&job->sweep);
	citation_queue_free(&job->queue);
	match_table_free(&job->table);
	buf_clear(&job->last_did);
	buf_clear(&job->last_path);
	if (job->has_env)
		citation_env_clear(&job->env);
	free(job);
}

/* pdf-text, what it runs, and what both are linked with. */
static void
keep_helper(struct confine *confine, const struct settings *settings)
{
	static char helper[4096];

	(void)snprintf(helper, sizeof(helper), "%s/" PDFTEXT_PROGRAM,
	    settings->libexec_dir);
	confine_init(confine, CONFINE_CONNECT | CONFINE_HELPER);
	confine_add(confine, helper, SANDBOX_READ | SANDBOX_EXECUTE);
	confine_add(confine, settings->pdftotext, SANDBOX_READ | SANDBOX_EXECUTE);
	confine_add(confine, "/lib", SANDBOX_READ | SANDBOX_EXECUTE);
	confine_add(confine, "/lib64", SANDBOX_READ | SANDBOX_EXECUTE);
	confine_add(confine, "/usr/lib", SANDBOX_READ | SANDBOX_EXECUTE);
	confine_add(confine, "/usr/lib64", SANDBOX_READ | SANDBOX_EXECUTE);
	confine_add(confine, "/usr/share/poppler", SANDBOX_READ);
}

int
main(void)
{
	static const struct worker_type type = {
		.name = "citation-extraction", .start = start, .end = end,
		.pause = pause_job, .confine = keep_helper,
	};

	return net_worker_main(&type);
}

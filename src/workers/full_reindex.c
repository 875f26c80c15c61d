/*
 * full-reindex - a new search index from all that is indexed.
 *
 *	open the sink -> count -> (a page of records -> commit)* -> finish -> done
 *
 * The walk goes through the collections of search_mapping one by one, each in the
 * order of (repository, path), in pages of batchSize.  How far it came is kept
 * by the sink, in the transaction of the documents, so an attempt that was killed
 * goes on exactly there; `processed` is the number of records looked at.
 *
 * A record that cannot be made a document is an item.  If there are any in the
 * end, the index that is searched stays, unless search_allow_failed says that the
 * new one is good enough.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fdutil.h"
#include "common/mem.h"
#include "confine/confine.h"
#include "fetch/search_server.h"
#include "search/mapping.h"
#include "workers/net_worker.h"
#include "workers/reindex_sink.h"
#include "workers/rows_link.h"

#define BATCH_SIZE	1000	/* where the trigger says none */

struct full_reindex {
	struct worker *worker;		/* borrowed, outlives us */
	const struct reindex_sink_kind *kind;

	/* owned */
	struct mapping *mapping;
	struct reindex_sink *sink;
	struct search_document document;
	struct link_question *question;	/* NULL: none is under way */
	struct buf did, path;		/* the last record looked at */

	size_t row;			/* of the mapping: what is walked */
	size_t counted;			/* rows whose records are in total */
	uint64_t documents, failed, total;
	uint64_t in_page;		/* records of the present one */
	bool is_open;			/* the sink has told its position */
	bool is_pausing, is_waiting;	/* for a server, with a page to be committed */
	bool is_useless;		/* the new index is not taken */
};

static uint64_t
batch_size(const struct full_reindex *job)
{
	uint64_t asked = worker_assignment(job->worker)->batch_size;
	uint64_t size = asked > 0 ? asked : BATCH_SIZE;

	return job->kind->page_max > 0 && size > job->kind->page_max ?
	    job->kind->page_max : size;
}

static void
tell_progress(struct full_reindex *job, const char *stage)
{
	worker_progress(job->worker, &(struct msg_progress){
		.stage = str_from(stage),
		.processed = job->documents + job->failed,
		.total = job->counted == mapping_count(job->mapping) ? job->total : 0,
		.failed = job->failed,
	});
}

/* Where to go on is in the sink; this says that there is something to go on with. */
static void
tell_checkpoint(struct full_reindex *job)
{
	worker_checkpoint(job->worker, &(struct msg_checkpoint){
		.data = { (const uint8_t *)"in the index", strlen("in the index") },
		.processed = job->documents + job->failed,
		.created = job->documents,
	});
}

static void
refused(struct full_reindex *job, const struct msg_refuse *why)
{
	char *class = xstrndup(why->class.ptr, why->class.len);

	job->is_useless = true;
	worker_fail(job->worker, class, "%.*s", STR_FMT(why->text));
	free(class);
}

static void
item_failed(struct full_reindex *job, struct str uri, const char *class,
    const char *text)
{
	job->failed++;
	worker_item_failed(job->worker, uri, class, text);
}

/* --- the end --- */

static void
finish(struct full_reindex *job)
{
	const struct settings *settings = worker_settings(job->worker);

	if (job->failed > 0 && !settings->search_allow_failed) {
		job->is_useless = true;
		worker_fail(job->worker, "documents-failed", "%" PRIu64 " of %" PRIu64
		    " records could not be indexed; the index that is searched stays as "
		    "it was (search_allow_failed would switch)", job->failed,
		    job->documents + job->failed);
		return;
	}
	tell_progress(job, "merging");
	job->kind->finish(job->sink);
}

static void
on_finished(void *arg)
{
	struct full_reindex *job = arg;

	worker_log(job->worker, LOG_LEVEL_INFO, "%" PRIu64 " documents can be searched",
	    job->documents);
	worker_done(job->worker, &(struct msg_done){
		.processed = job->documents + job->failed,
		.total = job->documents + job->failed,
		.failed = job->failed,
		.created = job->documents,
	});
}

/* --- the walk --- */

static void walk_page(struct full_reindex *job);

static void
set_buf(struct buf *to, struct str from)
{
	buf_reset(to);
	buf_add_str(to, from);
}

static void
on_record(const struct msg_record *record, void *arg)
{
	struct full_reindex *job = arg;
	struct fault fault = FAULT_INIT;
	char text[FAULT_TEXT_SIZE];

	job->in_page++;
	set_buf(&job->did, record->did);
	set_buf(&job->path, record->path);
	if (search_document_fill(&job->document, mapping_row(job->mapping, job->row),
	    record->did, record->path, record->cid, record->record, &fault) == 0) {
		job->documents++;
		worker_item_works(job->worker, buf_str(&job->document.uri));
		job->kind->add(job->sink, &job->document);
		return;
	}
	fault_format(&fault, text);
	buf_reset(&job->document.uri);
	buf_printf(&job->document.uri, "at://%.*s/%.*s", STR_FMT(record->did),
	    STR_FMT(record->path));
	item_failed(job, buf_str(&job->document.uri), "invalid", text);
}

/* The next collection, from its start. */
static void
walk_next_row(struct full_reindex *job)
{
	buf_reset(&job->did);
	buf_reset(&job->path);
	job->row++;
	walk_page(job);
}

static void
on_page_end(const struct msg_refuse *why, void *arg)
{
	struct full_reindex *job = arg;

	job->question = NULL;
	if (why != NULL)
		refused(job, why);
	else if (job->in_page == 0)
		walk_next_row(job);
	else
		job->kind->commit(job->sink, &(struct index_position){
			.did = buf_str(&job->did), .path = buf_str(&job->path),
			.documents = job->documents, .failed = job->failed,
		});
}

static void
walk_page(struct full_reindex *job)
{
	if (job->row == mapping_count(job->mapping)) {
		finish(job);
		return;
	}
	job->in_page = 0;
	job->question = records_walk(worker_records(job->worker), &(struct records_walk){
		.collection = mapping_row(job->mapping, job->row)->collection,
		.after_did = buf_str(&job->did),
		.after_path = buf_str(&job->path),
		.limit = batch_size(job),
	}, on_record, on_page_end, job);
}

/* --- counting --- */

static void
on_count(const struct msg_counted *count, const struct msg_refuse *why, void *arg)
{
	struct full_reindex *job = arg;

	job->question = NULL;
	if (why != NULL) {
		refused(job, why);
		return;
	}
	job->total += count->records;
	if (++job->counted < mapping_count(job->mapping)) {
		job->question = records_count(worker_records(job->worker),
		    mapping_row(job->mapping, job->counted)->collection, on_count, job);
		return;
	}
	tell_progress(job, "indexing");
	walk_page(job);
}

/* Where an earlier attempt has come to: the collection is in the path. */
static void
take_position(struct full_reindex *job)
{
	struct index_position position = job->kind->position(job->sink);
	const char *slash = position.path.len > 0 ?
	    memchr(position.path.ptr, '/', position.path.len) : NULL;

	job->documents = position.documents;
	job->failed = position.failed;
	if (slash == NULL)
		return;
	set_buf(&job->did, position.did);
	set_buf(&job->path, position.path);
	while (job->row < mapping_count(job->mapping) - 1 &&
	    !str_eq(mapping_row(job->mapping, job->row)->collection,
	    (struct str){ position.path.ptr, (size_t)(slash - position.path.ptr) }))
		job->row++;
}

/* --- the sink --- */

static void
on_ready(void *arg)
{
	struct full_reindex *job = arg;

	if (!job->is_open) {
		job->is_open = true;
		take_position(job);
		tell_progress(job, "counting");
		job->question = records_count(worker_records(job->worker),
		    mapping_row(job->mapping, 0)->collection, on_count, job);
		return;
	}
	job->is_waiting = false;
	tell_checkpoint(job);
	tell_progress(job, "indexing");
	if (job->is_pausing)
		worker_paused(job->worker);
	else
		walk_page(job);
}

static void
on_document_failed(struct str uri, const char *class, const char *text, void *arg)
{
	struct full_reindex *job = arg;

	job->documents--;
	item_failed(job, uri, class, text);
}

static void
on_waiting(void *arg)
{
	struct full_reindex *job = arg;

	job->is_waiting = true;
	if (job->is_pausing)
		worker_paused(job->worker);
}

static void
on_failed(const char *class, const char *text, void *arg)
{
	struct full_reindex *job = arg;

	/* What is left of it would keep a disk full that was. */
	job->is_useless = true;
	worker_fail(job->worker, class, "%s", text);
}

static const struct reindex_events events = {
	.on_ready = on_ready,
	.on_finished = on_finished,
	.on_document_failed = on_document_failed,
	.on_waiting = on_waiting,
	.on_failed = on_failed,
};

/* --- the type --- */

static void *
start(struct worker *worker)
{
	const struct settings *settings = worker_settings(worker);
	struct full_reindex *job = xcalloc(1, sizeof(*job));
	bool has_server = settings->opensearch_url[0] != '\0';
	struct err err;

	job->worker = worker;
	job->document = SEARCH_DOCUMENT_INIT;
	job->kind = has_server ? &reindex_server : &reindex_file;
	if (mapping_parse(str_from(settings->search_mapping), &job->mapping, &err) == -1)
		worker_fail(worker, "setting", "%s", err.text);
	else if (has_server && !search_server_name_is_valid(settings->opensearch_index))
		worker_fail(worker, "setting", "opensearch_index: \"%s\" is no name of "
		    "an index: lower case letters, digits and _ - .",
		    settings->opensearch_index);
	else
		job->sink = job->kind->open(worker, &events, job);
	return job;
}

/* The pages are short: the one under way is committed first, unless a server has it wait;
 * then it is sent again by the next attempt. */
static void
pause_job(void *arg)
{
	struct full_reindex *job = arg;

	job->is_pausing = true;
	if (job->is_waiting)
		worker_paused(job->worker);
}

static void
end(void *arg)
{
	struct full_reindex *job = arg;

	link_question_cancel(&job->question);
	if (job->sink != NULL)
		job->kind->free(&job->sink, job->is_useless);
	mapping_free(&job->mapping);
	search_document_clear(&job->document);
	buf_clear(&job->did);
	buf_clear(&job->path);
	free(job);
}

/* The index that it makes, or the server that has one. */
static void
keep_index(struct confine *confine, const struct settings *settings)
{
	static char dir[4096];
	bool is_file = *settings->opensearch_url == '\0';
	struct err err;

	confine_init(confine, is_file ? CONFINE_WRITE : CONFINE_CONNECT);
	if (!is_file)
		return;
	/* A path has to be there to be allowed; why it is not, is told once it is opened. */
	(void)snprintf(dir, sizeof(dir), "%s/search", settings->state_dir);
	if (dir_make(dir, SEARCH_DIR_MODE, &err) == 0)
		confine_add(confine, dir, SANDBOX_READ | SANDBOX_WRITE);
}

int
main(void)
{
	static const struct worker_type type = {
		.name = "full-reindex", .start = start, .end = end, .pause = pause_job,
		.confine = keep_index,
	};

	return net_worker_main(&type);
}

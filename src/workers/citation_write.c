/*
 * citation_write.c - an eprint's citations in the index: what was there, and what shall
 * be there.
 *
 * Rows are put one over the other and what is left of a longer list is deleted, so that
 * the indexer's count is of what really changed.
 */
#include "workers/citation_job_impl.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "rows/citation_row.h"
#include "rows/extraction_row.h"
#include "rows/row_table.h"
#include "workers/room.h"

static struct bytes
as_bytes(struct str text)
{
	return (struct bytes){ (const uint8_t *)text.ptr, text.len };
}

/* --- what was there --- */

static void
take_row(struct citation_job *job, const struct citation_row *row)
{
	struct work *work = works_add(&job->works, (enum citation_source)row->source);
	struct citation_found *before;

	if (work == NULL)
		return;
	work_set(work, WORK_RAW, row->raw);
	work_set(work, WORK_TITLE, row->title);
	work_set(work, WORK_AUTHORS, row->authors);
	work_set(work, WORK_VENUE, row->venue);
	work_set(work, WORK_VOLUME, row->volume);
	work_set(work, WORK_ISSUE, row->issue);
	work_set(work, WORK_PAGES, row->pages);
	work_set(work, WORK_DOI, row->doi);
	work_set(work, WORK_ARXIV, row->arxiv);
	work->year = (unsigned)row->year;

	job->before = xrealloc(job->before,
	    (job->before_size + 1) * sizeof(*job->before));
	before = &job->before[job->before_size++];
	before->method = (enum citation_method)row->method;
	before->uri = row->matched_uri.len > 0 ?
	    xstrndup(row->matched_uri.ptr, row->matched_uri.len) : NULL;
}

static void
on_citation(struct bytes key, struct bytes value, void *arg)
{
	struct citation_row row;

	if (citation_row_decode(key, value, &row) == 0)
		take_row(arg, &row);
}

static void
on_citations_end(const struct msg_refuse *why, void *arg)
{
	struct citation_job *job = arg;

	job->question = NULL;
	if (why != NULL) {
		citation_refused(job, why->class, why->text);
	} else if (job->works.count != job->before_count) {
		/* Some are damaged: all are made anew. */
		job->is_rematch = false;
		works_clear(&job->works);
		citation_go(job, CITATION_LOCATING);
	} else {
		citation_go(job, CITATION_MATCHING);
	}
}

static void
on_extraction(struct bytes key, struct bytes value, void *arg)
{
	struct citation_job *job = arg;
	struct extraction_row row;

	if (extraction_row_decode(key, value, &row) == -1)
		return;
	job->has_before = true;
	job->before_count = row.citations;
	if (memcmp(row.document.ptr, job->eprint.document.bytes, CID_BYTES) != 0)
		return;
	job->is_rematch = str_eq(row.tools, str_from(job->env->tools));
	job->was_by_grobid = str_starts_with(row.tools, STR("grobid"));
}

static void
on_extraction_end(const struct msg_refuse *why, void *arg)
{
	struct citation_job *job = arg;
	struct buf prefix = BUF_INIT;

	job->question = NULL;
	if (why != NULL) {
		citation_refused(job, why->class, why->text);
	} else if (!job->is_rematch) {
		citation_go(job, CITATION_LOCATING);
	} else {
		citation_row_prefix(&prefix, str_from(job->uri));
		job->question = rows_read(job->env->net.records, ROW_CITATION,
		    buf_bytes(&prefix), BYTES_NONE, LIMIT_CITATIONS, on_citation,
		    on_citations_end, job);
		buf_clear(&prefix);
	}
}

void
citation_compare(struct citation_job *job)
{
	job->question = rows_get(job->env->net.records, ROW_EXTRACTION,
	    as_bytes(str_from(job->uri)), on_extraction, on_extraction_end, job);
}

/* --- what shall be there --- */

static bool
matches_are_as_before(const struct citation_job *job)
{
	for (size_t i = 0; i < job->works.count; i++) {
		const struct citation_found *now = &job->found[i], *then = &job->before[i];

		if (now->method != then->method ||
		    !str_eq(str_from(now->uri), str_from(then->uri)))
			return false;
	}
	return true;
}

static void
put_citation(struct citation_job *job, size_t place)
{
	const struct work *work = &job->works.list[place];
	const struct citation_found *found = &job->found[place];
	struct citation_row row = {
		.raw = work_text(work, WORK_RAW),
		.title = work_text(work, WORK_TITLE),
		.authors = work_text(work, WORK_AUTHORS),
		.venue = work_text(work, WORK_VENUE),
		.volume = work_text(work, WORK_VOLUME),
		.issue = work_text(work, WORK_ISSUE),
		.pages = work_text(work, WORK_PAGES),
		.doi = work_text(work, WORK_DOI),
		.arxiv = work_text(work, WORK_ARXIV),
		.year = work->year,
		.source = work->source,
		.matched_uri = str_from(found->uri),
		.method = found->method,
	};
	struct buf key = BUF_INIT, value = BUF_INIT;

	citation_row_key(&key, str_from(job->uri), (uint32_t)place);
	citation_row_encode(&value, &row);
	rows_put(job->batch, ROW_CITATION, buf_bytes(&key), buf_bytes(&value));
	buf_clear(&key);
	buf_clear(&value);
}

static void
delete_citation(struct citation_job *job, size_t place)
{
	struct buf key = BUF_INIT;

	citation_row_key(&key, str_from(job->uri), (uint32_t)place);
	rows_delete(job->batch, ROW_CITATION, buf_bytes(&key));
	buf_clear(&key);
}

static void
put_extraction(struct citation_job *job)
{
	char tools[CITATION_TOOLS_SIZE];
	struct buf value = BUF_INIT;
	struct extraction_row row = {
		.document = { job->eprint.document.bytes, CID_BYTES },
		.version = str_from(job->env->version),
		.at_ms = (uint64_t)clock_wall_ms(),
		.citations = job->works.count,
	};

	if (job->is_rematch)
		(void)str_copy(tools, sizeof(tools), str_from(job->env->tools));
	else
		citation_env_name_tools(job->tools, tools);
	row.tools = str_from(tools);
	for (size_t i = 0; i < job->works.count; i++)
		row.matched += job->found[i].method != CITATION_UNMATCHED;
	extraction_row_encode(&value, &row);
	rows_put(job->batch, ROW_EXTRACTION, as_bytes(str_from(job->uri)),
	    buf_bytes(&value));
	buf_clear(&value);
}

static void
send_rows(struct citation_job *job)
{
	while (job->put < job->works.count || job->put < job->before_count) {
		if (!rows_has_room(job->batch))
			return;		/* on_room() goes on */
		if (job->put < job->works.count)
			put_citation(job, job->put);
		else
			delete_citation(job, job->put);
		job->put++;
	}
	put_extraction(job);
	rows_commit_counted(job->batch);
}

static void
on_room(void *arg)
{
	send_rows(arg);
}

static void
on_ack(const struct msg_ack *ack, void *arg)
{
	struct citation_job *job = arg;

	job->batch = NULL;
	citation_env_has_room(job->env);
	job->outcome.created = ack->created;
	job->outcome.updated = ack->updated;
	job->outcome.deleted = ack->deleted;
	citation_end(job);
}

static void
on_refuse(struct str class, struct str text, void *arg)
{
	struct citation_job *job = arg;

	job->batch = NULL;
	if (room_is_refusal(class)) {
		job->put = 0;
		citation_go_in(job, CITATION_WRITING,
		    citation_env_lacks_room(job->env, text));
	} else {
		citation_refused(job, class, text);
	}
}

void
citation_write(struct citation_job *job)
{
	static const struct rows_batch_events events = { on_ack, on_refuse, on_room };
	struct buf prefix = BUF_INIT;

	if (job->is_rematch && matches_are_as_before(job)) {
		job->outcome.is_unchanged = true;
		citation_end(job);
		return;
	}
	job->batch = rows_batch_new(job->env->net.records, &events, job);
	if (!job->has_before) {
		/* Nothing is known of what may be there. */
		citation_row_prefix(&prefix, str_from(job->uri));
		rows_clear(job->batch, ROW_CITATION, buf_bytes(&prefix));
		buf_clear(&prefix);
	}
	send_rows(job);
}

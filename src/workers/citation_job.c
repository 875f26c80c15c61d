#include "workers/citation_job_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/fdutil.h"
#include "common/mem.h"

static void (*const steps[])(struct citation_job *job) = {
#define X(name, begin) [CITATION_##name] = begin,
	CITATION_STEPS(X)
#undef X
};

static void
stop_all(struct citation_job *job)
{
	record_read_cancel(&job->read);
	if (job->question != NULL)
		link_question_cancel(&job->question);
	identity_cancel(&job->identity);
	get_blob_cancel(&job->blob);
	pdf_run_cancel(&job->pdf);
	grobid_cancel(&job->grobid);
	scholar_cancel(&job->scholar);
	crossref_cancel(&job->crossref);
	citation_match_cancel(&job->match);
	rows_abort(&job->batch);
	ev_timer_stop(job->env->net.loop, &job->soon);
}

static void
job_free(struct citation_job *job)
{
	stop_all(job);
	tei_free(&job->tei);
	fd_close(&job->pdf_fd);
	citation_found_free(&job->found, job->works.count);
	citation_found_free(&job->before, job->before_size);
	works_clear(&job->works);
	buf_clear(&job->record);
	buf_clear(&job->title_hashes);
	free(job->did);
	free(job->path);
	free(job->uri);
	free(job->pds);
	free(job);
}

struct str
citation_rkey(const struct citation_job *job)
{
	return str_from(strchr(job->path, '/') + 1);
}

/* --- from step to step --- */

static void
on_soon(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct citation_job *job = timer->data;

	steps[job->step](job);
}

/* Each step begins from the loop: nobody's callback is still on the stack. */
void
citation_go(struct citation_job *job, enum citation_step step)
{
	citation_go_in(job, step, 0);
}

void
citation_go_in(struct citation_job *job, enum citation_step step, int64_t ms)
{
	job->step = step;
	ev_timer_stop(job->env->net.loop, &job->soon);
	ev_timer_set(&job->soon, (double)ms / 1000., 0.);
	ev_timer_start(job->env->net.loop, &job->soon);
}

static void
on_over(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct citation_job *job = timer->data;

	job->cb(&job->outcome, job->arg);
	job_free(job);
}

void
citation_end(struct citation_job *job)
{
	stop_all(job);
	ev_timer_init(&job->soon, on_over, 0., 0.);
	ev_timer_start(job->env->net.loop, &job->soon);
}

void
citation_fail(struct citation_job *job, const char *class, const char *fmt, ...)
{
	struct citation_outcome *outcome = &job->outcome;
	va_list ap;

	(void)str_copy(outcome->error_class, sizeof(outcome->error_class),
	    str_from(class));
	va_start(ap, fmt);
	(void)vsnprintf(outcome->error_text, sizeof(outcome->error_text), fmt, ap);
	va_end(ap);
	citation_end(job);
}

void
citation_refused(struct citation_job *job, struct str class, struct str text)
{
	char word[CITATION_CLASS_SIZE];

	(void)str_copy(word, sizeof(word), class);
	citation_fail(job, word, "the indexer: %.*s", STR_FMT(text));
}

/* --- the record --- */

static void
take_record(struct citation_job *job)
{
	eprint_read(buf_bytes(&job->record), &job->env->map, &job->eprint);
	if (!job->eprint.has_document)
		citation_fail(job, "no-document", "its record has no document");
	else
		citation_go(job, CITATION_COMPARING);
}

static void
on_record(struct bytes record, const struct msg_refuse *why, void *arg)
{
	struct citation_job *job = arg;

	job->read = NULL;
	if (why != NULL) {
		citation_refused(job, why->class, why->text);
	} else if (record.len == 0) {
		citation_fail(job, "not-found", "the index does not have this record");
	} else {
		buf_add(&job->record, record.ptr, record.len);
		take_record(job);
	}
}

void
citation_read_record(struct citation_job *job)
{
	if (buf_len(&job->record) > 0)
		take_record(job);
	else
		job->read = record_read_start(job->env->net.records, str_from(job->did),
		    str_from(job->path), on_record, job);
}

/* --- matching --- */

static void
on_match(struct citation_found *found, const char *class, const char *text, void *arg)
{
	struct citation_job *job = arg;

	job->match = NULL;
	if (class != NULL) {
		citation_refused(job, str_from(class), str_from(text));
		citation_found_free(&found, job->works.count);
		return;
	}
	job->found = found;
	citation_go(job, CITATION_WRITING);
}

void
citation_find_matches(struct citation_job *job)
{
	struct citation_match_query query = {
		.works = &job->works,
		.did = str_from(job->did),
		.rkey = citation_rkey(job),
		.doi = job->eprint.doi,
	};

	job->match = citation_match_start(job->env, &query, on_match, job);
}

/* --- life --- */

struct citation_job *
citation_job_start(struct citation_env *env, struct str did, struct str path,
    struct bytes record, citation_job_cb *cb, void *arg)
{
	struct citation_job *job = xcalloc(1, sizeof(*job));

	job->env = env;
	job->cb = cb;
	job->arg = arg;
	job->pdf_fd = -1;
	job->did = xstrndup(did.ptr, did.len);
	job->path = xstrndup(path.ptr, path.len);
	if (asprintf(&job->uri, "at://%s/%s", job->did, job->path) == -1)
		abort();
	buf_add(&job->record, record.ptr, record.len);
	ev_timer_init(&job->soon, on_soon, 0., 0.);
	job->soon.data = job;
	citation_go(job, CITATION_READING);
	return job;
}

void
citation_job_cancel(struct citation_job **job)
{
	if (*job != NULL)
		job_free(*job);
	*job = NULL;
}

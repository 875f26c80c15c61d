/*
 * citation_extract.c - the works that a PDF cites, by GROBID or by pdftotext.
 *
 * A GROBID that does not want to be asked for long is left alone for the rest of the
 * attempt.  What pdftotext reads meanwhile is done again by GROBID in the next operation,
 * since tools that an eprint was done with are part of its row; what GROBID has read
 * before is never replaced by it.
 */
#include "workers/citation_job_impl.h"

#include "citation/reference.h"
#include "citation/section.h"
#include "citation/split.h"
#include "workers/worker.h"

/* --- pdftotext --- */

static void
on_reference(struct str reference, void *arg)
{
	struct citation_job *job = arg;
	struct work *work = works_add(&job->works, CITATION_FROM_PDF);

	if (work != NULL)
		reference_read(reference, work);
}

static void
on_text(const struct pdf_run_result *result, void *arg)
{
	struct citation_job *job = arg;
	struct str section;

	job->pdf = NULL;
	if (result->error_class != NULL) {
		citation_fail(job, result->error_class, "%s", result->error_text);
		return;
	}
	/* A document without references is one that cites nothing. */
	if (section_find(result->text, &section))
		split_references(section, on_reference, job);
	citation_go(job, CITATION_ENRICHING);
}

static void
extract_by_pdftotext(struct citation_job *job)
{
	const struct citation_env *env = job->env;

	job->pdf = pdf_run_start(env->net.loop, &(struct pdf_run_options){
		.helper = env->helper,
		.tool = env->net.settings->pdftotext,
		.pdf_fd = job->pdf_fd,
	}, on_text, job);
}

/* --- GROBID --- */

static void
on_tei(struct bytes chunk, void *arg)
{
	struct citation_job *job = arg;
	struct err err;

	if (job->tei == NULL)
		job->tei = tei_new(&job->works);
	if (tei_add(job->tei, chunk, &err) == -1) {
		grobid_cancel(&job->grobid);
		citation_fail(job, "invalid", "GROBID: %s", err.text);
	}
}

static void
on_tei_restart(void *arg)
{
	struct citation_job *job = arg;

	tei_free(&job->tei);
	works_clear(&job->works);
}

static void
give_up_grobid(struct citation_job *job, const char *why)
{
	struct citation_env *env = job->env;

	if (!env->grobid_is_given_up)
		worker_log(env->worker, LOG_LEVEL_WARN, "GROBID: %s; pdftotext reads in its "
		    "place for the rest of this operation, and GROBID the next time", why);
	env->grobid_is_given_up = true;
}

static void
do_without_grobid(struct citation_job *job)
{
	if (job->was_by_grobid) {
		citation_fail(job, fetch_class_word(FETCH_RATE_LIMITED), "GROBID, which has "
		    "read it before, is not to be asked for now");
		return;
	}
	works_clear(&job->works);
	extract_by_pdftotext(job);
}

static void
on_tei_done(const struct fetch_error *error, void *arg)
{
	struct citation_job *job = arg;
	struct err err;

	job->grobid = NULL;
	if (error->class == FETCH_RATE_LIMITED) {
		give_up_grobid(job, error->text);
		tei_free(&job->tei);
		do_without_grobid(job);
		return;
	}
	if (error->class != FETCH_OK) {
		citation_fail(job, fetch_class_word(error->class), "%s", error->text);
	} else if (job->tei != NULL && tei_end(job->tei, &err) == -1) {
		citation_fail(job, "invalid", "GROBID: %s", err.text);
	} else {
		job->tools |= CITATION_GROBID;
		citation_go(job, CITATION_ENRICHING);
	}
	tei_free(&job->tei);
}

/* --- */

void
citation_extract(struct citation_job *job)
{
	static const struct grobid_events events = { on_tei, on_tei_restart, on_tei_done };
	const struct citation_env *env = job->env;

	if (env->grobid_is_given_up) {
		do_without_grobid(job);
	} else if (env->grobid != NULL) {
		job->grobid = grobid_references(env->grobid, env->net.settings->grobid_url,
		    job->pdf_fd, job->pdf_bytes, &events, job);
	} else {
		extract_by_pdftotext(job);
	}
}

/*
 * citation_enrich.c - what Semantic Scholar and Crossref know of the cited works.
 *
 * Neither is needed: what they do not answer is missing, no failure.  A tool counts as
 * used only if it answered all that it was asked, so that the eprint is done again when
 * it is back.
 */
#include "workers/citation_job_impl.h"

#include <string.h>

#include "citation/doi.h"
#include "citation/title.h"
#include "workers/worker.h"

static void
note_failure(struct citation_job *job, bool *has_noted, const char *service,
    const struct fetch_error *error)
{
	if (!*has_noted)
		worker_log(job->env->worker, LOG_LEVEL_WARN, "%s: %s", service, error->text);
	*has_noted = true;
}

/* --- Crossref: works with a DOI that lack a title, a venue or the year --- */

static void ask_crossref(struct citation_job *job);

static void
fill(struct work *work, enum work_text which, struct str text)
{
	if (work_text(work, which).len == 0)
		work_set(work, which, text);
}

static void
on_crossref(const struct fetch_error *error, const struct crossref_work *told, void *arg)
{
	struct citation_job *job = arg;
	struct work *work = &job->works.list[job->enriching++];

	job->crossref = NULL;
	if (told != NULL) {
		fill(work, WORK_TITLE, told->title);
		fill(work, WORK_VENUE, told->venue);
		if (work->year == 0)
			work->year = told->year;
	} else if (error->class != FETCH_NOT_FOUND) {
		note_failure(job, &job->env->has_noted_crossref, "Crossref", error);
		job->tools &= ~(unsigned)CITATION_CROSSREF;
		/* Whatever it is, it would be the same for the others. */
		job->enriching = job->works.count;
	}
	ask_crossref(job);
}

static bool
lacks_something(const struct work *work)
{
	return work_text(work, WORK_DOI).len > 0 &&
	    (work_text(work, WORK_TITLE).len == 0 ||
	    work_text(work, WORK_VENUE).len == 0 || work->year == 0);
}

static void
ask_crossref(struct citation_job *job)
{
	const struct citation_env *env = job->env;
	struct works *works = &job->works;

	while (env->crossref != NULL && job->enriching < works->count &&
	    !lacks_something(&works->list[job->enriching]))
		job->enriching++;
	if (env->crossref == NULL || job->enriching >= works->count) {
		citation_go(job, CITATION_MATCHING);
		return;
	}
	job->crossref = crossref_look_up(env->crossref, env->net.settings->crossref_url,
	    env->mail, work_text(&works->list[job->enriching], WORK_DOI), on_crossref, job);
}

/* --- Semantic Scholar: references that were not found in the document --- */

/* 0: it has none. */
static uint64_t
hash_of(struct str title)
{
	struct buf normal = BUF_INIT;
	uint64_t hash;

	title_normal(title, &normal);
	hash = buf_len(&normal) > 0 ? title_hash(buf_str(&normal)) : 0;
	buf_clear(&normal);
	return hash;
}

static void
note_title(struct citation_job *job, uint64_t hash)
{
	buf_add(&job->title_hashes, &hash, sizeof(hash));
}

static bool
is_known(const struct citation_job *job, struct str doi, uint64_t hash)
{
	for (size_t i = 0; i < job->works.count; i++) {
		uint64_t known;

		memcpy(&known, buf_data(&job->title_hashes) + i * sizeof(known),
		    sizeof(known));
		if (hash != 0 && known == hash)
			return true;
		if (doi.len > 0 &&
		    str_eq(work_text(&job->works.list[i], WORK_DOI), doi))
			return true;
	}
	return false;
}

static void
on_scholar_work(const struct scholar_work *told, void *arg)
{
	struct citation_job *job = arg;
	uint64_t hash = hash_of(told->title);
	struct work *work;
	char doi[DOI_SIZE] = "";

	(void)doi_parse(told->doi, doi);
	if ((*doi == '\0' && told->title.len == 0) || is_known(job, str_from(doi), hash))
		return;
	work = works_add(&job->works, CITATION_FROM_SEMANTIC_SCHOLAR);
	if (work == NULL)
		return;
	note_title(job, hash);
	work_set(work, WORK_TITLE, told->title);
	work_set(work, WORK_AUTHORS, told->authors);
	work_set(work, WORK_VENUE, told->venue);
	work_set(work, WORK_DOI, str_from(doi));
	work_set(work, WORK_ARXIV, told->arxiv);
	work->year = told->year;
}

static void
on_scholar_done(const struct fetch_error *error, void *arg)
{
	struct citation_job *job = arg;

	job->scholar = NULL;
	if (error->class != FETCH_OK && error->class != FETCH_NOT_FOUND) {
		note_failure(job, &job->env->has_noted_scholar, "Semantic Scholar", error);
		job->tools &= ~(unsigned)CITATION_SCHOLAR;
	}
	ask_crossref(job);
}

void
citation_enrich(struct citation_job *job)
{
	const struct citation_env *env = job->env;

	job->tools |= (env->crossref != NULL ? CITATION_CROSSREF : 0) |
	    (env->scholar != NULL ? CITATION_SCHOLAR : 0);
	if (env->scholar == NULL || *job->eprint.doi == '\0') {
		ask_crossref(job);
		return;
	}
	for (size_t i = 0; i < job->works.count; i++)
		note_title(job, hash_of(work_text(&job->works.list[i], WORK_TITLE)));
	job->scholar = scholar_references(env->scholar,
	    env->net.settings->semantic_scholar_url, str_from(job->eprint.doi),
	    on_scholar_work, on_scholar_done, job);
}

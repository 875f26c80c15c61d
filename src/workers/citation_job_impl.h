/*
 * citation_job_impl.h - the inside of citation_job.h, shared by the citation_*.c files.
 *
 * citation_job.c moves from step to step and ends; citation_fetch.c gets the document,
 * citation_extract.c the works in it, citation_enrich.c what services know of them,
 * citation_write.c talks to the index.
 */
#ifndef BF_WORKERS_CITATION_JOB_IMPL_H
#define BF_WORKERS_CITATION_JOB_IMPL_H

#include <ev.h>

#include "citation/tei.h"
#include "citation/work.h"
#include "fetch/crossref.h"
#include "fetch/get_blob.h"
#include "fetch/grobid.h"
#include "fetch/identity.h"
#include "fetch/scholar.h"
#include "workers/citation_env.h"
#include "workers/citation_job.h"
#include "workers/citation_match.h"
#include "workers/pdf_run.h"
#include "workers/record_read.h"
#include "workers/rows_link.h"

/* X(NAME, called to begin it) */
#define CITATION_STEPS(X)				\
	X(READING,	citation_read_record)		\
	X(COMPARING,	citation_compare)		\
	X(LOCATING,	citation_locate)		\
	X(FETCHING,	citation_fetch)			\
	X(EXTRACTING,	citation_extract)		\
	X(ENRICHING,	citation_enrich)		\
	X(MATCHING,	citation_find_matches)		\
	X(WRITING,	citation_write)

enum citation_step {
#define X(name, begin) CITATION_##name,
	CITATION_STEPS(X)
#undef X
};

struct citation_job {
	/* borrowed, outlive us */
	struct citation_env *env;
	citation_job_cb *cb;
	void *arg;

	enum citation_step step;
	struct citation_outcome outcome;
	struct ev_timer soon;		/* the next step is due, not from inside a call */

	/* owned */
	char *did, *path, *uri;
	struct buf record;
	struct eprint eprint;		/* of it; borrows from it */

	/* What was done before; has_before: there is an extraction row. */
	bool has_before, is_rematch;
	bool was_by_grobid;		/* and of this document */
	uint64_t before_count;		/* of citations */
	struct citation_found *before;	/* owned; with is_rematch: their matches */
	size_t before_size;		/* of that array */

	/* The document. */
	char *pds;			/* owned; origin */
	bool is_resolved;		/* pds comes from the DID document */
	int pdf_fd;			/* owned; -1: none */
	uint64_t pdf_bytes;

	struct works works;
	struct buf title_hashes;	/* 64 bits for each work, for Semantic Scholar */
	struct tei *tei;		/* owned; while GROBID answers */
	unsigned tools;			/* enum citation_tool: those that did answer */
	size_t enriching;		/* the work that Crossref is asked of */
	struct citation_found *found;	/* owned; one for each work, after matching */
	size_t put;			/* rows that are sent */

	/* What is under way; NULL: not that. */
	struct record_read *read;
	struct link_question *question;
	struct identity *identity;
	struct get_blob *blob;
	struct pdf_run *pdf;
	struct grobid *grobid;
	struct scholar *scholar;
	struct crossref *crossref;
	struct citation_match *match;
	struct rows_batch *batch;
};

/* --- citation_job.c --- */

/* Go on with a step, from a callback or from inside of another step. */
void citation_go(struct citation_job *job, enum citation_step step);
void citation_go_in(struct citation_job *job, enum citation_step step, int64_t ms);

/* The end: the job is freed soon.  No step may follow. */
void citation_end(struct citation_job *job);
void citation_fail(struct citation_job *job, const char *class, const char *fmt, ...)
    BF_PRINTF(3, 4);
void citation_refused(struct citation_job *job, struct str class, struct str text);

/* --- the steps --- */

#define X(name, begin) void begin(struct citation_job *job);
CITATION_STEPS(X)
#undef X

/* The record key of the eprint. */
struct str citation_rkey(const struct citation_job *job);

#endif

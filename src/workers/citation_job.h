/*
 * citation_job.h - one eprint, from its record to its citations in the index.
 *
 * The steps, each of which is a row of CITATION_STEPS in citation_job_impl.h:
 *
 *	reading      the record, if the caller has not brought it
 *	comparing    what was done before: with the same document and the same tools
 *	             its citations are taken from the index, only to be matched anew
 *	locating     the server that has the document: the one of the repository
 *	fetching     the document (getBlob), into memory that is sealed then; by its
 *	             CID it is what the record means, by its first bytes a PDF
 *	extracting   by GROBID, or by pdftotext and src/citation
 *	enriching    by Semantic Scholar, by Crossref: what they do not answer is left
 *	             out, and tried again the next time
 *	matching     with all eprints
 *	writing      all rows in one commit, also if there are none
 *
 * Nothing is written for an eprint that failed: the index keeps what it had.
 */
#ifndef BF_WORKERS_CITATION_JOB_H
#define BF_WORKERS_CITATION_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

struct citation_env;
struct citation_job;

#define CITATION_CLASS_SIZE	48

struct citation_outcome {
	/*
	 * "": done.  Else a word of fetch_error.h or of pdf_run.h, the indexer's own, or
	 *	not-found	the index does not have this record
	 *	no-document	its record has no document
	 *	not-pdf		its document is of another kind
	 *	no-server	the account's DID document names no server
	 */
	char error_class[CITATION_CLASS_SIZE];
	char error_text[ERR_TEXT_SIZE];
	bool is_unchanged;		/* nothing had to be written */
	uint64_t bytes;			/* fetched */
	uint64_t created, updated, deleted;	/* rows, by the indexer's count */
};

/* The job is freed when this returns. */
typedef void citation_job_cb(const struct citation_outcome *outcome, void *arg);

/*
 * Begin.  did and path are copied; record too: DAG-CBOR from the index, or empty to
 * have it read.  env is borrowed.  Never calls back from inside.
 */
struct citation_job *citation_job_start(struct citation_env *env, struct str did,
    struct str path, struct bytes record, citation_job_cb *cb, void *arg);

/* Stop at once, without a callback; sets *job to NULL.  NULL is fine. */
void citation_job_cancel(struct citation_job **job);

#endif

/*
 * citation_fetch.c - the document of an eprint: where it is, and its bytes.
 *
 * The index knows the server of a repository that is indexed.  If that does not have the
 * document, or the repository is not indexed, its DID document is asked, once: the
 * account may have moved.
 */
#include "workers/citation_job_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atproto/did.h"
#include "atproto/diddoc.h"
#include "common/fdutil.h"
#include "common/mem.h"

#define PDF_MAGIC	"%PDF-"
#define MAGIC_BYTES	(sizeof(PDF_MAGIC) - 1)

/* The account whose server has the document. */
static struct str
holder(const struct citation_job *job)
{
	if (did_is_atproto(job->eprint.holder))
		return job->eprint.holder;
	return str_from(job->did);
}

/* --- where --- */

static void
on_document(const struct identity_result *result, void *arg)
{
	struct citation_job *job = arg;
	const char *before = job->pds;

	job->identity = NULL;
	if (result->error.class != FETCH_OK) {
		citation_fail(job, fetch_class_word(result->error.class), "%s",
		    result->error.text);
	} else if (result->doc->pds == NULL) {
		citation_fail(job, "no-server", "%.*s: its DID document names no server",
		    STR_FMT(holder(job)));
	} else if (before != NULL && strcmp(before, result->doc->pds) == 0) {
		/* It has not moved: what was said before stands. */
		citation_end(job);
	} else {
		free(job->pds);
		job->pds = xstrdup(result->doc->pds);
		job->outcome.error_class[0] = '\0';
		citation_go(job, CITATION_FETCHING);
	}
}

static void
resolve(struct citation_job *job)
{
	job->is_resolved = true;
	job->identity = identity_resolve(job->env->net.http, &job->env->net.identity,
	    holder(job), on_document, job);
}

static void
on_look(const struct msg_state *state, const struct msg_refuse *why, void *arg)
{
	struct citation_job *job = arg;

	job->question = NULL;
	if (why != NULL) {
		citation_refused(job, why->class, why->text);
	} else if (state->is_known && state->pds_url.len > 0) {
		job->pds = xstrndup(state->pds_url.ptr, state->pds_url.len);
		citation_go(job, CITATION_FETCHING);
	} else {
		resolve(job);
	}
}

void
citation_locate(struct citation_job *job)
{
	job->question = records_look(job->env->net.records, holder(job), on_look, job);
}

/* --- its bytes --- */

static void
refuse_blob(struct citation_job *job, const char *class, const char *text)
{
	get_blob_cancel(&job->blob);
	citation_fail(job, class, "%s", text);
}

static void
on_body(struct get_blob *get BF_UNUSED, struct bytes chunk, void *arg)
{
	struct citation_job *job = arg;
	uint64_t at = job->pdf_bytes;

	/* What is no PDF need not come to its end. */
	for (size_t i = 0; i < chunk.len && at + i < MAGIC_BYTES; i++) {
		if (chunk.ptr[i] != (uint8_t)PDF_MAGIC[at + i]) {
			refuse_blob(job, "not-pdf", "its document is no PDF");
			return;
		}
	}
	while (chunk.len > 0) {
		ssize_t n = write(job->pdf_fd, chunk.ptr, chunk.len);

		if (n == -1) {
			refuse_blob(job, "system", strerror(errno));
			return;
		}
		job->pdf_bytes += (uint64_t)n;
		chunk.ptr += n;
		chunk.len -= (size_t)n;
	}
}

static void
on_restart(struct get_blob *get BF_UNUSED, void *arg)
{
	struct citation_job *job = arg;

	job->pdf_bytes = 0;
	if (ftruncate(job->pdf_fd, 0) == -1 || lseek(job->pdf_fd, 0, SEEK_SET) == -1)
		refuse_blob(job, "system", strerror(errno));
}

/* Nobody, not even what reads it, can change it any more. */
static int
seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK |
	    F_SEAL_SEAL);
}

/* Another server may have it. */
static bool
may_have_moved(enum fetch_class class)
{
	return class == FETCH_NOT_FOUND || class == FETCH_UNREACHABLE ||
	    class == FETCH_TIMEOUT || class == FETCH_SERVER_ERROR ||
	    class == FETCH_REFUSED || class == FETCH_DEACTIVATED || class == FETCH_TLS ||
	    class == FETCH_BLOCKED;
}

static void
on_done(struct get_blob *get BF_UNUSED, const struct get_blob_result *result, void *arg)
{
	struct citation_job *job = arg;
	struct citation_outcome *outcome = &job->outcome;

	job->blob = NULL;
	outcome->bytes += result->body_bytes;
	if (result->error.class != FETCH_OK) {
		(void)str_copy(outcome->error_class, sizeof(outcome->error_class),
		    str_from(fetch_class_word(result->error.class)));
		(void)str_copy(outcome->error_text, sizeof(outcome->error_text),
		    str_from(result->error.text));
		if (!job->is_resolved && may_have_moved(result->error.class))
			resolve(job);
		else
			citation_end(job);
	} else if (job->pdf_bytes < MAGIC_BYTES) {
		citation_fail(job, "not-pdf", "its document is no PDF");
	} else if (seal(job->pdf_fd) == -1) {
		citation_fail(job, "system", "memfd: %s", strerror(errno));
	} else {
		citation_go(job, CITATION_EXTRACTING);
	}
}

void
citation_fetch(struct citation_job *job)
{
	static const struct get_blob_events events = { on_body, on_restart, on_done };
	struct get_blob_query query = {
		.pds = job->pds,
		.did = holder(job),
		.cid = job->eprint.document,
		.body_bytes = job->eprint.document_bytes,
	};

	fd_close(&job->pdf_fd);
	job->pdf_bytes = 0;
	job->pdf_fd = memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (job->pdf_fd == -1) {
		citation_fail(job, "system", "memfd_create: %s", strerror(errno));
		return;
	}
	job->blob = get_blob_start(job->env->net.http, &query, &events, job);
}

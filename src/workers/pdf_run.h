/*
 * pdf_run.h - the text of one PDF, by the helper pdf-text (pdftext/pdftext.h).
 *
 * Starts the helper, reads what it says and reaps it.  The helper locks itself up; what
 * is bounded here is what it cannot bound: LIMIT_PDF_TEXT_BYTES of text,
 * LIMIT_PDF_WALL_MS of time, and that it does not outlive us.
 *
 * Process: workers, on the default loop, which alone learns of children.
 */
#ifndef BF_WORKERS_PDF_RUN_H
#define BF_WORKERS_PDF_RUN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

struct pdf_run;

struct pdf_run_options {
	const char *helper;		/* path of pdf-text; borrowed for the call */
	const char *tool;		/* path of pdftotext; likewise */
	bool is_check;			/* pdf_fd is not used: say how it is locked up */
	int pdf_fd;			/* borrowed until the end; read from its start */
	int64_t wall_ms;		/* how long it may take; 0: LIMIT_PDF_WALL_MS */
};

struct pdf_run_result {
	/* NULL: well; or the word of a failed item:
	 *	no-tool		pdftotext cannot be run (nothing of this PDF)
	 *	not-readable	it is damaged, or no PDF at all
	 *	protected	its owner forbids copying
	 *	timeout		it took longer than is allowed
	 *	too-large	its text is over the limit
	 *	crashed		pdftotext ended by a signal, of the sandbox perhaps */
	const char *error_class;
	const char *error_text;		/* for the callback */
	struct str text;		/* likewise */
};

/* The run is freed when this returns. */
typedef void pdf_run_cb(const struct pdf_run_result *result, void *arg);

/* Begin.  Never fails at once, never calls back from inside. */
struct pdf_run *pdf_run_start(struct ev_loop *loop, const struct pdf_run_options *options,
    pdf_run_cb *cb, void *arg);

/* Kill it, without a callback; sets *run to NULL.  NULL is fine. */
void pdf_run_cancel(struct pdf_run **run);

#endif

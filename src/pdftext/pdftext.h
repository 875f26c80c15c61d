/*
 * pdftext.h - what a worker and its helper pdf-text agree on.
 *
 *	pdf-text TOOL		TOOL is poppler's pdftotext
 *
 * turns the PDF that is its standard input, a file that can be sought in, into
 * text on its standard output: UTF-8 in reading order, a form feed behind each
 * page.  It locks itself up (sandbox/sandbox.h) and becomes TOOL:
 *
 *	network		none
 *	files		libraries and poppler's own tables, to read
 *	system calls	what a program needs that only computes; a socket or a new
 *			process is its end
 *	limits		LIMIT_PDF_MEMORY_BYTES, LIMIT_PDF_CPU_SECS, LIMIT_PDF_FILES, no
 *			file may be written
 *
 * Of those the limits are a must, the others are what the kernel gives.  How long
 * it takes, how much it says and that it does not outlive the worker is the
 * worker's business.
 *
 *	pdf-text --check TOOL
 *
 * does the same, but says how it is locked up, on one line, and becomes
 * `TOOL -v`, whose first line follows.
 */
#ifndef BF_PDFTEXT_PDFTEXT_H
#define BF_PDFTEXT_PDFTEXT_H

#define PDFTEXT_PROGRAM	"pdf-text"

/* Exit statuses beside TOOL's own: 0 done, 1 not readable as a PDF, 3 its owner
 * forbids copying, 99 anything else. */
enum pdftext_exit {
	PDFTEXT_NO_TOOL = 126,		/* TOOL cannot be run */
	PDFTEXT_NO_LIMITS = 125,	/* the limits could not be set */
};

#endif

/*
 * grobid.h - a GROBID server: the references of a PDF as TEI.
 *
 * POST {url}/api/processReferences, multipart, with raw citations and without
 * consolidation (GROBID would ask Crossref itself).  200 is TEI; 204 that it found
 * nothing, which is an answer without a byte; 503 that its threads are busy, which is
 * tried again like all that is transient.
 */
#ifndef BF_FETCH_GROBID_H
#define BF_FETCH_GROBID_H

#include "fetch/fetch_error.h"
#include "fetch/http.h"

struct grobid;

struct grobid_events {
	/* The next bytes of TEI.  Not to be believed before the end. */
	void (*on_body)(struct bytes chunk, void *arg);
	void (*on_restart)(void *arg);		/* what came is void; it begins again */
	/* The end; freed when this returns. */
	void (*on_done)(const struct fetch_error *error, void *arg);
};

/* For an http of its own: so many at a time. */
struct polite_options grobid_rates(unsigned at_a_time);

/* Begin.  url stands in the configuration; the PDF is borrowed until the end, as are
 * events.  Never calls back from inside. */
struct grobid *grobid_references(struct http *http, const char *url, int pdf_fd,
    uint64_t pdf_bytes, const struct grobid_events *events, void *arg);

/* Drop it, without a callback, also from inside one; sets *grobid to NULL.  NULL is
 * fine. */
void grobid_cancel(struct grobid **grobid);

#endif

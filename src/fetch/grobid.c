#include "fetch/grobid.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

/* Nothing in a PDF has to be kept from looking like it: a part of a form ends at its
 * boundary, and this one is random enough. */
#define BOUNDARY	"backfilld-4f1c7be35a0d9e62"

#define NOTHING_FOUND	204	/* the status that says so */
#define PROCESSING_MS	(120 * 1000)	/* of a thesis */

struct grobid {
	struct http_request *req;	/* NULL once it is done */
	const struct grobid_events *events;
	void *arg;
};

struct polite_options
grobid_rates(unsigned at_a_time)
{
	return (struct polite_options){ .requests_per_s = 50, .burst = 50,
	    .per_host_max = at_a_time };
}

static void
on_body(struct http_request *req BF_UNUSED, struct bytes chunk, void *arg)
{
	struct grobid *grobid = arg;

	grobid->events->on_body(chunk, grobid->arg);
}

static void
on_restart(struct http_request *req BF_UNUSED, void *arg)
{
	struct grobid *grobid = arg;

	grobid->events->on_restart(grobid->arg);
}

static void
on_done(struct http_request *req BF_UNUSED, const struct http_result *result, void *arg)
{
	struct grobid *grobid = arg;
	struct fetch_error error = result->error;

	grobid->req = NULL;
	if (error.class == FETCH_OK && !result->end_is_marked)
		fetch_error_set(&error, FETCH_TRUNCATED, "GROBID: the answer was cut off");
	else if (error.class == FETCH_OK && result->body_bytes == 0 &&
	    result->status != NOTHING_FOUND)
		fetch_error_set(&error, FETCH_INVALID,
		    "GROBID: an empty answer with status %u", result->status);
	grobid->events->on_done(&error, grobid->arg);
	free(grobid);
}

struct grobid *
grobid_references(struct http *http, const char *url, int pdf_fd, uint64_t pdf_bytes,
    const struct grobid_events *events, void *arg)
{
	static const char head[] =
	    "--" BOUNDARY "\r\nContent-Disposition: form-data; "
	    "name=\"includeRawCitations\"\r\n\r\n1\r\n"
	    "--" BOUNDARY "\r\nContent-Disposition: form-data; "
	    "name=\"consolidateCitations\"\r\n\r\n0\r\n"
	    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"input\"; "
	    "filename=\"document.pdf\"\r\nContent-Type: application/pdf\r\n\r\n";
	static const char tail[] = "\r\n--" BOUNDARY "--\r\n";
	struct grobid *grobid = xcalloc(1, sizeof(*grobid));
	struct http_limits limits = HTTP_LIMITS_SMALL;
	struct http_get get = {
		.accept = "application/xml",
		.limits = &limits,
		.is_trusted = true,
		.on_body = on_body,
		.on_restart = on_restart,
		.on_done = on_done,
		.arg = grobid,
	};
	struct http_upload upload = {
		.content_type = "multipart/form-data; boundary=" BOUNDARY,
		.head = { (const uint8_t *)head, sizeof(head) - 1 },
		.fd = pdf_fd, .fd_bytes = pdf_bytes,
		.tail = { (const uint8_t *)tail, sizeof(tail) - 1 },
	};
	struct buf text = BUF_INIT;

	grobid->events = events;
	grobid->arg = arg;
	limits.body_bytes = LIMIT_FETCH_TEI_BYTES;
	limits.head_ms = PROCESSING_MS;
	limits.total_ms = PROCESSING_MS + HTTP_LIMITS_SMALL.total_ms;
	buf_printf(&text, "%s/api/processReferences", url);
	buf_add_byte(&text, '\0');
	get.url = (const char *)buf_data(&text);
	grobid->req = http_post(http, &get, &upload);
	buf_clear(&text);
	return grobid;
}

void
grobid_cancel(struct grobid **grobid)
{
	/* Inside its own on_done there is nothing left to cancel. */
	if (*grobid != NULL && (*grobid)->req != NULL) {
		http_cancel(&(*grobid)->req);
		free(*grobid);
	}
	*grobid = NULL;
}

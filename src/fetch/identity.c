#include "fetch/identity.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "atproto/did.h"
#include "atproto/diddoc.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

#define DID_IN_TEXT	100	/* bytes of it in an error's text */

struct identity {
	struct http_request *req;	/* NULL once it is done */
	identity_cb *cb;
	void *arg;
	bool is_plc;
	bool allow_plain_http;
	struct buf did;
	struct buf body;
};

/* did:web:example.com, did:web:localhost%3A2583; without path by did_is_atproto(). */
static void
format_web_url(struct buf *url, struct str did, bool allow_plain_http)
{
	struct str host = { did.ptr + 8, did.len - 8 };
	bool is_localhost = str_eq(host, STR("localhost")) ||
	    str_starts_with(host, STR("localhost%3A"));

	buf_printf(url, "%s://", is_localhost && allow_plain_http ? "http" : "https");
	for (size_t i = 0; i < host.len; i++) {
		if (host.ptr[i] == '%') {	/* always "%3A" */
			buf_add_byte(url, ':');
			i += 2;
		} else {
			buf_add_byte(url, (uint8_t)host.ptr[i]);
		}
	}
	buf_printf(url, "/.well-known/did.json%c", '\0');
}

static void
format_plc_url(struct buf *url, const char *plc_url, struct str did)
{
	size_t len = strlen(plc_url);

	if (len > 0 && plc_url[len - 1] == '/')
		len--;
	buf_printf(url, "%.*s/%.*s%c", (int)len, plc_url, STR_FMT(did), '\0');
}

/*
 * What a directory's 404 or 410 means.  Only an answer in its own form counts:
 * a 404 of something in front of it says nothing about the DID.
 */
static void
explain_plc(const struct http_result *http, struct fetch_error *error)
{
	json_t *json = NULL;
	const char *message;

	if (http->status != 404 && http->status != 410)
		return;
	if (http->error_body.len > 0)
		json = json_loadb(http->error_body.ptr, http->error_body.len, 0, NULL);
	message = json_string_value(json_object_get(json, "message"));
	if (message == NULL)
		fetch_error_set(error, FETCH_SERVER_ERROR,
		    "status %u that is not the directory's", http->status);
	else if (http->status == 410 || strstr(message, "not available") != NULL)
		fetch_error_set(error, FETCH_GONE, "status %u: %s", http->status,
		    message);
	else
		fetch_error_set(error, FETCH_NOT_FOUND, "status %u: %s", http->status,
		    message);
	json_decref(json);
}

static void
on_body(struct http_request *req BF_UNUSED, struct bytes chunk, void *arg)
{
	struct identity *identity = arg;

	buf_add(&identity->body, chunk.ptr, chunk.len);
}

static void
on_restart(struct http_request *req BF_UNUSED, void *arg)
{
	struct identity *identity = arg;

	buf_reset(&identity->body);
}

static void
identity_free(struct identity *identity)
{
	buf_clear(&identity->did);
	buf_clear(&identity->body);
	free(identity);
}

static void
on_done(struct http_request *req BF_UNUSED, const struct http_result *http, void *arg)
{
	struct identity *identity = arg;
	struct identity_result result = {
		.error = http->error,
		.json = buf_bytes(&identity->body),
		.retry_after_ms = http->retry_after_ms,
	};
	struct diddoc doc;
	struct err err;

	identity->req = NULL;
	if (identity->is_plc)
		explain_plc(http, &result.error);
	else if (http->error.class == FETCH_GONE)
		result.error.class = FETCH_NOT_FOUND;	/* did:web has no tombstones */
	if (result.error.class == FETCH_OK) {
		if (diddoc_parse(result.json, buf_str(&identity->did),
		    identity->allow_plain_http, &doc, &err) == -1)
			fetch_error_set(&result.error, FETCH_INVALID, "%s", err.text);
		else
			result.doc = &doc;
	}
	identity->cb(&result, identity->arg);
	if (result.doc != NULL)
		diddoc_clear(&doc);
	identity_free(identity);
}

struct identity *
identity_resolve(struct http *http, const struct identity_options *options,
    struct str did, identity_cb *cb, void *arg)
{
	struct identity *identity = xcalloc(1, sizeof(*identity));
	bool can_resolve = did_is_atproto(did);
	struct http_limits limits = options->limits != NULL ? *options->limits :
	    HTTP_LIMITS_SMALL;
	struct buf url = BUF_INIT;
	struct http_get get = {
		.accept = "application/did+ld+json, application/json",
		.limits = &limits,
		.on_body = on_body,
		.on_restart = on_restart,
		.on_done = on_done,
		.arg = identity,
	};

	limits.body_bytes = LIMIT_DIDDOC_BYTES;
	identity->cb = cb;
	identity->arg = arg;
	identity->is_plc = did_is_plc(did);
	identity->allow_plain_http = options->allow_plain_http;
	buf_add_str(&identity->did, did);
	if (can_resolve && !identity->is_plc) {
		format_web_url(&url, did, options->allow_plain_http);
	} else {
		format_plc_url(&url, options->plc_url, can_resolve ? did : STR_NONE);
		get.is_trusted = true;
	}
	get.url = (const char *)buf_data(&url);
	identity->req = http_get(http, &get);
	buf_clear(&url);
	if (!can_resolve) {
		if (did.len > DID_IN_TEXT)
			did.len = DID_IN_TEXT;
		http_fail(identity->req, FETCH_INVALID,
		    "did(%.*s): neither did:plc nor did:web", STR_FMT(did));
	}
	return identity;
}

void
identity_cancel(struct identity **identity)
{
	/* Inside its own callback there is nothing left to cancel. */
	if (*identity != NULL && (*identity)->req != NULL) {
		http_cancel(&(*identity)->req);
		identity_free(*identity);
	}
	*identity = NULL;
}

#include "fetch/get_repo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "common/buf.h"
#include "common/mem.h"
#include "fetch/url.h"
#include "fetch/xrpc.h"

#define CAR_TYPE	"application/vnd.ipld.car"

/* A varint of at most two bytes, a CBOR map of two, the first letter of a key. */
#define START_BYTES	4

struct get_repo {
	struct http_request *req;	/* NULL once it is done */
	get_repo_body_cb *on_body;
	get_repo_done_cb *on_done;
	void *arg;
	struct buf start;		/* until there is enough to judge */
	bool is_car;
};

/*
 * A CAR begins with the length of its header and then the header, a map with
 * the members "roots" and "version" (CARv1): cheap to tell from HTML and JSON.
 */
static bool
starts_a_car(const uint8_t start[START_BYTES])
{
	size_t map = start[0] & 0x80 ? 2 : 1;

	return start[map] == 0xa2 && (start[map + 1] == 0x65 || start[map + 1] == 0x67);
}

static void
on_head(struct http_request *req, const struct http_head *head, void *arg BF_UNUSED)
{
	struct str type = head->content_type;

	if (head->status != 200)
		http_fail(req, FETCH_INVALID, "getRepo: status %u", head->status);
	else if (type.len != sizeof(CAR_TYPE) - 1 ||
	    strncasecmp(type.ptr, CAR_TYPE, type.len) != 0)
		http_fail(req, FETCH_INVALID,
		    "getRepo: the content type is \"%.*s\" instead of " CAR_TYPE,
		    type.len < 60 ? (int)type.len : 60, type.ptr);
}

static void
on_body(struct http_request *req, struct bytes chunk, void *arg)
{
	struct get_repo *get = arg;

	if (get->is_car) {
		get->on_body(get, chunk, get->arg);
		return;
	}
	buf_add(&get->start, chunk.ptr, chunk.len);
	if (buf_len(&get->start) < START_BYTES)
		return;
	if (!starts_a_car(buf_data(&get->start))) {
		http_fail(req, FETCH_INVALID,
		    "getRepo: the answer does not begin as a CAR");
		return;
	}
	get->is_car = true;
	get->on_body(get, buf_bytes(&get->start), get->arg);
}

static void
get_repo_free(struct get_repo *get)
{
	buf_clear(&get->start);
	free(get);
}

static void
on_done(struct http_request *req BF_UNUSED, const struct http_result *http, void *arg)
{
	struct get_repo *get = arg;
	struct get_repo_result result = {
		.body_bytes = http->body_bytes,
		.retry_after_ms = http->retry_after_ms,
		.end_is_marked = http->end_is_marked,
	};

	get->req = NULL;
	xrpc_explain(http, &result.error);
	if (result.error.class == FETCH_OK && !get->is_car)
		fetch_error_set(&result.error, FETCH_INVALID,
		    "getRepo: the answer is too short for a CAR");
	get->on_done(get, &result, get->arg);
	get_repo_free(get);
}

struct get_repo *
get_repo_start(struct http *http, const struct get_repo_query *query,
    get_repo_body_cb *on_body_cb, get_repo_done_cb *on_done_cb, void *arg)
{
	struct get_repo *get = xcalloc(1, sizeof(*get));
	struct http_limits limits = HTTP_LIMITS_REPO;
	struct url_param params[] = {
		{ STR("did"), query->did },
		{ STR("since"), query->since },
	};
	struct buf url = BUF_INIT;
	struct http_get http_request = {
		.accept = CAR_TYPE,
		.limits = &limits,
		.is_trusted = query->is_trusted,
		.is_bulk = true,
		.on_head = on_head,
		.on_body = on_body,
		.on_done = on_done,
		.arg = get,
	};

	get->on_body = on_body_cb;
	get->on_done = on_done_cb;
	get->arg = arg;
	if (query->body_bytes > 0)
		limits.body_bytes = query->body_bytes;
	url_format_xrpc(&url, query->pds, "com.atproto.sync.getRepo", params,
	    BF_ARRAY_LEN(params));
	http_request.url = (const char *)buf_data(&url);
	get->req = http_get(http, &http_request);
	buf_clear(&url);
	return get;
}

void
get_repo_fail(struct get_repo *get, enum fetch_class class, const char *fmt, ...)
{
	char text[FETCH_TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	http_fail(get->req, class, "%s", text);
}

void
get_repo_cancel(struct get_repo **get)
{
	/* Inside its own on_done there is nothing left to cancel. */
	if (*get != NULL && (*get)->req != NULL) {
		http_cancel(&(*get)->req);
		get_repo_free(*get);
	}
	*get = NULL;
}

#include "fetch/json_get.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/mem.h"

struct json_get {
	struct http_request *req;	/* NULL once it is done */
	json_get_cb *cb;
	void *arg;
	struct buf body;
};

static void
on_body(struct http_request *req BF_UNUSED, struct bytes chunk, void *arg)
{
	struct json_get *get = arg;

	buf_add(&get->body, chunk.ptr, chunk.len);
}

static void
on_restart(struct http_request *req BF_UNUSED, void *arg)
{
	struct json_get *get = arg;

	buf_reset(&get->body);
}

static void
json_get_free(struct json_get *get)
{
	buf_clear(&get->body);
	free(get);
}

static void
on_done(struct http_request *req BF_UNUSED, const struct http_result *result, void *arg)
{
	struct json_get *get = arg;
	struct fetch_error error = result->error;
	json_t *json = NULL;

	get->req = NULL;
	if (error.class == FETCH_OK) {
		struct str text = buf_str(&get->body);

		json = text.len > 0 ? json_loadb(text.ptr, text.len, 0, NULL) : NULL;
		if (!json_is_object(json)) {
			json_decref(json);
			json = NULL;
			fetch_error_set(&error, FETCH_INVALID,
			    "the answer is no JSON object");
		}
	}
	get->cb(&error, json, get->arg);
	json_decref(json);
	json_get_free(get);
}

struct json_get *
json_get_start(struct http *http, const char *url, json_get_cb *cb, void *arg)
{
	struct json_get *get = xcalloc(1, sizeof(*get));
	struct http_get request = {
		.url = url,
		.accept = "application/json",
		.limits = &HTTP_LIMITS_SMALL,
		.is_trusted = true,
		.accept_gzip = true,
		.on_body = on_body,
		.on_restart = on_restart,
		.on_done = on_done,
		.arg = get,
	};

	get->cb = cb;
	get->arg = arg;
	get->req = http_get(http, &request);
	return get;
}

void
json_get_cancel(struct json_get **get)
{
	/* Inside its own callback there is nothing left to cancel. */
	if (*get != NULL && (*get)->req != NULL) {
		http_cancel(&(*get)->req);
		json_get_free(*get);
	}
	*get = NULL;
}

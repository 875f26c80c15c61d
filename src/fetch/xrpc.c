#include "fetch/xrpc.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

struct xrpc {
	struct http_request *req;	/* NULL once it is done */
	xrpc_cb *cb;
	void *arg;
	char *name;			/* owned; the method's last word, for errors */
	struct buf body;
};

/* Names of errors, of PDSs, relays and directories, that say what a status does not. */
static const struct named {
	const char *name;
	enum fetch_class class;
} named[] = {
	{ "RepoNotFound", FETCH_NOT_FOUND },
	{ "RecordNotFound", FETCH_NOT_FOUND },
	{ "BlobNotFound", FETCH_NOT_FOUND },
	{ "HostNotFound", FETCH_NOT_FOUND },
	{ "DidNotFound", FETCH_NOT_FOUND },
	{ "RepoDeleted", FETCH_GONE },
	{ "DidDeactivated", FETCH_GONE },
	{ "RepoDeactivated", FETCH_DEACTIVATED },
	{ "AccountDeactivated", FETCH_DEACTIVATED },
	{ "RepoInactive", FETCH_DEACTIVATED },
	{ "RepoSuspended", FETCH_SUSPENDED },
	{ "AccountSuspended", FETCH_SUSPENDED },
	{ "RepoTakendown", FETCH_TAKENDOWN },
	{ "AccountTakedown", FETCH_TAKENDOWN },
	{ "RepoNotSynchronized", FETCH_SERVER_ERROR },	/* a relay that lags behind */
	{ "RateLimitExceeded", FETCH_RATE_LIMITED },
};

/* InvalidRequest is the name of many things; these texts are of the reference PDS. */
static const char *const not_found_texts[] = {
	"Could not find repo",
	"Blob not found",
};

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum fetch_class
class_of(const char *name, const char *message, enum fetch_class by_status)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(named); i++) {
		if (strcmp(name, named[i].name) == 0)
			return named[i].class;
	}
	if (strcmp(name, "InvalidRequest") == 0) {
		for (size_t i = 0; i < BF_ARRAY_LEN(not_found_texts); i++) {
			if (starts_with(message, not_found_texts[i]))
				return FETCH_NOT_FOUND;
		}
	}
	/*
	 * A 404 or 410 without such a name comes from a proxy or a server of another
	 * kind: it says nothing of the account.
	 */
	if (by_status == FETCH_NOT_FOUND || by_status == FETCH_GONE)
		return FETCH_REFUSED;
	return by_status;
}

static const char *
text_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

void
xrpc_explain(const struct http_result *result, struct fetch_error *error_out)
{
	struct str body = result->error_body;
	struct fetch_error error = result->error;
	const char *name, *message;
	json_t *json = NULL;

	*error_out = error;
	/* A body with status 2xx, and what ended otherwise than by a status. */
	if (result->status < 400 || error.class == FETCH_OK)
		return;
	if (body.len > 0)
		json = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
	name = text_member(json, "error");
	message = text_member(json, "message");
	if (*name != '\0')
		fetch_error_set(error_out, class_of(name, message, error.class),
		    "%s: %.40s%s%.200s", error.text, name, *message != '\0' ? ": " : "",
		    message);
	else
		error_out->class = class_of("", "", error.class);
	json_decref(json);
}

static void
on_body(struct http_request *req BF_UNUSED, struct bytes chunk, void *arg)
{
	struct xrpc *xrpc = arg;

	buf_add(&xrpc->body, chunk.ptr, chunk.len);
}

static void
on_restart(struct http_request *req BF_UNUSED, void *arg)
{
	struct xrpc *xrpc = arg;

	buf_reset(&xrpc->body);
}

static json_t *
parse(const struct xrpc *xrpc, struct fetch_error *error)
{
	struct str text = buf_str(&xrpc->body);
	json_error_t why;
	json_t *json;

	if (text.len == 0) {
		fetch_error_set(error, FETCH_INVALID, "%s: the answer is empty", xrpc->name);
		return NULL;
	}
	json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
	if (json == NULL) {
		fetch_error_set(error, FETCH_INVALID,
		    "%s: the answer is no JSON: %s at byte %d", xrpc->name, why.text,
		    why.position);
		return NULL;
	}
	if (!json_is_object(json)) {
		fetch_error_set(error, FETCH_INVALID, "%s: the answer is no JSON object",
		    xrpc->name);
		json_decref(json);
		return NULL;
	}
	return json;
}

static void
xrpc_free(struct xrpc *xrpc)
{
	buf_clear(&xrpc->body);
	free(xrpc->name);
	free(xrpc);
}

static void
on_done(struct http_request *req BF_UNUSED, const struct http_result *result, void *arg)
{
	struct xrpc *xrpc = arg;
	struct xrpc_reply reply = { .retry_after_ms = result->retry_after_ms };

	xrpc->req = NULL;
	xrpc_explain(result, &reply.error);
	if (reply.error.class == FETCH_OK)
		reply.json = parse(xrpc, &reply.error);
	xrpc->cb(&reply, xrpc->arg);
	json_decref(reply.json);
	xrpc_free(xrpc);
}

struct xrpc *
xrpc_get(struct http *http, const struct xrpc_query *query, xrpc_cb *cb, void *arg)
{
	struct xrpc *xrpc = xcalloc(1, sizeof(*xrpc));
	struct http_limits limits = HTTP_LIMITS_SMALL;
	const char *last_dot = strrchr(query->nsid, '.');
	struct buf url = BUF_INIT;
	struct http_get get = {
		.accept = "application/json",
		.limits = &limits,
		.is_trusted = query->is_trusted,
		.accept_gzip = true,
		.on_body = on_body,
		.on_restart = on_restart,
		.on_done = on_done,
		.arg = xrpc,
	};

	xrpc->cb = cb;
	xrpc->arg = arg;
	xrpc->name = xstrdup(last_dot != NULL ? last_dot + 1 : query->nsid);
	if (query->body_bytes > 0)
		limits.body_bytes = query->body_bytes;
	url_format_xrpc(&url, query->origin, query->nsid, query->params,
	    query->param_count);
	get.url = (const char *)buf_data(&url);
	xrpc->req = http_get(http, &get);
	buf_clear(&url);
	return xrpc;
}

void
xrpc_cancel(struct xrpc **xrpc)
{
	/* Inside its own callback there is nothing left to cancel. */
	if (*xrpc != NULL && (*xrpc)->req != NULL) {
		http_cancel(&(*xrpc)->req);
		xrpc_free(*xrpc);
	}
	*xrpc = NULL;
}

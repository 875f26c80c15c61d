#include "fetch/latest_commit.h"

#include <stdlib.h>

#include "atproto/cid.h"
#include "common/mem.h"
#include "fetch/xrpc.h"

struct latest_commit {
	struct xrpc *xrpc;		/* NULL once it is done */
	latest_commit_cb *cb;
	void *arg;
};

static struct str
text_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return STR_NONE;
	return (struct str){ json_string_value(value), json_string_length(value) };
}

static void
read_answer(const json_t *json, struct latest_commit_result *result)
{
	struct str rev = text_member(json, "rev");
	struct str cid = text_member(json, "cid");
	struct cid parsed;

	if (!tid_is_valid(rev) || cid_parse(cid, &parsed) == -1) {
		fetch_error_set(&result->error, FETCH_INVALID,
		    "getLatestCommit: the answer has no valid cid and rev");
		return;
	}
	(void)str_copy(result->rev, sizeof(result->rev), rev);
	result->cid = cid;
}

static void
on_reply(const struct xrpc_reply *reply, void *arg)
{
	struct latest_commit *latest = arg;
	struct latest_commit_result result = {
		.error = reply->error,
		.retry_after_ms = reply->retry_after_ms,
	};

	latest->xrpc = NULL;
	if (reply->error.class == FETCH_OK)
		read_answer(reply->json, &result);
	latest->cb(&result, latest->arg);
	free(latest);
}

struct latest_commit *
latest_commit_get(struct http *http, const char *pds, struct str did,
    latest_commit_cb *cb, void *arg)
{
	struct latest_commit *latest = xcalloc(1, sizeof(*latest));
	struct url_param params[] = { { STR("did"), did } };
	struct xrpc_query query = {
		.origin = pds,
		.nsid = "com.atproto.sync.getLatestCommit",
		.params = params,
		.param_count = BF_ARRAY_LEN(params),
	};

	latest->cb = cb;
	latest->arg = arg;
	latest->xrpc = xrpc_get(http, &query, on_reply, latest);
	return latest;
}

void
latest_commit_cancel(struct latest_commit **latest)
{
	/* Inside its own callback there is nothing left to cancel. */
	if (*latest != NULL && (*latest)->xrpc != NULL) {
		xrpc_cancel(&(*latest)->xrpc);
		free(*latest);
	}
	*latest = NULL;
}

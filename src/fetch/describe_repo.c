#include "fetch/describe_repo.h"

#include <stdlib.h>

#include "atproto/filter.h"
#include "common/mem.h"
#include "fetch/xrpc.h"

struct describe_repo {
	struct xrpc *xrpc;		/* NULL once it is done */
	const struct filter *filter;	/* borrowed */
	describe_repo_cb *cb;
	void *arg;
};

static bool
has_wanted(const json_t *collections, const struct filter *filter)
{
	const json_t *name;
	size_t i;

	json_array_foreach(collections, i, name)
		if (json_is_string(name) && filter_wants(filter, (struct str){
		    json_string_value(name), json_string_length(name) }))
			return true;
	return false;
}

static void
on_reply(const struct xrpc_reply *reply, void *arg)
{
	struct describe_repo *describe = arg;
	struct fetch_error error = reply->error;
	const json_t *collections = NULL;

	describe->xrpc = NULL;
	if (error.class == FETCH_OK) {
		collections = json_object_get(reply->json, "collections");
		if (!json_is_array(collections))
			fetch_error_set(&error, FETCH_INVALID,
			    "describeRepo: the answer has no list of collections");
	}
	describe->cb(&error, has_wanted(collections, describe->filter), describe->arg);
	free(describe);
}

struct describe_repo *
describe_repo_get(struct http *http, const char *pds, struct str did,
    const struct filter *filter, describe_repo_cb *cb, void *arg)
{
	struct describe_repo *describe = xcalloc(1, sizeof(*describe));
	struct url_param params[] = { { STR("repo"), did } };
	struct xrpc_query query = {
		.origin = pds, .nsid = "com.atproto.repo.describeRepo",
		.params = params, .param_count = BF_ARRAY_LEN(params),
	};

	describe->filter = filter;
	describe->cb = cb;
	describe->arg = arg;
	describe->xrpc = xrpc_get(http, &query, on_reply, describe);
	return describe;
}

void
describe_repo_cancel(struct describe_repo **describe)
{
	/* Inside its own callback there is nothing left to cancel. */
	if (*describe != NULL && (*describe)->xrpc != NULL) {
		xrpc_cancel(&(*describe)->xrpc);
		free(*describe);
	}
	*describe = NULL;
}

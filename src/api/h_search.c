/*
 * h_search.c - searchRecords, from the index that full-reindex made.
 */
#include <stdio.h>

#include "api/api.h"
#include "api/handlers.h"
#include "api/request.h"
#include "common/limits.h"
#include "common/log.h"
#include "search/search.h"

#define LIMIT_DEFAULT	25

int
h_search_params(struct request *request, struct err *err)
{
	struct search_request *search = &request->search;
	struct str cursor;

	*search = (struct search_request){
		.limit = LIMIT_DEFAULT, .budget_ms = LIMIT_SEARCH_MS,
	};
	if (params_text(&request->params, STR("q"), &search->text, err) == -1 ||
	    params_text(&request->params, STR("collection"), &search->collection,
	    err) == -1 ||
	    params_integer(&request->params, STR("limit"), 1, LIMIT_LIST_PAGE,
	    &search->limit, err) == -1 ||
	    params_text(&request->params, STR("cursor"), &cursor, err) == -1)
		return -1;
	if (str_is_empty(search->text))
		return err_set(err, ERR_INVALID, "Params must have the property \"q\"");
	if (!str_is_empty(cursor) && str_to_u64(cursor, &search->skip) == -1)
		return err_set(err, ERR_INVALID, "cursor is none of ours");
	return 0;
}

static void
on_hit(const struct search_hit *hit, void *arg)
{
	struct json *json = arg;

	json_object_begin(json);
	json_member_str(json, STR("uri"), hit->uri);
	json_member_str(json, STR("cid"), hit->cid);
	json_member_str(json, STR("collection"), hit->collection);
	if (hit->title.len > 0)
		json_member_str(json, STR("title"), hit->title);
	json_member_str(json, STR("snippet"), hit->snippet);
	json_object_end(json);
}

static void
reply_failure(struct request *request, const struct err *err)
{
	switch (err->code) {
	case ERR_INVALID:
	case ERR_LIMIT:
		reply_error(&request->reply, XRPC_INVALID_REQUEST, "%s", err->text);
		break;
	case ERR_TIMEOUT:
		reply_error(&request->reply, XRPC_QUERY_TOO_BROAD, "%s", err->text);
		break;
	case ERR_NOT_FOUND:
		reply_error(&request->reply, XRPC_NO_SEARCH_INDEX, "%s", err->text);
		break;
	default:
		log_error("search: %s", err->text);
		reply_error(&request->reply, XRPC_STORE_UNAVAILABLE,
		    "The search index cannot be read now");
	}
}

void
h_search(struct request *request)
{
	const struct search_request *search = &request->search;
	struct json json = reply_json(&request->reply, 200);
	struct err err;
	bool has_more;

	json_object_begin(&json);
	json_name(&json, STR("hits"));
	json_array_begin(&json);
	if (search_run(request->api->search, search, on_hit, &json, &has_more,
	    &err) == -1) {
		reply_failure(request, &err);
		return;
	}
	json_array_end(&json);
	if (has_more && search->skip + search->limit <= LIMIT_SEARCH_SKIP) {
		char cursor[24];

		(void)snprintf(cursor, sizeof(cursor), "%llu",
		    (unsigned long long)(search->skip + search->limit));
		json_member_str(&json, STR("cursor"), str_from(cursor));
	}
	json_object_end(&json);
}

/*
 * h_asset.c - the dashboard's style, script and icon.
 */
#include "api/assets.h"
#include "api/handlers.h"
#include "api/request.h"

void
h_asset(struct request *request)
{
	struct reply *reply = &request->reply;

	for (size_t i = 0; i < assets_count; i++) {
		if (!str_eq(request->path_arg, str_from(assets[i].name)))
			continue;
		(void)reply_text(reply, 200, assets[i].content_type);
		reply->fixed = assets[i].text;
		reply->is_tagged = true;
		reply->is_for_browser = true;
		return;
	}
	reply_error(reply, XRPC_NOT_SUPPORTED, "There is nothing at this path");
}

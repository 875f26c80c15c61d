/*
 * h_did.c - /.well-known/did.json: where a PDS finds us that proxies a request to
 * "atproto-proxy: did:web:...#backfill" (spec: XRPC, "Service Proxying").
 */
#include "api/api.h"
#include "api/handlers.h"
#include "api/request.h"
#include "atproto/did.h"

#define CONTEXT		"https://www.w3.org/ns/did/v1"
#define SERVICE_TYPE	"BackfillAdminService"

/* Without a slash at the end: clients put a path behind it. */
static struct str
public_origin(const struct api *api)
{
	struct str url = str_from(api->settings.public_url);

	if (url.len > 0 && url.ptr[url.len - 1] == '/')
		url.len--;
	return url;
}

static void
write_service(struct json *json, const struct api *api)
{
	json_object_begin(json);
	json_member_str(json, STR("id"), STR("#" AUTH_SERVICE_ID));
	json_member_str(json, STR("type"), STR(SERVICE_TYPE));
	json_member_str(json, STR("serviceEndpoint"), public_origin(api));
	json_object_end(json);
}

void
h_did_document(struct request *request)
{
	const struct api *api = request->api;
	struct str did = str_from(api->auth.service_did);
	struct json json;

	if (!did_is_web(did) || str_is_empty(public_origin(api))) {
		reply_error(&request->reply, XRPC_NOT_SUPPORTED,
		    "This server has no did:web: public_url is not set");
		return;
	}
	json = reply_json(&request->reply, 200);
	json_object_begin(&json);
	json_name(&json, STR("@context"));
	json_array_begin(&json);
	json_str(&json, STR(CONTEXT));
	json_array_end(&json);
	json_member_str(&json, STR("id"), did);
	json_name(&json, STR("service"));
	json_array_begin(&json);
	write_service(&json, api);
	json_array_end(&json);
	json_object_end(&json);
}

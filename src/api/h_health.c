/*
 * h_health.c - is it there, does it work: for load balancers and init systems.
 */
#include "api/api.h"
#include "api/handlers.h"
#include "api/request.h"
#include "store/ops.h"

static bool
can_read_operations(struct api *api)
{
	uint64_t counts[OP_STATUS_COUNT + 1];
	struct ops_read *read;
	struct err err;
	int result;

	if (ops_read_begin(api->ops, &read, &err) == -1)
		return false;
	result = ops_count(read, counts, &err);
	ops_read_end(&read);
	return result == 0;
}

/* As com.atproto's servers have it: the version, and 503 without a database. */
void
h_health(struct request *request)
{
	bool is_well = can_read_operations(request->api);
	struct json json = reply_json(&request->reply, is_well ? 200 : 503);

	json_object_begin(&json);
	json_member_str(&json, STR("version"), STR(PACKAGE_VERSION));
	if (!is_well)
		json_member_str(&json, STR("error"), STR("Service Unavailable"));
	json_object_end(&json);
}

/* The loop turns. */
void
h_livez(struct request *request)
{
	struct json json = reply_json(&request->reply, 200);

	json_object_begin(&json);
	json_member_str(&json, STR("status"), STR("ok"));
	json_object_end(&json);
}

/* Reads and changes are possible. */
void
h_readyz(struct request *request)
{
	bool can_read = can_read_operations(request->api);
	bool can_change = supervisor_link_is_up(request->api->link);
	bool is_ready = can_read && can_change;
	struct json json = reply_json(&request->reply, is_ready ? 200 : 503);

	json_object_begin(&json);
	json_member_str(&json, STR("status"), is_ready ? STR("ok") :
	    STR("unavailable"));
	json_member_bool(&json, STR("operations"), can_read);
	json_member_bool(&json, STR("supervisor"), can_change);
	json_object_end(&json);
}

#include "api/route.h"

#include <string.h>

#include "api/handlers.h"

static const struct route routes[] = {
	{ .name = "getBackfillStatus", .access = ROUTE_READ,
	    .params = h_status_params, .handler = h_status },
	{ .name = "getBackfillHistory", .access = ROUTE_READ,
	    .params = h_history_params, .handler = h_history },
	{ .name = "searchRecords", .access = ROUTE_READ,
	    .params = h_search_params, .handler = h_search },
	{ .name = "triggerBackfill", .kind = ROUTE_PROCEDURE, .handler = h_trigger },
	{ .name = "cancelBackfill", .kind = ROUTE_PROCEDURE, .handler = h_cancel },
	{ .name = "pauseBackfill", .kind = ROUTE_PROCEDURE, .handler = h_pause },
	{ .name = "resumeBackfill", .kind = ROUTE_PROCEDURE, .handler = h_resume },

#define TRIGGER(method, type) \
	{ .name = method, .kind = ROUTE_PROCEDURE, .handler = h_trigger_type, \
	    .op_type = type }
	TRIGGER("triggerDIDSync", "did-sync"),
	TRIGGER("triggerPDSScan", "pds-scan"),
	TRIGGER("triggerFreshnessScan", "freshness-scan"),
	TRIGGER("triggerGovernanceSync", "governance-sync"),
	TRIGGER("triggerCitationExtraction", "citation-extraction"),
	TRIGGER("triggerFullReindex", "full-reindex"),
#undef TRIGGER

	{ .name = "/metrics", .access = ROUTE_READ, .handler = h_metrics },
	{ .name = "/events", .access = ROUTE_READ, .handler = h_events },

	/* the dashboard */
	{ .name = "/", .kind = ROUTE_PAGE, .access = ROUTE_READ, .handler = h_home },
	{ .name = "/op/:id", .kind = ROUTE_PAGE, .access = ROUTE_READ,
	    .handler = h_operation },
	{ .name = "/op/:id/pause", .kind = ROUTE_FORM, .handler = h_pause_form },
	{ .name = "/op/:id/resume", .kind = ROUTE_FORM, .handler = h_resume_form },
	{ .name = "/op/:id/cancel", .kind = ROUTE_FORM, .handler = h_cancel_form },
	{ .name = "/start", .kind = ROUTE_FORM, .handler = h_start },
	{ .name = "/login", .kind = ROUTE_PAGE, .access = ROUTE_PUBLIC,
	    .handler = h_login },
	{ .name = "/session", .kind = ROUTE_FORM, .access = ROUTE_PUBLIC,
	    .acts_as = "startSession",
	    .handler = h_session_start },
	{ .name = "/session/end", .kind = ROUTE_FORM, .access = ROUTE_READ,
	    .handler = h_session_end },
	{ .name = "/assets/:id", .access = ROUTE_PUBLIC, .handler = h_asset },

	{ .name = "/xrpc/_health", .access = ROUTE_PUBLIC, .handler = h_health },
	{ .name = "/api/admin/backfill", .kind = ROUTE_ACTION,
	    .acts_as = "triggerBackfill", .handler = h_atbb_start },
	{ .name = "/api/admin/backfill/:id", .access = ROUTE_READ,
	    .acts_as = "getBackfillStatus", .handler = h_atbb_show },
	{ .name = "/api/admin/backfill/:id/errors", .access = ROUTE_READ,
	    .acts_as = "getBackfillStatus", .handler = h_atbb_errors },

	{ .name = "/.well-known/did.json", .access = ROUTE_PUBLIC,
	    .handler = h_did_document },
	{ .name = "/livez", .access = ROUTE_PUBLIC, .handler = h_livez },
	{ .name = "/readyz", .access = ROUTE_PUBLIC, .handler = h_readyz },
};

static struct str
without_front(struct str text, size_t len)
{
	return (struct str){ text.ptr + len, text.len - len };
}

/* Does the path fit a name that may have ":id" in it? */
static bool
matches(const char *name, struct str path, struct str *arg_out)
{
	struct str rest, arg;
	size_t n = 0;

	while (n < path.len && name[n] == path.ptr[n])
		n++;
	*arg_out = STR_NONE;
	if (n == path.len && name[n] == '\0')
		return true;
	if (n == 0 || strncmp(name + n - 1, "/:id", strlen("/:id")) != 0)
		return false;
	rest = arg = without_front(path, n);
	while (rest.len > 0 && rest.ptr[0] != '/')
		rest = without_front(rest, 1);
	arg.len -= rest.len;
	*arg_out = arg;
	return arg.len > 0 && str_eq(rest, str_from(name + n + strlen(":id")));
}

static const struct route *
find(struct str name, struct str *arg_out)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(routes); i++)
		if (matches(routes[i].name, name, arg_out))
			return &routes[i];
	return NULL;
}

/* The characters that the reference server allows in a method's place. */
static bool
may_be_nsid(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '.'))
			return false;
	}
	return text.len > 0;
}

static const struct route *
find_method(struct str nsid, struct str authority, struct str *arg_out)
{
	if (!str_starts_with(nsid, authority) || nsid.len == authority.len ||
	    nsid.ptr[authority.len] != '.')
		return NULL;
	return find(without_front(nsid, authority.len + 1), arg_out);
}

enum route_result
route_find(struct str path, struct str authority, const struct route **route_out,
    struct str *arg_out)
{
	const struct route *route = NULL;
	bool is_xrpc = str_starts_with(path, STR("/xrpc/")), is_nsid;
	struct str nsid;

	/* The reference server takes one slash at the end. */
	if (path.len > STR("/xrpc/").len && path.ptr[path.len - 1] == '/')
		path.len--;

	nsid = is_xrpc ? without_front(path, STR("/xrpc/").len) : STR_NONE;
	is_nsid = may_be_nsid(nsid);
	if (is_nsid)
		route = find_method(nsid, authority, arg_out);
	if (route == NULL)
		route = find(path, arg_out);
	if (route == NULL && !is_xrpc)
		return ROUTE_NOTHING_THERE;
	if (route == NULL)
		return is_nsid ? ROUTE_UNKNOWN_METHOD : ROUTE_BAD_PATH;
	*route_out = route;
	return ROUTE_FOUND;
}

const char *
route_method(const struct route *route)
{
	return route->name[0] == '/' ? route->acts_as : route->name;
}

size_t
route_count(void)
{
	return BF_ARRAY_LEN(routes);
}

const struct route *
route_at(size_t i)
{
	return &routes[i];
}

size_t
route_index(const struct route *route)
{
	return (size_t)(route - routes);
}

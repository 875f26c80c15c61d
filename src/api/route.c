#include "api/route.h"

#include "api/handlers.h"

static const struct route routes[] = {
	/* name, kind, is public, params, handler, type of operation */
	{ "getBackfillStatus", ROUTE_QUERY, false, h_status_params, h_status, NULL },
	{ "getBackfillHistory", ROUTE_QUERY, false, h_history_params, h_history,
	    NULL },
	{ "triggerBackfill", ROUTE_PROCEDURE, false, NULL, h_trigger, NULL },
	{ "cancelBackfill", ROUTE_PROCEDURE, false, NULL, h_cancel, NULL },

	{ "triggerDIDSync", ROUTE_PROCEDURE, false, NULL, h_trigger_type,
	    "did-sync" },
	{ "triggerPDSScan", ROUTE_PROCEDURE, false, NULL, h_trigger_type,
	    "pds-scan" },
	{ "triggerFreshnessScan", ROUTE_PROCEDURE, false, NULL, h_trigger_type,
	    "freshness-scan" },
	{ "triggerGovernanceSync", ROUTE_PROCEDURE, false, NULL, h_trigger_type,
	    "governance-sync" },
	{ "triggerCitationExtraction", ROUTE_PROCEDURE, false, NULL,
	    h_trigger_type, "citation-extraction" },
	{ "triggerFullReindex", ROUTE_PROCEDURE, false, NULL, h_trigger_type,
	    "full-reindex" },

	{ "/xrpc/_health", ROUTE_QUERY, true, NULL, h_health, NULL },
	{ "/livez", ROUTE_QUERY, true, NULL, h_livez, NULL },
	{ "/readyz", ROUTE_QUERY, true, NULL, h_readyz, NULL },
};

static const struct route *
find(struct str name)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(routes); i++)
		if (str_eq(name, str_from(routes[i].name)))
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

static struct str
without_front(struct str text, size_t len)
{
	return (struct str){ text.ptr + len, text.len - len };
}

static const struct route *
find_method(struct str nsid, struct str authority)
{
	if (!str_starts_with(nsid, authority) || nsid.len == authority.len ||
	    nsid.ptr[authority.len] != '.')
		return NULL;
	return find(without_front(nsid, authority.len + 1));
}

enum route_result
route_find(struct str path, struct str authority, const struct route **route_out)
{
	const struct route *route;
	struct str nsid;

	/* The reference server takes one slash at the end. */
	if (path.len > STR("/xrpc/").len && path.ptr[path.len - 1] == '/')
		path.len--;

	if ((route = find(path)) != NULL) {
		*route_out = route;
		return ROUTE_FOUND;
	}
	if (!str_starts_with(path, STR("/xrpc/")))
		return ROUTE_NOTHING_THERE;
	nsid = without_front(path, STR("/xrpc/").len);
	if (!may_be_nsid(nsid))
		return ROUTE_BAD_PATH;
	if ((route = find_method(nsid, authority)) == NULL)
		return ROUTE_UNKNOWN_METHOD;
	*route_out = route;
	return ROUTE_FOUND;
}

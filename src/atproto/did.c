#include "atproto/did.h"

#include "atproto/ascii.h"
#include "atproto/handle.h"
#include "common/limits.h"

#define PLC_ID_LEN	24

static bool
is_id_char(char c)
{
	return ascii_is_alnum(c) || c == '.' || c == '_' || c == ':' || c == '%' ||
	    c == '-';
}

bool
did_is_valid(struct str did)
{
	size_t i = 4;
	char last;

	if (did.len > LIMIT_DID_BYTES || !str_starts_with(did, STR("did:")))
		return false;
	while (i < did.len && ascii_is_lower(did.ptr[i]))
		i++;
	if (i == 4 || i >= did.len || did.ptr[i] != ':')
		return false;
	for (i++; i < did.len; i++)
		if (!is_id_char(did.ptr[i]))
			return false;

	/* The method's colon counts too: an empty identifier is refused here. */
	last = did.ptr[did.len - 1];
	return last != ':' && last != '%';
}

bool
did_is_plc(struct str did)
{
	struct str prefix = STR("did:plc:");

	if (did.len != prefix.len + PLC_ID_LEN || !str_starts_with(did, prefix))
		return false;
	for (size_t i = prefix.len; i < did.len; i++) {
		char c = did.ptr[i];

		if (!ascii_is_lower(c) && (c < '2' || c > '7'))
			return false;
	}
	return true;
}

/* "localhost", or "localhost%3A" and a port. */
static bool
is_localhost(struct str host)
{
	struct str name = STR("localhost"), colon = STR("%3A");
	uint64_t port;

	if (!str_starts_with(host, name))
		return false;
	host = (struct str){ host.ptr + name.len, host.len - name.len };
	if (host.len == 0)
		return true;
	if (!str_starts_with(host, colon))
		return false;
	host = (struct str){ host.ptr + colon.len, host.len - colon.len };
	return host.len <= 5 && str_to_u64(host, &port) == 0 && port >= 1 &&
	    port <= 65535;
}

bool
did_is_web(struct str did)
{
	struct str prefix = STR("did:web:");
	struct str host;

	if (!str_starts_with(did, prefix))
		return false;
	host = (struct str){ did.ptr + prefix.len, did.len - prefix.len };
	return handle_is_valid(host) || is_localhost(host);
}

bool
did_is_atproto(struct str did)
{
	return did_is_plc(did) || did_is_web(did);
}

struct str
did_without_fragment(struct str did)
{
	const char *hash = did.len > 0 ? memchr(did.ptr, '#', did.len) : NULL;

	if (hash != NULL)
		did.len = (size_t)(hash - did.ptr);
	return did;
}

#include "atproto/diddoc.h"

#include <stdlib.h>

#include <jansson.h>

#include "atproto/ascii.h"
#include "atproto/basex.h"
#include "atproto/handle.h"
#include "common/limits.h"
#include "common/mem.h"

/* A member that is text, or the empty slice. */
static struct str
text_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return STR_NONE;
	return (struct str){ json_string_value(value), json_string_length(value) };
}

/* Ids are "#name" or "DID#name". */
static bool
is_id(struct str id, struct str did, struct str fragment)
{
	if (str_eq(id, fragment))
		return true;
	return id.len == did.len + fragment.len && str_starts_with(id, did) &&
	    memcmp(id.ptr + did.len, fragment.ptr, fragment.len) == 0;
}

/* The first object of an array member with that id; NULL if there is none. */
static const json_t *
find_by_id(const json_t *doc, const char *member, struct str did, struct str fragment)
{
	const json_t *array = json_object_get(doc, member);
	const json_t *entry;
	size_t i;

	json_array_foreach(array, i, entry)
		if (is_id(text_member(entry, "id"), did, fragment))
			return entry;
	return NULL;
}

/* Before Multikey the type named the curve, and the point stood alone. */
static int
parse_legacy_key(enum key_curve curve, struct str text, struct key *key_out)
{
	uint8_t point[65];
	size_t len;

	if (text.len == 0 || text.ptr[0] != 'z' ||
	    multibase_decode(text, point, sizeof(point), &len) < 0)
		return -1;
	return key_from_point(curve, (struct bytes){ point, len }, key_out);
}

static int
parse_key(const json_t *doc, struct str did, struct key *key_out)
{
	const json_t *method = find_by_id(doc, "verificationMethod", did,
	    STR("#atproto"));
	struct str type = text_member(method, "type");
	struct str text = text_member(method, "publicKeyMultibase");

	if (method == NULL || !str_eq(text_member(method, "controller"), did))
		return -1;
	if (str_eq(type, STR("Multikey")))
		return key_parse_multikey(text, key_out);
	if (str_eq(type, STR("EcdsaSecp256k1VerificationKey2019")))
		return parse_legacy_key(KEY_K256, text, key_out);
	if (str_eq(type, STR("EcdsaSecp256r1VerificationKey2019")))
		return parse_legacy_key(KEY_P256, text, key_out);
	return -1;
}

/* host or [address], with a port or without: no path, query, fragment, userinfo. */
static bool
is_host_port(struct str s)
{
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!ascii_is_alnum(c) && c != '.' && c != '-' && c != ':' && c != '[' &&
		    c != ']')
			return false;
	}
	return s.ptr[0] != ':' && s.ptr[s.len - 1] != ':';
}

/* The server's address without a final slash; NULL if it is none. */
static char *
parse_pds(const json_t *doc, struct str did, bool allow_http)
{
	const json_t *service = find_by_id(doc, "service", did, STR("#atproto_pds"));
	struct str url = text_member(service, "serviceEndpoint");
	struct str scheme = STR("https://"), http = STR("http://");

	if (service == NULL || url.len > LIMIT_URL_BYTES ||
	    !str_eq(text_member(service, "type"), STR("AtprotoPersonalDataServer")))
		return NULL;
	if (allow_http && str_starts_with(url, http))
		scheme = http;
	if (!str_starts_with(url, scheme))
		return NULL;
	if (url.ptr[url.len - 1] == '/')
		url.len--;
	if (url.len <= scheme.len ||
	    !is_host_port((struct str){ url.ptr + scheme.len, url.len - scheme.len }))
		return NULL;
	return xstrndup(url.ptr, url.len);
}

/* The first name that is an at:// handle. */
static char *
parse_handle(const json_t *doc)
{
	const json_t *array = json_object_get(doc, "alsoKnownAs");
	const json_t *name;
	size_t i;

	json_array_foreach(array, i, name) {
		struct str text, scheme = STR("at://");

		if (!json_is_string(name))
			continue;
		text = (struct str){ json_string_value(name), json_string_length(name) };
		if (!str_starts_with(text, scheme))
			continue;
		text = (struct str){ text.ptr + scheme.len, text.len - scheme.len };
		if (handle_is_valid(text))
			return xstrndup(text.ptr, text.len);
	}
	return NULL;
}

int
diddoc_parse(struct bytes json, struct str did, bool allow_http, struct diddoc *doc_out,
    struct err *err)
{
	struct diddoc doc = { .has_key = false };
	json_error_t error;
	json_t *root;
	struct str id;

	if (json.len > LIMIT_DIDDOC_BYTES)
		return err_set(err, ERR_LIMIT,
		    "DID document: %zu bytes are over the limit of %d",
		    json.len, LIMIT_DIDDOC_BYTES);
	root = json_loadb(json.len > 0 ? (const char *)json.ptr : "", json.len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (root == NULL)
		return err_set(err, ERR_INVALID, "DID document: not JSON: %s at byte %d",
		    error.text, error.position);
	id = text_member(root, "id");
	if (id.len == 0 || !str_eq(id, did)) {
		json_decref(root);
		return err_set(err, ERR_INVALID, "DID document: its id is not %.*s",
		    STR_FMT(did));
	}
	doc.has_key = parse_key(root, did, &doc.key) == 0;
	doc.pds = parse_pds(root, did, allow_http);
	doc.handle = parse_handle(root);
	json_decref(root);
	*doc_out = doc;
	return 0;
}

void
diddoc_clear(struct diddoc *doc)
{
	free(doc->pds);
	free(doc->handle);
	*doc = (struct diddoc){ .has_key = false };
}

#include "atproto/aturi.h"

#include "atproto/handle.h"
#include "atproto/nsid.h"
#include "atproto/rkey.h"
#include "common/limits.h"

/* Cut the text before the next '/' off rest; rest is what follows it. */
static struct str
take_part(struct str *rest, bool *has_slash_out)
{
	const char *slash = rest->len > 0 ? memchr(rest->ptr, '/', rest->len) : NULL;
	struct str part = *rest;

	*has_slash_out = slash != NULL;
	if (slash == NULL) {
		*rest = STR_NONE;
		return part;
	}
	part.len = (size_t)(slash - part.ptr);
	*rest = (struct str){ slash + 1, rest->len - part.len - 1 };
	return part;
}

int
aturi_parse(struct str text, struct aturi *uri_out)
{
	struct str scheme = STR("at://");
	struct aturi uri = { STR_NONE, STR_NONE, STR_NONE };
	struct str rest;
	bool has_slash;

	if (text.len > LIMIT_ATURI_BYTES || !str_starts_with(text, scheme))
		return -1;
	rest = (struct str){ text.ptr + scheme.len, text.len - scheme.len };
	uri.authority = take_part(&rest, &has_slash);
	if (!at_identifier_is_valid(uri.authority))
		return -1;
	if (has_slash) {
		uri.collection = take_part(&rest, &has_slash);
		if (!nsid_is_valid(uri.collection))
			return -1;
	}
	if (has_slash) {
		uri.rkey = rest;
		if (!rkey_is_valid(uri.rkey))
			return -1;
	}
	*uri_out = uri;
	return 0;
}

bool
aturi_is_valid(struct str text)
{
	struct aturi uri;

	return aturi_parse(text, &uri) == 0;
}

void
aturi_format(const struct aturi *uri, struct buf *to)
{
	buf_add_str(to, STR("at://"));
	buf_add_str(to, uri->authority);
	if (uri->collection.len > 0) {
		buf_add_byte(to, '/');
		buf_add_str(to, uri->collection);
	}
	if (uri->rkey.len > 0) {
		buf_add_byte(to, '/');
		buf_add_str(to, uri->rkey);
	}
}

#include "atproto/rkey.h"

#include "atproto/ascii.h"
#include "atproto/nsid.h"

static bool
is_rkey_char(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '~' || c == '.' || c == ':' || c == '-';
}

bool
rkey_is_valid(struct str rkey)
{
	if (rkey.len == 0 || rkey.len > RKEY_MAX_BYTES)
		return false;
	for (size_t i = 0; i < rkey.len; i++)
		if (!is_rkey_char(rkey.ptr[i]))
			return false;
	return !str_eq(rkey, STR(".")) && !str_eq(rkey, STR(".."));
}

int
path_parse(struct str path, struct str *collection_out, struct str *rkey_out)
{
	const char *slash = path.len > 0 ? memchr(path.ptr, '/', path.len) : NULL;
	struct str collection, rkey;

	if (slash == NULL)
		return -1;
	collection = (struct str){ path.ptr, (size_t)(slash - path.ptr) };
	rkey = (struct str){ slash + 1, path.len - collection.len - 1 };
	if (!nsid_is_valid(collection) || !rkey_is_valid(rkey))
		return -1;
	*collection_out = collection;
	*rkey_out = rkey;
	return 0;
}

#include "atproto/rkey.h"

#include "atproto/nsid.h"
#include "common/limits.h"

/* One bit for each of the 128 characters that may stand in a record key: every key
 * of a repository is read through this. */
static const uint64_t rkey_chars[2] = {
	0x07ff600000000000,	/* - . 0-9 : */
	0x47fffffe87fffffe,	/* A-Z _ a-z ~ */
};

static inline bool
is_rkey_char(char c)
{
	uint8_t byte = (uint8_t)c;

	return byte < 128 && (rkey_chars[byte / 64] >> byte % 64 & 1) != 0;
}

bool
rkey_is_valid(struct str rkey)
{
	if (rkey.len == 0 || rkey.len > LIMIT_RKEY_BYTES)
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

#include "atproto/filter.h"

#include <stdlib.h>

#include "atproto/nsid.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

struct filter {
	/* owned: prefixes of keys, "pub.chive.eprint/" or "pub.chive." or "" */
	char **prefixes;
	size_t n;
};

struct filter *
filter_new(void)
{
	return xcalloc(1, sizeof(struct filter));
}

void
filter_free(struct filter **filter)
{
	if (*filter == NULL)
		return;
	for (size_t i = 0; i < (*filter)->n; i++)
		free((*filter)->prefixes[i]);
	free((*filter)->prefixes);
	free(*filter);
	*filter = NULL;
}

int
filter_add(struct filter *filter, struct str pattern)
{
	char *prefix;

	if (!nsid_pattern_is_valid(pattern))
		return -1;
	prefix = xmalloc(pattern.len + 2);
	memcpy(prefix, pattern.ptr, pattern.len);
	if (pattern.ptr[pattern.len - 1] == '*') {
		prefix[pattern.len - 1] = '\0';
	} else {
		prefix[pattern.len] = '/';
		prefix[pattern.len + 1] = '\0';
	}
	filter->prefixes = xrealloc(filter->prefixes, (filter->n + 1) * sizeof(char *));
	filter->prefixes[filter->n++] = prefix;
	return 0;
}

bool
filter_wants_path(const struct filter *filter, struct str path)
{
	if (filter == NULL)
		return true;
	for (size_t i = 0; i < filter->n; i++)
		if (str_starts_with(path, str_from(filter->prefixes[i])))
			return true;
	return false;
}

bool
filter_wants(const struct filter *filter, struct str collection)
{
	char path[LIMIT_COLLECTION_BYTES + 1];

	if (filter == NULL)
		return true;
	if (collection.len > LIMIT_COLLECTION_BYTES)
		return false;
	memcpy(path, collection.ptr, collection.len);
	path[collection.len] = '/';
	return filter_wants_path(filter, (struct str){ path, collection.len + 1 });
}

bool
filter_wants_between(const struct filter *filter, struct str after, struct str before)
{
	if (filter == NULL)
		return true;
	for (size_t i = 0; i < filter->n; i++) {
		struct str prefix = str_from(filter->prefixes[i]);
		/* Keys with the prefix lie behind it and before all greater texts. */
		bool ends_after = str_cmp(prefix, after) >= 0 ||
		    str_starts_with(after, prefix);
		bool starts_before = before.len == 0 || str_cmp(prefix, before) < 0;

		if (ends_after && starts_before)
			return true;
	}
	return false;
}

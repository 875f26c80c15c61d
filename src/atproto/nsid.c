#include "atproto/nsid.h"

#include "atproto/ascii.h"
#include "common/limits.h"

#define SEGMENT_MAX_BYTES	63

/* A segment of the authority: like a DNS label; the first begins with a letter. */
static bool
is_segment(struct str s, bool is_first)
{
	if (s.len == 0 || s.len > SEGMENT_MAX_BYTES || s.ptr[0] == '-' ||
	    s.ptr[s.len - 1] == '-')
		return false;
	if (is_first && !ascii_is_alpha(s.ptr[0]))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.ptr[i]) && s.ptr[i] != '-')
			return false;
	return true;
}

/* The last segment: letters and digits, a letter first. */
static bool
is_name(struct str s)
{
	if (s.len == 0 || s.len > SEGMENT_MAX_BYTES || !ascii_is_alpha(s.ptr[0]))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.ptr[i]))
			return false;
	return true;
}

/* Number of segments of a dotted authority, 0 if one of them is not valid. */
static size_t
authority_segments(struct str authority)
{
	size_t n = 0, start = 0;

	for (size_t i = 0; i <= authority.len; i++) {
		if (i < authority.len && authority.ptr[i] != '.')
			continue;
		if (!is_segment((struct str){ authority.ptr + start, i - start }, n == 0))
			return 0;
		start = i + 1;
		n++;
	}
	return n;
}

bool
nsid_is_valid(struct str nsid)
{
	const char *dot;
	size_t authority;

	if (nsid.len == 0 || nsid.len > LIMIT_COLLECTION_BYTES)
		return false;
	dot = memrchr(nsid.ptr, '.', nsid.len);
	if (dot == NULL)
		return false;
	authority = (size_t)(dot - nsid.ptr);
	return authority_segments((struct str){ nsid.ptr, authority }) >= 2 &&
	    is_name((struct str){ dot + 1, nsid.len - authority - 1 });
}

static bool
has_star(struct str pattern)
{
	return pattern.len > 0 && pattern.ptr[pattern.len - 1] == '*';
}

bool
nsid_pattern_is_valid(struct str pattern)
{
	if (!has_star(pattern))
		return nsid_is_valid(pattern);
	if (pattern.len == 1)
		return true;
	return pattern.ptr[pattern.len - 2] == '.' &&
	    authority_segments((struct str){ pattern.ptr, pattern.len - 2 }) >= 1;
}

bool
nsid_matches(struct str nsid, struct str pattern)
{
	if (!has_star(pattern))
		return str_eq(nsid, pattern);
	pattern.len--;
	return nsid.len > pattern.len && str_starts_with(nsid, pattern);
}

#include "atproto/handle.h"

#include "atproto/ascii.h"
#include "atproto/did.h"
#include "common/attr.h"
#include "common/limits.h"

#define LABEL_MAX_BYTES	63	/* DNS (RFC 1035, 2.3.4) */

bool
handle_is_valid(struct str handle)
{
	size_t label = 0, labels = 1;	/* where the current label starts */

	if (handle.len == 0 || handle.len > LIMIT_HANDLE_BYTES)
		return false;
	for (size_t i = 0; i <= handle.len; i++) {
		if (i < handle.len && handle.ptr[i] != '.') {
			if (!ascii_is_alnum(handle.ptr[i]) && handle.ptr[i] != '-')
				return false;
			continue;
		}
		if (i == label || i - label > LABEL_MAX_BYTES ||
		    handle.ptr[label] == '-' || handle.ptr[i - 1] == '-')
			return false;
		if (i < handle.len) {
			label = i + 1;
			labels++;
		}
	}
	return labels >= 2 && ascii_is_alpha(handle.ptr[label]);
}

static bool
ends_with_fold(struct str text, struct str ending)
{
	if (text.len < ending.len)
		return false;
	for (size_t i = 0; i < ending.len; i++)
		if (ascii_lower(text.ptr[text.len - ending.len + i]) != ending.ptr[i])
			return false;
	return true;
}

bool
handle_is_allowed(struct str handle)
{
	static const char *const reserved[] = { ".alt", ".arpa", ".example", ".internal",
	    ".invalid", ".local", ".localhost", ".onion" };

	for (size_t i = 0; i < BF_ARRAY_LEN(reserved); i++)
		if (ends_with_fold(handle, str_from(reserved[i])))
			return false;
	return true;
}

bool
at_identifier_is_valid(struct str text)
{
	return str_starts_with(text, STR("did:")) ? did_is_valid(text) :
	    handle_is_valid(text);
}

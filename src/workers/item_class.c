#include "workers/item_class.h"

#include <string.h>

#include "common/attr.h"

static const struct {
	const char *error_class, *item_class;
} rows[] = {
	/* fetch_error.h; rate-limited, unreachable, timeout, too-large, invalid,
	 * refused, blocked, gone, deactivated are the same */
	{ "truncated",		"unreachable" },
	{ "server-error",	"unreachable" },
	{ "tls",		"unreachable" },
	{ "not-found",		"gone" },
	{ "suspended",		"deactivated" },
	{ "takendown",		"deactivated" },
	/* fault.def */
	{ "BadCar",		"invalid" },
	{ "BadBlock",		"invalid" },
	{ "BadCbor",		"invalid" },
	{ "BadCommit",		"invalid" },
	{ "BadRecord",		"invalid" },
	{ "BadSignature",	"invalid" },
	{ "BadTree",		"invalid" },
	{ "Incomplete",		"invalid" },
	{ "Truncated",		"invalid" },
	{ "TooLarge",		"too-large" },
	{ "Io",			"index" },
	/* sync_repo.h */
	{ "no-key",		"invalid" },
	/* the indexer's */
	{ "store",		"index" },
	{ "disk-full",		"index" },
};

const char *
item_class_of(const char *error_class)
{
	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].error_class, error_class) == 0)
			return rows[i].item_class;
	return error_class;
}

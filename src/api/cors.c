#include "api/cors.h"

#include "common/settings.h"

enum cors
cors_judge(const char *origins, struct str origin)
{
	struct str rest = str_from(origins), item;
	enum cors verdict = CORS_NO;

	while (!str_is_empty(item = settings_next_item(&rest))) {
		if (str_eq(item, STR("*")))
			return CORS_ANY;
		if (str_eq(item, origin))
			verdict = CORS_LISTED;
	}
	return verdict;
}

#include "supervisor/type_limit.h"

#include "common/settings.h"
#include "op/op_type.h"

#define MOST	1000	/* as max_workers */

static int
split(struct str item, struct str *type_out, uint64_t *number_out)
{
	const char *at = item.len > 0 ? memchr(item.ptr, '=', item.len) : NULL;
	struct str number;

	if (at == NULL)
		return -1;
	*type_out = (struct str){ item.ptr, (size_t)(at - item.ptr) };
	number = (struct str){ at + 1, item.len - type_out->len - 1 };
	return str_to_u64(number, number_out);
}

static bool
is_type(struct str name)
{
	return op_type_find(name) != NULL || op_type_is_plain_name(name);
}

int
type_limit_check(const char *list, struct err *err)
{
	struct str rest = str_from(list), item, type;
	uint64_t number;

	while (!str_is_empty(item = settings_next_item(&rest)))
		if (split(item, &type, &number) == -1 || !is_type(type) || number < 1 ||
		    number > MOST)
			return err_set(err, ERR_INVALID, "max_workers_per_type: \"%.*s\" has "
			    "to be a type, \"=\" and a number from 1 to %d", STR_FMT(item),
			    MOST);
	return 0;
}

uint64_t
type_limit(const char *list, struct str type)
{
	struct str rest = str_from(list), item, name;
	uint64_t number;

	while (!str_is_empty(item = settings_next_item(&rest))) {
		const struct op_type *known;

		if (split(item, &name, &number) == -1)
			continue;
		known = op_type_find(name);
		if (str_eq(known != NULL ? str_from(known->kebab) : name, type))
			return number;
	}
	return TYPE_LIMIT_NONE;
}

#include "supervisor/time_limit.h"

#include "common/log.h"
#include "common/settings.h"
#include "op/op_type.h"
#include "supervisor/child.h"

#define MOST_MS		(366ull * 24 * 3600 * 1000)

static const struct {
	const char *word;
	uint64_t ms;
} units[] = {
	{ "s", 1000 }, { "min", 60 * 1000 }, { "h", 3600 * 1000 },
	{ "d", 24 * 3600 * 1000 },
};

static int
parse_time(struct str text, uint64_t *ms_out)
{
	size_t digits = 0;
	uint64_t number;
	struct str unit;

	while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
		digits++;
	unit = (struct str){ text.ptr + digits, text.len - digits };
	if (str_to_u64((struct str){ text.ptr, digits }, &number) == -1 || number < 1)
		return -1;
	for (size_t i = 0; i < BF_ARRAY_LEN(units); i++) {
		if (!str_eq(unit, str_from(units[i].word)))
			continue;
		if (number > MOST_MS / units[i].ms)
			return -1;
		*ms_out = number * units[i].ms;
		return 0;
	}
	return -1;
}

static int
split(struct str item, struct str *type_out, uint64_t *ms_out)
{
	const char *at = item.len > 0 ? memchr(item.ptr, '=', item.len) : NULL;

	if (at == NULL)
		return -1;
	*type_out = (struct str){ item.ptr, (size_t)(at - item.ptr) };
	return parse_time((struct str){ at + 1, item.len - type_out->len - 1 }, ms_out);
}

static bool
is_type(struct str name)
{
	return str_eq(name, STR("*")) || op_type_find(name) != NULL ||
	    op_type_is_plain_name(name);
}

int
time_limit_check(const char *list, struct err *err)
{
	struct str rest = str_from(list), item, type;
	uint64_t ms;

	while (!str_is_empty(item = settings_next_item(&rest)))
		if (split(item, &type, &ms) == -1 || !is_type(type))
			return err_set(err, ERR_INVALID, "max_time_per_type: \"%.*s\" has "
			    "to be a type or *, \"=\" and a time like 90s, 30min, 12h or 7d, "
			    "at most 366d", STR_FMT(item));
	return 0;
}

uint64_t
time_limit_ms(const char *list, struct str type)
{
	struct str rest = str_from(list), item, name;
	uint64_t of_all = TIME_LIMIT_NONE, ms;

	while (!str_is_empty(item = settings_next_item(&rest))) {
		const struct op_type *known;

		if (split(item, &name, &ms) == -1)
			continue;
		known = op_type_find(name);
		if (str_eq(known != NULL ? str_from(known->kebab) : name, type))
			return ms;
		if (str_eq(name, STR("*")))
			of_all = ms;
	}
	return of_all;
}

static void
on_timer(struct ev_loop *loop BF_UNUSED, struct ev_timer *watcher,
    int revents BF_UNUSED)
{
	struct child *child = watcher->data;

	log_warn("op %s worker %d: is over the time of its type, stopping it", child->id,
	    child->pid);
	child_stop(child, STOP_TIMEOUT);
}

void
time_limit_start(struct child *child)
{
	uint64_t ms = time_limit_ms(child->sup->settings.max_time_per_type,
	    str_from(child->type));

	child->end.time_limit_ms = ms;
	ev_timer_init(&child->time_timer, on_timer, (double)ms / 1e3, 0.);
	child->time_timer.data = child;
	if (ms != TIME_LIMIT_NONE)
		ev_timer_start(child->sup->loop, &child->time_timer);
}

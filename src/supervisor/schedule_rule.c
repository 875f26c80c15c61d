#include "supervisor/schedule_rule.h"

#include <stdio.h>
#include <time.h>

#define MOST_MS		(366ull * 24 * 3600 * 1000)
#define DAY_MOST_MS	(25 * 3600 * 1000ll)	/* when clocks are put back for the winter */

static const struct {
	const char *word;
	uint64_t ms;
} units[] = {
	{ "s", 1000 }, { "min", 60 * 1000 }, { "h", 3600 * 1000 },
	{ "d", 24 * 3600 * 1000 },
};

static size_t
digits(struct str text)
{
	size_t n = 0;

	while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
		n++;
	return n;
}

int
schedule_rule_every(struct str value, struct schedule_rule *rule_out, struct err *err)
{
	struct schedule_rule rule = { 0 };
	size_t n = digits(value);
	struct str unit = { value.ptr + n, value.len - n };
	uint64_t number;

	while (unit.len > 0 && unit.ptr[0] == ' ') {
		unit.ptr++;
		unit.len--;
	}
	if (str_to_u64((struct str){ value.ptr, n }, &number) == 0 && number <= MOST_MS)
		for (size_t i = 0; i < BF_ARRAY_LEN(units); i++)
			if (str_eq(unit, str_from(units[i].word)))
				rule.every_ms = number * units[i].ms;
	if (rule.every_ms == 0 || rule.every_ms > MOST_MS)
		return err_set(err, ERR_INVALID, "every = \"%.*s\": has to be a time like "
		    "\"90 s\", \"30 min\", \"6 h\" or \"1 d\", at most 366 d", STR_FMT(value));
	(void)snprintf(rule.text, sizeof(rule.text), "every %llu %.*s",
	    (unsigned long long)number, STR_FMT(unit));
	*rule_out = rule;
	return 0;
}

int
schedule_rule_daily(struct str value, struct schedule_rule *rule_out, struct err *err)
{
	struct schedule_rule rule = { 0 };
	struct str hour = { value.ptr, 2 }, minute = { value.ptr + 3, 2 };
	uint64_t h, m;

	if (value.len != 5 || value.ptr[2] != ':' || str_to_u64(hour, &h) == -1 ||
	    str_to_u64(minute, &m) == -1 || h > 23 || m > 59)
		return err_set(err, ERR_INVALID, "daily = \"%.*s\": has to be a time of day "
		    "like \"03:00\"", STR_FMT(value));
	rule.hour = (unsigned)h;
	rule.minute = (unsigned)m;
	(void)snprintf(rule.text, sizeof(rule.text), "daily %02u:%02u", rule.hour,
	    rule.minute);
	*rule_out = rule;
	return 0;
}

/* The day's turn, `days` from the day of now; mktime() knows the calendar and when
 * clocks are put forward. */
static int64_t
daily_turn(const struct schedule_rule *rule, int64_t now_ms, int days)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm tm;

	(void)localtime_r(&now, &tm);
	tm.tm_mday += days;
	tm.tm_hour = (int)rule->hour;
	tm.tm_min = (int)rule->minute;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * 1000;
}

int64_t
schedule_rule_next(const struct schedule_rule *rule, int64_t planned_ms,
    int64_t now_ms)
{
	int64_t every_ms = (int64_t)rule->every_ms, turn;

	if (every_ms > 0) {
		if (planned_ms == 0 || planned_ms > now_ms)
			return now_ms + every_ms;
		return planned_ms + ((now_ms - planned_ms) / every_ms + 1) * every_ms;
	}
	turn = daily_turn(rule, now_ms, 0);
	return turn > now_ms ? turn : daily_turn(rule, now_ms, 1);
}

bool
schedule_rule_is_off(const struct schedule_rule *rule, int64_t planned_ms,
    int64_t now_ms)
{
	int64_t most_ms = rule->every_ms > 0 ? (int64_t)rule->every_ms : DAY_MOST_MS;

	return planned_ms - now_ms > most_ms;
}

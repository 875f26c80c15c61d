#include "atproto/datetime.h"

#include "atproto/ascii.h"
#include "common/attr.h"

#define FRACTION_MAX_DIGITS	20

/* Digits at text[at .. at + n), or -1. */
static int
number_at(struct str text, size_t at, size_t n)
{
	int value = 0;

	if (text.len < at + n)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (!ascii_is_digit(text.ptr[i]))
			return -1;
		value = value * 10 + (text.ptr[i] - '0');
	}
	return value;
}

static bool
has_char(struct str text, size_t at, char c)
{
	return at < text.len && text.ptr[at] == c;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && is_leap ? 29 : days[month - 1];
}

/*
 * Days since 1970-01-01 in the Gregorian calendar.  Years are counted from March,
 * so that the leap day is a year's last, and from 400 years before the year 0, so
 * that none is negative.
 */
static int64_t
days_since_1970(int year, int month, int day)
{
	int64_t y = 400 + (month <= 2 ? year - 1 : year);
	int64_t m = month <= 2 ? month + 9 : month - 3;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day;

	return days - 719469 - 146097;
}

/* ".123" -> 123; *at moves behind it.  -1 if it is malformed, 0 if absent. */
static int
parse_fraction(struct str text, size_t *at)
{
	size_t start = *at + 1, n = 0;
	int ms = 0, unit = 100;

	if (!has_char(text, *at, '.'))
		return 0;
	while (start + n < text.len && ascii_is_digit(text.ptr[start + n])) {
		ms += (text.ptr[start + n] - '0') * unit;
		unit /= 10;
		n++;
	}
	*at = start + n;
	return n >= 1 && n <= FRACTION_MAX_DIGITS ? ms : -1;
}

/* "Z" or "+01:30", which must end the text, as minutes. */
static int
parse_zone(struct str text, size_t at, int *minutes_out)
{
	int hours, minutes;

	if (has_char(text, at, 'Z')) {
		*minutes_out = 0;
		return at + 1 == text.len ? 0 : -1;
	}
	if (!has_char(text, at, '+') && !has_char(text, at, '-'))
		return -1;
	hours = number_at(text, at + 1, 2);
	minutes = number_at(text, at + 4, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 ||
	    !has_char(text, at + 3, ':') || at + 6 != text.len)
		return -1;
	minutes += hours * 60;
	if (text.ptr[at] == '-') {
		if (minutes == 0)	/* RFC 3339, 4.3: an unknown zone */
			return -1;
		minutes = -minutes;
	}
	*minutes_out = minutes;
	return 0;
}

int
datetime_parse(struct str text, int64_t *wall_ms_out)
{
	int year = number_at(text, 0, 4), month = number_at(text, 5, 2);
	int day = number_at(text, 8, 2), hour = number_at(text, 11, 2);
	int minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
	size_t at = 19;
	int ms, zone;
	int64_t t;

	if (text.len > DATETIME_MAX_BYTES || !has_char(text, 4, '-') ||
	    !has_char(text, 7, '-') || !has_char(text, 10, 'T') ||
	    !has_char(text, 13, ':') || !has_char(text, 16, ':'))
		return -1;
	if (year < 0 || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month) || hour < 0 || hour > 23 || minute < 0 ||
	    minute > 59 || second < 0 || second > 59)
		return -1;
	ms = parse_fraction(text, &at);
	if (ms < 0 || parse_zone(text, at, &zone) < 0)
		return -1;
	t = days_since_1970(year, month, day) * 86400;
	t += hour * 3600 + minute * 60 + second;
	t -= (int64_t)zone * 60;
	/* A zone can move the first hours of the year 0 before it. */
	if (t < days_since_1970(0, 1, 1) * 86400)
		return -1;
	*wall_ms_out = t * 1000 + ms;
	return 0;
}

bool
datetime_is_valid(struct str text)
{
	int64_t wall_ms;

	return datetime_parse(text, &wall_ms) == 0;
}

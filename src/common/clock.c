#include "common/clock.h"

#include <time.h>

#define DATETIME_MAX_MS	253402300799999ll	/* the end of 9999 */

static int64_t
read_clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_wall_ms(void)
{
	return read_clock_us(CLOCK_REALTIME) / 1000;
}

int64_t
clock_wall_us(void)
{
	return read_clock_us(CLOCK_REALTIME);
}

int64_t
clock_mono_us(void)
{
	return read_clock_us(CLOCK_MONOTONIC);
}

int64_t
clock_mono_ms(void)
{
	return read_clock_us(CLOCK_MONOTONIC) / 1000;
}

double
clock_mono_secs(void)
{
	return (double)read_clock_us(CLOCK_MONOTONIC) / 1000000.;
}

/*
 * The Gregorian date of a day counted from 1970-01-01.  Years are counted from
 * March here, so that the leap day is the last of its year and the months before
 * it have a regular length: 153 days for every five.
 */
static void
date_of_day(int64_t day, unsigned *year_out, unsigned *month_out,
    unsigned *day_out)
{
	uint64_t n = (uint64_t)(day + 719468);		/* since 0000-03-01 */
	uint64_t era = n / 146097, of_era = n % 146097;	/* of 400 years */
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 -
	    of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153;	/* 0 is March */

	*day_out = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
	*month_out = (unsigned)(month < 10 ? month + 3 : month - 9);
	*year_out = (unsigned)(era * 400 + year + (*month_out <= 2));
}

/* Write a number in so many digits, and what follows it. */
static char *
put_digits(char *to, unsigned number, int digits, char next)
{
	for (int i = digits - 1; i >= 0; i--, number /= 10)
		to[i] = (char)('0' + number % 10);
	to[digits] = next;
	return to + digits + 1;
}

void
datetime_format(int64_t wall_ms, char text_out[DATETIME_SIZE])
{
	/* The years that four digits can show: 1970 to 9999. */
	int64_t ms = wall_ms < 0 ? 0 : wall_ms > DATETIME_MAX_MS ?
	    DATETIME_MAX_MS : wall_ms;
	unsigned of_day = (unsigned)(ms % 86400000);
	unsigned year, month, day;
	char *to = text_out;

	date_of_day(ms / 86400000, &year, &month, &day);
	to = put_digits(to, year, 4, '-');
	to = put_digits(to, month, 2, '-');
	to = put_digits(to, day, 2, 'T');
	to = put_digits(to, of_day / 3600000, 2, ':');
	to = put_digits(to, of_day / 60000 % 60, 2, ':');
	to = put_digits(to, of_day / 1000 % 60, 2, '.');
	to = put_digits(to, of_day % 1000, 3, 'Z');
	*to = '\0';
}

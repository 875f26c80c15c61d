#include "common/clock.h"

#include <stdio.h>
#include <time.h>

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
clock_mono_ms(void)
{
	return read_clock_us(CLOCK_MONOTONIC) / 1000;
}

void
datetime_format(int64_t wall_ms, char text_out[DATETIME_SIZE])
{
	time_t secs = (time_t)(wall_ms / 1000);
	struct tm tm;
	char date[40];

	gmtime_r(&secs, &tm);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text_out, DATETIME_SIZE, "%.19s.%03uZ", date,
	    (unsigned)(wall_ms % 1000) % 1000);
}

#include "common/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/attr.h"

#define MINUTE	60u
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)

void
human_duration(int64_t ms, char text_out[HUMAN_SIZE])
{
	uint64_t secs = ms > 0 ? (uint64_t)ms / 1000 : 0;

	if (secs == 0)
		(void)snprintf(text_out, HUMAN_SIZE, "%d ms", ms > 0 ? (int)ms : 0);
	else if (secs < MINUTE)
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 " s", secs);
	else if (secs < HOUR)
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 " min %02" PRIu64 " s",
		    secs / MINUTE, secs % MINUTE);
	else if (secs < DAY)
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 " h %02" PRIu64 " min",
		    secs / HOUR, secs % HOUR / MINUTE);
	else
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 " d %02" PRIu64 " h",
		    secs / DAY, secs % DAY / HOUR);
}

void
human_clock(uint64_t secs, char text_out[HUMAN_SIZE])
{
	if (secs < HOUR)
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 ":%02" PRIu64,
		    secs / MINUTE, secs % MINUTE);
	else if (secs < DAY)
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 ":%02" PRIu64
		    ":%02" PRIu64, secs / HOUR, secs % HOUR / MINUTE, secs % MINUTE);
	else
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 "d %02" PRIu64 "h",
		    secs / DAY, secs % DAY / HOUR);
}

void
human_ago(int64_t then_ms, int64_t now_ms, char text_out[HUMAN_SIZE])
{
	static const struct {
		uint64_t secs;
		const char *name;
	} units[] = { { DAY, "d" }, { HOUR, "h" }, { MINUTE, "min" }, { 1, "s" } };
	uint64_t secs = now_ms > then_ms ? (uint64_t)(now_ms - then_ms) / 1000 : 0;

	for (size_t i = 0; i < BF_ARRAY_LEN(units); i++) {
		if (secs >= units[i].secs) {
			(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 " %s ago",
			    secs / units[i].secs, units[i].name);
			return;
		}
	}
	(void)snprintf(text_out, HUMAN_SIZE, "just now");
}

void
human_time(int64_t wall_ms, char text_out[HUMAN_SIZE])
{
	time_t secs = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (localtime_r(&secs, &tm) == NULL ||
	    strftime(text_out, HUMAN_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRId64 " ms", wall_ms);
}

void
human_count(uint64_t number, char text_out[HUMAN_SIZE])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	char *to = text_out;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
}

void
human_bytes(uint64_t bytes, char text_out[HUMAN_SIZE])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 " B", bytes);
		return;
	}
	/* 1023.95 would be written as 1024.0. */
	while (value >= 1023.95 && i + 1 < BF_ARRAY_LEN(units)) {
		value /= 1024;
		i++;
	}
	(void)snprintf(text_out, HUMAN_SIZE, "%.1f %s", value, units[i]);
}

void
human_rate(uint64_t rate_milli, char text_out[HUMAN_SIZE])
{
	if (rate_milli >= 100 * 1000) {
		human_count(rate_milli / 1000, text_out);
		(void)strcat(text_out, "/s");
	} else if (rate_milli >= 1000) {
		(void)snprintf(text_out, HUMAN_SIZE, "%" PRIu64 ".%" PRIu64 "/s",
		    rate_milli / 1000, rate_milli % 1000 / 100);
	} else {
		(void)snprintf(text_out, HUMAN_SIZE, "0.%02" PRIu64 "/s", rate_milli / 10);
	}
}

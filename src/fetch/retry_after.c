#include "fetch/retry_after.h"

#include <curl/curl.h>

#include "common/limits.h"

#define DATE_SIZE	64		/* an HTTP date takes 29 */
#define EPOCH_SECONDS	1000000000u	/* 2001: nobody asks us to wait 30 years */

static int64_t
clamp(int64_t ms)
{
	if (ms < LIMIT_FETCH_RETRY_AFTER_MIN_MS)
		return LIMIT_FETCH_RETRY_AFTER_MIN_MS;
	if (ms > LIMIT_FETCH_RETRY_AFTER_MAX_MS)
		return LIMIT_FETCH_RETRY_AFTER_MAX_MS;
	return ms;
}

static int64_t
from_seconds(uint64_t seconds)
{
	if (seconds > LIMIT_FETCH_RETRY_AFTER_MAX_MS / 1000)
		return LIMIT_FETCH_RETRY_AFTER_MAX_MS;
	return clamp((int64_t)seconds * 1000);
}

static int64_t
from_epoch(int64_t seconds, int64_t wall_ms)
{
	if (seconds > INT64_MAX / 1000)
		return LIMIT_FETCH_RETRY_AFTER_MAX_MS;
	return clamp(seconds * 1000 - wall_ms);
}

int64_t
retry_after_parse(struct str value, int64_t wall_ms)
{
	char date[DATE_SIZE];
	uint64_t seconds;
	time_t when;

	if (str_to_u64(value, &seconds) == 0)
		return from_seconds(seconds);
	if (value.len == 0 || !str_copy(date, sizeof(date), value))
		return -1;
	when = curl_getdate(date, NULL);
	return when == -1 ? -1 : from_epoch(when, wall_ms);
}

int64_t
retry_after_parse_reset(struct str value, int64_t wall_ms)
{
	uint64_t seconds;

	if (str_to_u64(value, &seconds) == -1)
		return -1;
	if (seconds < EPOCH_SECONDS)
		return from_seconds(seconds);
	return from_epoch(seconds > INT64_MAX ? INT64_MAX : (int64_t)seconds, wall_ms);
}

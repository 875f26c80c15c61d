#include "workers/replay_total.h"

#define LEAST_PART	100	/* an estimate rests on one of so many parts of the way */

static void
begin_at(struct replay_total *total, const struct replay_position *base)
{
	total->has_base = true;
	total->base = *base;
	total->seen = 0;
	total->reached_ms = base->time_ms;
}

void
replay_total_init(struct replay_total *total, const struct replay_position *from,
    int64_t until_ms)
{
	*total = (struct replay_total){ .until_ms = until_ms, .events = from->events };
	if (from->seq > 0)
		begin_at(total, from);
}

void
replay_total_skip(struct replay_total *total)
{
	total->has_base = false;
}

static int64_t
earliest(const struct replay_total *total)
{
	int64_t earliest_ms = total->times_ms[0];

	for (size_t i = 1; i < REPLAY_TOTAL_ROW; i++)
		if (total->times_ms[i] < earliest_ms)
			earliest_ms = total->times_ms[i];
	return earliest_ms;
}

void
replay_total_see(struct replay_total *total, const struct replay_position *at)
{
	int64_t earliest_ms;

	total->events = at->events;
	if (!total->has_base) {
		begin_at(total, at);
		return;
	}
	total->times_ms[total->seen++ % REPLAY_TOTAL_ROW] = at->time_ms;
	if (total->seen < REPLAY_TOTAL_ROW)
		return;
	earliest_ms = earliest(total);
	if (earliest_ms > total->reached_ms)
		total->reached_ms = earliest_ms;
}

uint64_t
replay_total_events(const struct replay_total *total)
{
	int64_t way_ms = total->until_ms - total->base.time_ms;
	int64_t gone_ms = total->reached_ms - total->base.time_ms;
	double rate, all;

	if (!total->has_base || total->seen < REPLAY_TOTAL_ROW || gone_ms <= 0 ||
	    gone_ms < way_ms / LEAST_PART)
		return 0;
	if (gone_ms >= way_ms)
		return total->events;
	/* The earliest of a row is mostly its first: so many had come by then. */
	rate = (double)(total->seen - (REPLAY_TOTAL_ROW - 1)) / (double)gone_ms;
	all = (double)total->base.events + rate * (double)way_ms;
	return all > (double)total->events ? (uint64_t)all : total->events;
}

uint64_t
replay_total_listed(uint64_t listed, uint64_t known, uint64_t indexed)
{
	uint64_t least = indexed < REPLAY_TOTAL_ROW ? indexed : REPLAY_TOTAL_ROW;

	if (known < least || known >= indexed || known < indexed / LEAST_PART)
		return 0;
	return (uint64_t)((double)listed * (double)indexed / (double)known);
}

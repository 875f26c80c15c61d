#include "workers/scan_retry.h"

#include <ev.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/mem.h"

struct retry {
	struct scan_source *source;	/* borrowed, owns us */
	const struct str *items;	/* borrowed */
	size_t count, at;
	const struct scan_order *order;	/* borrowed */
	struct ev_timer soon;
};

/* All others are servers. */
static bool
is_did(struct str item)
{
	return str_starts_with(item, STR("did:"));
}

static void
on_soon(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct retry *retry = timer->data;
	struct buf cursor = BUF_INIT;
	size_t end = retry->at + SCAN_PAGE_ENTRIES;

	for (; retry->at < end && retry->at < retry->count; retry->at++)
		if (is_did(retry->items[retry->at]))
			scan_source_add(retry->source, &(struct scan_listed){
			    .did = retry->items[retry->at] });
	if (retry->at < retry->count)
		buf_printf(&cursor, "%zu", retry->at);
	scan_source_page(retry->source, buf_bytes(&cursor));
	buf_clear(&cursor);
}

/* The cursor is a number; read() must not answer from inside. */
static void
read_items(struct scan_source *source, struct bytes cursor)
{
	struct retry *retry = scan_source_job(source);
	uint64_t at = 0;

	if (cursor.len > 0 && str_to_u64((struct str){ (const char *)cursor.ptr,
	    cursor.len }, &at) == -1)
		at = retry->count;
	retry->at = (size_t)at;
	ev_timer_set(&retry->soon, 0., 0.);
	ev_timer_start(scan_env(scan_source_scan(source))->loop, &retry->soon);
}

static void
take_item(struct scan_entry *entry)
{
	struct retry *retry = scan_source_job(scan_entry_source(entry));

	scan_entry_order(entry, retry->order);
}

static void
retry_is_over(struct scan_source *source, bool is_complete BF_UNUSED)
{
	struct retry *retry = scan_source_job(source);

	ev_timer_stop(scan_env(scan_source_scan(source))->loop, &retry->soon);
	free(retry);
}

bool
scan_retry_add(struct scan *scan, const struct scan_order *order)
{
	static const struct scan_source_type type = {
		.stage = "retrying", .read = read_items, .take = take_item,
		.over = retry_is_over,
	};
	const struct str *items;
	struct retry *retry;
	size_t count, dids = 0;

	if (!worker_retry_items(scan_worker(scan), &items, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		dids += is_did(items[i]);
	if (dids == 0)
		return false;
	retry = xcalloc(1, sizeof(*retry));
	retry->items = items;
	retry->count = count;
	retry->order = order;
	ev_timer_init(&retry->soon, on_soon, 0., 0.);
	retry->soon.data = retry;
	if (dids == count)
		scan_set_total(scan, count);
	retry->source = scan_add_source(scan, &type, SCAN_RETRY_NAME, retry);
	return true;
}

bool
scan_retry_next(struct scan *scan, const struct scan_order *order)
{
	if (!scan_retry_add(scan, order))
		return false;
	scan_is_last(scan);
	return true;
}

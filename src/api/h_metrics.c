/*
 * h_metrics.c - /metrics: what is counted here, and what the stores and the supervisor
 * tell of this moment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "api/api.h"
#include "api/feed.h"
#include "api/handlers.h"
#include "api/http.h"
#include "api/index_metrics.h"
#include "api/metrics.h"
#include "api/prom.h"
#include "api/request.h"
#include "common/clock.h"
#include "store/ops.h"
#include "store/records.h"
#include "store/store_figures.h"

#define MEASURE_TIMEOUT_MS	1000

/* --- operations/ --- */

static bool
on_oldest(const struct op *op, void *arg)
{
	uint64_t *at_ms = arg;

	*at_ms = op->created_ms;
	return false;
}

static bool
on_running(const struct op *op, void *arg)
{
	uint64_t *at_ms = arg;

	if (op->paused_ms == 0 && (*at_ms == 0 || op->updated_ms < *at_ms))
		*at_ms = op->updated_ms;
	return true;
}

static double
seconds_since(uint64_t at_ms)
{
	int64_t now_ms = clock_wall_ms();

	return at_ms == 0 || (int64_t)at_ms > now_ms ? 0 :
	    (double)(now_ms - (int64_t)at_ms) / 1000;
}

static void
on_waiting(struct str type, void *arg)
{
	metrics_waiting(arg, type);
}

static int
write_stored(struct ops_read *read, struct metrics *metrics, struct buf *to)
{
	struct ops_filter oldest = { .status = OP_QUEUED, .oldest_first = true };
	struct ops_filter running = { .status = OP_RUNNING };
	uint64_t counts[OP_STATUS_COUNT + 1], queued_ms = 0, stalest_ms = 0;
	char labels[PROM_LABELS_SIZE];
	struct err err;

	metrics_waiting_begin(metrics);
	if (ops_count(read, counts, &err) == -1 ||
	    ops_waiting(read, on_waiting, metrics, &err) == -1 ||
	    ops_list(read, &oldest, on_oldest, &queued_ms, &err) == -1 ||
	    ops_list(read, &running, on_running, &stalest_ms, &err) == -1)
		return -1;
	prom_family(to, "backfilld_operations", "gauge",
	    "Operations on record, by status.");
	for (enum op_status status = OP_QUEUED; status <= OP_CANCELLED; status++) {
		prom_labels(labels, "status", str_from(op_status_word(status)), NULL, STR_NONE);
		prom_u64(to, "backfilld_operations", labels, counts[status]);
	}
	prom_family(to, "backfilld_queue_oldest_seconds", "gauge",
	    "How long the operation has waited that waits for longest.");
	prom_double(to, "backfilld_queue_oldest_seconds", "", seconds_since(queued_ms));
	prom_family(to, "backfilld_progress_stalest_seconds", "gauge",
	    "How long ago the running operation told of progress that is silent for longest.");
	prom_double(to, "backfilld_progress_stalest_seconds", "", seconds_since(stalest_ms));
	return 0;
}

static bool
write_operations(struct api *api, struct buf *to)
{
	struct ops_read *read;
	struct err err;
	bool is_readable;

	if (ops_read_begin(api->ops, &read, &err) == -1)
		return false;
	is_readable = write_stored(read, api->metrics, to) == 0;
	ops_read_end(&read);
	return is_readable;
}

/* --- both stores --- */

static void
write_stores(struct api *api, struct buf *to)
{
	static const char *const names[] = { "operations", "records" };
	struct records *records = api_records(api);
	struct store_figures figures[2];
	bool is_known[2] = {
		ops_figures(api->ops, &figures[0]) == 0,
		records != NULL && records_figures(records, &figures[1]) == 0,
	};
	static const struct {
		const char *name, *help;
		size_t offset;
	} rows[] = {
#define ROW(name, help, member) { name, help, offsetof(struct store_figures, member) }
		ROW("backfilld_store_used_bytes", "Size of the store on disk.", used_bytes),
		ROW("backfilld_store_map_bytes", "Size that it may grow to.", map_bytes),
		ROW("backfilld_store_readers", "Reader slots that were in use together, at most.", readers),
		ROW("backfilld_store_readers_max", "Reader slots.", readers_most),
#undef ROW
	};
	char labels[PROM_LABELS_SIZE];

	for (size_t i = 0; i < BF_ARRAY_LEN(rows); i++) {
		prom_family(to, rows[i].name, "gauge", rows[i].help);
		for (size_t store = 0; store < BF_ARRAY_LEN(names); store++) {
			if (!is_known[store])
				continue;
			prom_labels(labels, "store", str_from(names[store]), NULL, STR_NONE);
			prom_u64(to, rows[i].name, labels, *(const uint64_t *)(const void *)
			    ((const char *)&figures[store] + rows[i].offset));
		}
	}
}

/* --- processes --- */

static void
write_gauge(struct buf *to, const char *name, const char *help, uint64_t value)
{
	prom_family(to, name, "gauge", help);
	prom_u64(to, name, "", value);
}

static void
write_api(struct api *api, struct buf *to)
{
	struct rusage usage;

	write_gauge(to, "backfilld_events_readers", "Readers of /events.",
	    feed_readers(api->feed));
	write_gauge(to, "backfilld_http_connections", "Connections to the API.",
	    http_connections(api->http));
	if (getrusage(RUSAGE_SELF, &usage) == -1)
		return;
	prom_family(to, "process_cpu_seconds_total", "counter",
	    "CPU time of the API process.");
	prom_double(to, "process_cpu_seconds_total", "",
	    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	write_gauge(to, "backfilld_api_memory_peak_bytes", "Most memory that the API had.",
	    (uint64_t)usage.ru_maxrss * 1024);
}

static void
write_supervisor(struct buf *to, const struct msg_measures *measures)
{
	const char *name = "backfilld_service_starts_total";

	write_gauge(to, "backfilld_workers", "Workers that run now.", measures->workers);
	write_gauge(to, "backfilld_workers_max", "The setting max_workers.",
	    measures->max_workers);
	write_gauge(to, "backfilld_indexer_up", "1 if backfill-indexer runs.",
	    measures->has_indexer);
	prom_family(to, name, "counter",
	    "Starts of a service since the supervisor's; more than 1: it was started again.");
	prom_u64(to, name, "service=\"backfill-api\"", measures->api_starts);
	prom_u64(to, name, "service=\"backfill-indexer\"", measures->indexer_starts);
	prom_family(to, "backfilld_supervisor_start_time_seconds", "gauge",
	    "When the supervisor started, in UNIX time.");
	prom_double(to, "backfilld_supervisor_start_time_seconds", "",
	    (double)measures->started_ms / 1000);
}

/* measures is NULL if the supervisor does not answer. */
static void
write_all(struct request *request, const struct msg_measures *measures)
{
	struct api *api = request->api;
	struct buf *to = reply_text(&request->reply, 200,
	    "text/plain; version=0.0.4; charset=utf-8");

	prom_family(to, "backfilld_build_info", "gauge", "Always 1.");
	prom_u64(to, "backfilld_build_info", "version=\"" PACKAGE_VERSION "\"", 1);
	write_gauge(to, "backfilld_supervisor_up", "1 if the supervisor answers.",
	    measures != NULL);
	if (measures != NULL)
		write_supervisor(to, measures);
	write_gauge(to, "backfilld_operations_readable", "1 if operations/ can be read.",
	    write_operations(api, to));
	write_stores(api, to);
	if (api_records(api) != NULL)
		(void)index_metrics_write(api_records(api), to);
	write_api(api, to);
	metrics_write(api->metrics, to);
}

static void
on_measures(enum link_outcome outcome, const struct msg *msg, void *arg)
{
	struct request *request = arg;

	write_all(request, outcome == LINK_ANSWERED && msg->type == MSG_TYPE_MEASURES ?
	    &msg->measures : NULL);
	http_resume(request->conn);
}

void
h_metrics(struct request *request)
{
	struct msg msg = { .type = MSG_TYPE_MEASURE };

	if (supervisor_link_ask(request->api->link, &msg, MEASURE_TIMEOUT_MS, on_measures,
	    request, &request->wait) == -1)
		write_all(request, NULL);
}

#include "api/metrics.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "api/prom.h"
#include "api/route.h"
#include "common/limits.h"
#include "common/mem.h"
#include "op/op_type.h"

static const struct prom_bounds request_bounds = {
	{ 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5 }, 11
};
static const struct prom_bounds op_bounds = {
	{ 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 7 * 24 * 3600 }, 11
};

/* What one type of operation has done. */
struct type_metrics {
	char name[LIMIT_OP_TYPE_BYTES + 1];
	uint64_t ends[OP_STATUS_COUNT + 1];	/* by enum op_status */
	uint64_t running;
	uint64_t waiting;			/* when the queue was last counted */
	uint64_t starts, crashes, kills;
	uint64_t records, bytes, failed;
	uint64_t created, updated, deleted;
	uint64_t met[OP_MET_COUNT];		/* by enum op_met */
	struct histogram durations;
};

/* A running operation, as it was last heard of. */
struct seen {
	LIST_ENTRY(seen) entry;
	char id[TID_SIZE];
	struct type_metrics *type;
	uint64_t attempt, records, bytes, failed;
	uint64_t met[OP_MET_COUNT];
};

struct route_metrics {
	struct histogram seconds;
	uint64_t by_class[6];			/* 1xx to 5xx */
};

struct metrics {
	/* owned */
	struct type_metrics types[LIMIT_METRIC_TYPES];
	unsigned types_count;
	LIST_HEAD(, seen) running;
	struct route_metrics *routes;		/* one more than there are, for none */
	uint64_t refused[2];			/* 401, 403 */
};

struct metrics *
metrics_new(void)
{
	struct metrics *metrics = xcalloc(1, sizeof(*metrics));

	metrics->routes = xcalloc(route_count() + 1, sizeof(metrics->routes[0]));
	LIST_INIT(&metrics->running);
	for (size_t i = 0; i < op_types_count; i++)
		(void)str_copy(metrics->types[metrics->types_count++].name,
		    sizeof(metrics->types[0].name), str_from(op_types[i].kebab));
	return metrics;
}

void
metrics_free(struct metrics **metrics)
{
	struct seen *seen;

	if (*metrics == NULL)
		return;
	while ((seen = LIST_FIRST(&(*metrics)->running)) != NULL) {
		LIST_REMOVE(seen, entry);
		free(seen);
	}
	free((*metrics)->routes);
	free(*metrics);
	*metrics = NULL;
}

/* --- operations --- */

/* An operator's own types beyond the limit share the last row. */
static struct type_metrics *
type_of(struct metrics *metrics, struct str name)
{
	struct type_metrics *type;

	for (unsigned i = 0; i < metrics->types_count; i++)
		if (str_eq(str_from(metrics->types[i].name), name))
			return &metrics->types[i];
	if (metrics->types_count == LIMIT_METRIC_TYPES)
		return &metrics->types[LIMIT_METRIC_TYPES - 1];
	type = &metrics->types[metrics->types_count++];
	(void)str_copy(type->name, sizeof(type->name),
	    metrics->types_count == LIMIT_METRIC_TYPES ? STR("other") : name);
	return type;
}

static struct seen *
find_seen(struct metrics *metrics, struct str id)
{
	struct seen *seen;

	LIST_FOREACH(seen, &metrics->running, entry)
		if (str_eq(str_from(seen->id), id))
			return seen;
	return NULL;
}

static struct seen *
start_seeing(struct metrics *metrics, const struct op *op)
{
	struct seen *seen = xcalloc(1, sizeof(*seen));

	(void)str_copy(seen->id, sizeof(seen->id), op->id);
	seen->type = type_of(metrics, op->type);
	seen->type->running++;
	seen->records = op->records_processed;
	seen->bytes = op->bytes_fetched;
	seen->failed = op->items_failed;
	op_met_get(op, seen->met);
	LIST_INSERT_HEAD(&metrics->running, seen, entry);
	return seen;
}

/* Add what has come since; a counter that went back counts from there. */
static void
add_news(uint64_t *total, uint64_t *last, uint64_t now)
{
	if (now > *last)
		*total += now - *last;
	*last = now;
}

static void
add_met(struct seen *seen, const struct op *op)
{
	uint64_t met[OP_MET_COUNT];

	op_met_get(op, met);
	for (int i = 0; i < OP_MET_COUNT; i++)
		add_news(&seen->type->met[i], &seen->met[i], met[i]);
}

static void
add_end(struct type_metrics *type, const struct op *op)
{
	uint64_t from = op->created_ms;

	type->ends[op->status]++;
	type->created += op->records_created;
	type->updated += op->records_updated;
	type->deleted += op->records_deleted;
	type->kills += op->was_killed;
	if (op->completed_ms >= from)
		histogram_add(&type->durations, &op_bounds,
		    (double)(op->completed_ms - from) / 1000);
}

void
metrics_op_known(struct metrics *metrics, const struct op *op)
{
	if (find_seen(metrics, op->id) == NULL && op_status(op) == OP_RUNNING)
		start_seeing(metrics, op)->attempt = op->attempt;
}

void
metrics_op(struct metrics *metrics, const struct op *op)
{
	struct seen *seen = find_seen(metrics, op->id);

	if (seen == NULL && op_status(op) == OP_RUNNING)
		seen = start_seeing(metrics, op);
	if (seen != NULL) {
		if (op->attempt > seen->attempt)
			seen->type->starts++;
		seen->attempt = op->attempt;
		add_news(&seen->type->records, &seen->records, op->records_processed);
		add_news(&seen->type->bytes, &seen->bytes, op->bytes_fetched);
		add_news(&seen->type->failed, &seen->failed, op->items_failed);
		add_met(seen, op);
	}
	if (op_status_is_terminal(op_status(op)))
		add_end(type_of(metrics, op->type), op);
	if (seen != NULL && op_status(op) != OP_RUNNING) {
		if (op_status(op) == OP_QUEUED)
			seen->type->crashes++;
		seen->type->running--;
		LIST_REMOVE(seen, entry);
		free(seen);
	}
}

void
metrics_waiting_begin(struct metrics *metrics)
{
	for (unsigned i = 0; i < metrics->types_count; i++)
		metrics->types[i].waiting = 0;
}

void
metrics_waiting(struct metrics *metrics, struct str type)
{
	type_of(metrics, type)->waiting++;
}

/* --- requests --- */

void
metrics_request(struct metrics *metrics, const struct route *route, unsigned status,
    double seconds)
{
	size_t i = route != NULL ? route_index(route) : route_count();
	struct route_metrics *row = &metrics->routes[i];

	row->by_class[status / 100 < 6 ? status / 100 : 5]++;
	histogram_add(&row->seconds, &request_bounds, seconds);
	if (status == 401 || status == 403)
		metrics->refused[status == 403]++;
}

/* --- as text --- */

/* One family with a row for each type: what is counted stands at this offset. */
static void
write_by_type(const struct metrics *metrics, struct buf *to, const char *name,
    const char *kind, const char *help, size_t offset)
{
	char labels[PROM_LABELS_SIZE];

	prom_family(to, name, kind, help);
	for (unsigned i = 0; i < metrics->types_count; i++) {
		const struct type_metrics *type = &metrics->types[i];

		prom_labels(labels, "type", str_from(type->name), NULL, STR_NONE);
		prom_u64(to, name, labels,
		    *(const uint64_t *)(const void *)((const char *)type + offset));
	}
}

static void
write_ends(const struct metrics *metrics, struct buf *to)
{
	const char *name = "backfilld_operations_ended_total";
	char labels[PROM_LABELS_SIZE];

	prom_family(to, name, "counter", "Operations that ended, by type and how.");
	for (unsigned i = 0; i < metrics->types_count; i++) {
		for (enum op_status end = OP_COMPLETED; end <= OP_CANCELLED; end++) {
			prom_labels(labels, "type", str_from(metrics->types[i].name), "status",
			    str_from(op_status_word(end)));
			prom_u64(to, name, labels, metrics->types[i].ends[end]);
		}
	}
}

/* Classes that nothing has met have no rows. */
static void
write_failures(const struct metrics *metrics, struct buf *to)
{
	const char *name = "backfilld_item_failures_total";
	char labels[PROM_LABELS_SIZE];

	prom_family(to, name, "counter",
	    "Failures of items, by class: an item that fails in two attempts has two.");
	for (unsigned i = 0; i < metrics->types_count; i++) {
		for (enum op_met what = 0; what < OP_MET_COUNT; what++) {
			if (what == OP_MET_ANSWERS_429 || metrics->types[i].met[what] == 0)
				continue;
			prom_labels(labels, "type", str_from(metrics->types[i].name), "class",
			    str_from(op_met_word(what)));
			prom_u64(to, name, labels, metrics->types[i].met[what]);
		}
	}
}

static void
write_operations(const struct metrics *metrics, struct buf *to)
{
#define BY_TYPE(name, kind, member, help) \
	write_by_type(metrics, to, "backfilld_" name, kind, help, \
	    offsetof(struct type_metrics, member))
	BY_TYPE("operations_running", "gauge", running, "Operations that run now.");
	BY_TYPE("operations_waiting", "gauge", waiting,
	    "Operations that wait for their turn, paused ones left out.");
	write_ends(metrics, to);
	BY_TYPE("worker_starts_total", "counter", starts, "Workers started.");
	BY_TYPE("worker_interruptions_total", "counter", crashes,
	    "Runs that were interrupted and went back to the queue.");
	BY_TYPE("worker_kills_total", "counter", kills,
	    "Operations whose worker had to be killed.");
	BY_TYPE("records_processed_total", "counter", records, "Records processed.");
	BY_TYPE("fetched_bytes_total", "counter", bytes, "Bytes fetched from servers.");
	BY_TYPE("items_failed_total", "counter", failed, "Items that could not be done.");
	BY_TYPE("rate_limited_answers_total", "counter", met[OP_MET_ANSWERS_429],
	    "Answers 429 of servers, each of which makes a worker wait.");
	write_failures(metrics, to);
	BY_TYPE("records_created_total", "counter", created, "Records new in the index.");
	BY_TYPE("records_updated_total", "counter", updated, "Records changed in the index.");
	BY_TYPE("records_deleted_total", "counter", deleted, "Records gone from the index.");
#undef BY_TYPE
}

static void
write_durations(const struct metrics *metrics, struct buf *to)
{
	const char *name = "backfilld_operation_seconds";
	char labels[PROM_LABELS_SIZE];

	prom_family(to, name, "histogram", "From accepted to ended.");
	for (unsigned i = 0; i < metrics->types_count; i++) {
		prom_labels(labels, "type", str_from(metrics->types[i].name), NULL, STR_NONE);
		prom_histogram(to, name, labels, &op_bounds, &metrics->types[i].durations);
	}
}

static struct str
route_label(size_t i)
{
	return str_from(i < route_count() ? route_at(i)->name : "none");
}

static uint64_t
requests_of(const struct route_metrics *row)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < BF_ARRAY_LEN(row->by_class); i++)
		count += row->by_class[i];
	return count;
}

/* Routes that nobody has asked for have no rows. */
static void
write_requests(const struct metrics *metrics, struct buf *to)
{
	char labels[PROM_LABELS_SIZE], code[4] = "0xx";

	prom_family(to, "backfilld_http_requests_total", "counter",
	    "Requests answered, by route and class of status.");
	for (size_t i = 0; i <= route_count(); i++) {
		for (unsigned class = 1; class < 6; class++) {
			if (metrics->routes[i].by_class[class] == 0)
				continue;
			code[0] = (char)('0' + class);
			prom_labels(labels, "route", route_label(i), "code", str_from(code));
			prom_u64(to, "backfilld_http_requests_total", labels,
			    metrics->routes[i].by_class[class]);
		}
	}
	prom_family(to, "backfilld_http_request_seconds", "histogram",
	    "From the headers of a request to its answer.");
	for (size_t i = 0; i <= route_count(); i++) {
		if (requests_of(&metrics->routes[i]) == 0)
			continue;
		prom_labels(labels, "route", route_label(i), NULL, STR_NONE);
		prom_histogram(to, "backfilld_http_request_seconds", labels, &request_bounds,
		    &metrics->routes[i].seconds);
	}
	prom_family(to, "backfilld_auth_failures_total", "counter",
	    "Requests refused: not authenticated (401) or not allowed (403).");
	prom_u64(to, "backfilld_auth_failures_total", "code=\"401\"", metrics->refused[0]);
	prom_u64(to, "backfilld_auth_failures_total", "code=\"403\"", metrics->refused[1]);
}

void
metrics_write(const struct metrics *metrics, struct buf *to)
{
	write_operations(metrics, to);
	write_durations(metrics, to);
	write_requests(metrics, to);
}

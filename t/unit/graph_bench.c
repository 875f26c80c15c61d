#include "t/unit/graph_bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "atproto/dagcbor_json.h"
#include "atproto/sha256.h"
#include "common/buf.h"
#include "common/limits.h"

#define WAIT_SECS	60.

/* --- records --- */

void
graph_bench_put_json(struct graph_bench *bench, const char *collection, const char *rkey,
    const char *json)
{
	struct buf record = BUF_INIT;
	struct fault fault = FAULT_INIT;
	struct sha256 *sha;
	struct cid cid;
	char path[128];

	assert_int_equal(dagcbor_from_json(str_from(json), &record, &fault), 0);
	sha = sha256_new();
	cid_of(sha, CID_DAG_CBOR, buf_bytes(&record), &cid);
	sha256_free(&sha);
	(void)snprintf(path, sizeof(path), "%s/%s", collection, rkey);
	fake_records_put_record(&bench->repo->records, str_from(path), &cid,
	    buf_bytes(&record));
	buf_clear(&record);
}

void
graph_bench_put_node(struct graph_bench *bench, const char *rkey, const char *id,
    const char *more)
{
	char json[512];

	(void)snprintf(json, sizeof(json), "{\"$type\":\"" NODE "\",\"id\":\"%s\","
	    "\"kind\":\"object\",\"label\":\"%s\"," COMMON "%s}", id, rkey, more);
	graph_bench_put_json(bench, NODE, rkey, json);
}

void
graph_bench_put_edge(struct graph_bench *bench, const char *rkey,
    const char *source, const char *target)
{
	char json[512];

	(void)snprintf(json, sizeof(json), "{\"$type\":\"" EDGE "\",\"id\":\"%s\","
	    "\"relationSlug\":\"broader\",\"sourceUri\":\"at://" DID "/" NODE "/%s\","
	    "\"targetUri\":\"at://" DID "/" NODE "/%s\"," COMMON "}", rkey, source, target);
	graph_bench_put_json(bench, EDGE, rkey, json);
}

void
graph_bench_drop(struct graph_bench *bench, const char *path)
{
	assert_true(fake_records_delete(&bench->repo->records, str_from(path)));
}

/* --- rows --- */

const struct fake_row *
graph_bench_row(struct graph_bench *bench, enum row_table table, const char *path)
{
	char uri[160];

	(void)snprintf(uri, sizeof(uri), "at://" DID "/%s", path);
	return fake_rows_get(&bench->indexer, table,
	    (struct bytes){ (const uint8_t *)uri, strlen(uri) });
}

void
graph_bench_expect_rows(struct graph_bench *bench, size_t nodes, size_t edges,
    size_t pending)
{
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), nodes);
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_EDGE), edges);
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_PENDING_EDGE), pending);
	assert_int_equal(bench->outcome.counts.nodes, nodes);
	assert_int_equal(bench->outcome.counts.edges, edges);
	assert_int_equal(bench->outcome.counts.pending, pending);
}

void
graph_bench_expect_changes(struct graph_bench *bench, uint64_t created,
    uint64_t updated, uint64_t deleted)
{
	assert_int_equal(bench->indexer.tally.created, created);
	assert_int_equal(bench->indexer.tally.updated, updated);
	assert_int_equal(bench->indexer.tally.deleted, deleted);
	bench->indexer.tally = (struct msg_ack){ 0 };
}

/* --- what the build tells --- */

static void
on_progress(const char *stage, const struct graph_counts *counts, void *arg)
{
	struct graph_bench *bench = arg;
	size_t len = strlen(bench->stages);

	assert_true(counts->total == 0 || counts->processed <= counts->total);
	if (strstr(bench->stages, stage) == NULL)
		(void)snprintf(bench->stages + len, sizeof(bench->stages) - len, "%s ",
		    stage);
	if (strcmp(stage, "edges") == 0 && bench->changes_left > 0) {
		bench->changes_left--;
		(void)snprintf(bench->repo->rev, sizeof(bench->repo->rev), "3rev%u",
		    bench->changes_left);
		graph_bench_put_node(bench, "late", "late", "");
	}
}

static void
on_refused(uint64_t number, struct str uri, const char *why, void *arg)
{
	struct graph_bench *bench = arg;
	size_t len;

	assert_true(number == 1 || number == bench->last_number + 1);
	if (number == 1)
		bench->refused[0] = '\0';
	bench->last_number = number;
	len = strlen(bench->refused);
	(void)snprintf(bench->refused + len, sizeof(bench->refused) - len, "%.*s %s; ",
	    STR_FMT(uri), why);
}

static void
on_done(const struct graph_outcome *outcome, void *arg)
{
	struct graph_bench *bench = arg;

	bench->dones++;
	bench->outcome = *outcome;
	ev_break(bench->loop, EVBREAK_ALL);
}

const struct graph_events graph_bench_events = { on_progress, on_refused, on_done };

/* --- life --- */

static void
on_deadline(struct ev_loop *loop BF_UNUSED, struct ev_timer *w BF_UNUSED,
    int revents BF_UNUSED)
{
	fail_msg("waited too long");
}

static void
on_gone(struct records_link *link BF_UNUSED, const struct err *why BF_UNUSED, void *arg)
{
	((struct graph_bench *)arg)->gone++;
}

int
graph_bench_set_up(void **state)
{
	struct graph_bench *bench = calloc(1, sizeof(*bench));
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	bench->loop = ev_loop_new(EVFLAG_AUTO);
	fake_indexer_init(&bench->indexer, bench->loop, fds[1]);
	bench->link = records_link_new(bench->loop, fds[0], "test", on_gone, bench);
	ev_timer_init(&bench->deadline, on_deadline, WAIT_SECS, 0.);
	ev_timer_start(bench->loop, &bench->deadline);
	bench->repo = fake_indexer_repo(&bench->indexer, DID);
	(void)snprintf(bench->repo->rev, sizeof(bench->repo->rev), "3migo7fijwi2k");
	(void)snprintf(bench->repo->status, sizeof(bench->repo->status), "active");
	bench->order = (struct graph_order){ STR(DID), STR(NODE), STR(EDGE),
	    LIMIT_GRAPH_NODES, LIMIT_GRAPH_EDGES };
	*state = bench;
	return 0;
}

int
graph_bench_tear_down(void **state)
{
	struct graph_bench *bench = *state;

	assert_int_equal(bench->gone, 0);
	graph_build_free(&bench->build);
	records_link_free(&bench->link);
	fake_indexer_clear(&bench->indexer);
	ev_timer_stop(bench->loop, &bench->deadline);
	ev_loop_destroy(bench->loop);
	free(bench);
	return 0;
}

const char *
graph_bench_build(struct graph_bench *bench)
{
	unsigned dones = bench->dones;

	bench->stages[0] = bench->refused[0] = '\0';
	bench->build = graph_build_start(bench->link, &bench->order, &graph_bench_events, bench);
	assert_int_equal(bench->dones, dones);
	while (bench->dones == dones && bench->gone == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	graph_build_free(&bench->build);
	return bench->outcome.error_class;
}

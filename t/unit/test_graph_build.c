/*
 * test_graph_build.c - src/workers/graph_build: the graph made of indexed records, by
 * the indexer of fake_indexer.h on the same loop.
 */
#include "t/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "atproto/dagcbor_json.h"
#include "atproto/sha256.h"
#include "common/buf.h"
#include "common/limits.h"
#include "rows/edge_row.h"
#include "rows/node_row.h"
#include "rows/row_table.h"
#include "t/unit/fake_indexer.h"
#include "workers/graph_build.h"
#include "workers/records_link.h"

#define WAIT_SECS	60.
#define DID		"did:web:gov.example"
#define NODE		"pub.chive.graph.node"
#define EDGE		"pub.chive.graph.edge"
#define COMMON		"\"status\":\"established\",\"createdAt\":\"2026-01-02T03:04:05Z\""

struct bench {
	struct ev_loop *loop;
	struct fake_indexer indexer;
	struct records_link *link;
	struct ev_timer deadline;
	struct graph_order order;
	struct fake_repo *repo;
	struct graph_build *build;

	/* what was told */
	struct graph_outcome outcome;
	unsigned dones, gone;
	uint64_t last_number;
	char refused[512];		/* "PATH why; " of the last build */
	char stages[256];
	/* knobs */
	unsigned changes_left;		/* at so many ends of the edges the repo changes */
};

/* --- records --- */

static void
put_json(struct bench *bench, const char *collection, const char *rkey,
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

static void
put_node(struct bench *bench, const char *rkey, const char *id, const char *more)
{
	char json[512];

	(void)snprintf(json, sizeof(json), "{\"$type\":\"" NODE "\",\"id\":\"%s\","
	    "\"kind\":\"object\",\"label\":\"%s\"," COMMON "%s}", id, rkey, more);
	put_json(bench, NODE, rkey, json);
}

static void
put_edge(struct bench *bench, const char *rkey, const char *source, const char *target)
{
	char json[512];

	(void)snprintf(json, sizeof(json), "{\"$type\":\"" EDGE "\",\"id\":\"%s\","
	    "\"relationSlug\":\"broader\",\"sourceUri\":\"at://" DID "/" NODE "/%s\","
	    "\"targetUri\":\"at://" DID "/" NODE "/%s\"," COMMON "}", rkey, source, target);
	put_json(bench, EDGE, rkey, json);
}

static void
drop(struct bench *bench, const char *path)
{
	assert_true(fake_records_delete(&bench->repo->records, str_from(path)));
}

/* --- rows --- */

static const struct fake_row *
row_of(struct bench *bench, enum row_table table, const char *path)
{
	char uri[160];

	(void)snprintf(uri, sizeof(uri), "at://" DID "/%s", path);
	return fake_rows_get(&bench->indexer, table,
	    (struct bytes){ (const uint8_t *)uri, strlen(uri) });
}

static void
expect_rows(struct bench *bench, size_t nodes, size_t edges, size_t pending)
{
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), nodes);
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_EDGE), edges);
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_PENDING_EDGE), pending);
	assert_int_equal(bench->outcome.counts.nodes, nodes);
	assert_int_equal(bench->outcome.counts.edges, edges);
	assert_int_equal(bench->outcome.counts.pending, pending);
}

static void
expect_changes(struct bench *bench, uint64_t created, uint64_t updated, uint64_t deleted)
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
	struct bench *bench = arg;
	size_t len = strlen(bench->stages);

	assert_true(counts->total == 0 || counts->processed <= counts->total);
	if (strstr(bench->stages, stage) == NULL)
		(void)snprintf(bench->stages + len, sizeof(bench->stages) - len, "%s ",
		    stage);
	if (strcmp(stage, "edges") == 0 && bench->changes_left > 0) {
		bench->changes_left--;
		(void)snprintf(bench->repo->rev, sizeof(bench->repo->rev), "3rev%u",
		    bench->changes_left);
		put_node(bench, "late", "late", "");
	}
}

static void
on_refused(uint64_t number, struct str uri, const char *why, void *arg)
{
	struct bench *bench = arg;
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
	struct bench *bench = arg;

	bench->dones++;
	bench->outcome = *outcome;
	ev_break(bench->loop, EVBREAK_ALL);
}

static const struct graph_events graph_events = { on_progress, on_refused, on_done };

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
	((struct bench *)arg)->gone++;
}

static int
set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
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

static int
tear_down(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(bench->gone, 0);
	graph_build_free(&bench->build);
	records_link_free(&bench->link);
	fake_indexer_clear(&bench->indexer);
	ev_timer_stop(bench->loop, &bench->deadline);
	ev_loop_destroy(bench->loop);
	free(bench);
	return 0;
}

/* Make the graph; the class of what went wrong, or "". */
static const char *
build(struct bench *bench)
{
	unsigned dones = bench->dones;

	bench->stages[0] = bench->refused[0] = '\0';
	bench->build = graph_build_start(bench->link, &bench->order, &graph_events, bench);
	assert_int_equal(bench->dones, dones);
	while (bench->dones == dones && bench->gone == 0)
		(void)ev_run(bench->loop, EVRUN_ONCE);
	graph_build_free(&bench->build);
	return bench->outcome.error_class;
}

/* --- tests --- */

static void
build__makes_rows_of_nodes_and_edges(void **state)
{
	struct bench *bench = *state;
	const struct fake_row *row;
	struct node_row node;
	struct edge_row edge;

	put_node(bench, "a", "1", "");
	put_node(bench, "b", "2", "");
	put_edge(bench, "a-b", "a", "b");
	put_edge(bench, "b-c", "b", "c");
	put_edge(bench, "d-c", "d", "c");
	assert_string_equal(build(bench), "");
	expect_rows(bench, 2, 1, 2);
	expect_changes(bench, 5, 0, 0);
	assert_string_equal(bench->stages, "counting nodes edges committing ");
	assert_int_equal(bench->outcome.counts.processed, 5);
	assert_int_equal(bench->outcome.counts.total, 5);

	row = row_of(bench, ROW_NODE, NODE "/a");
	assert_int_equal(node_row_decode(row->key, row->value, &node), 0);
	assert_true(str_eq(node.id, STR("1")));
	assert_int_equal(node.cid.len, CID_BYTES);
	row = row_of(bench, ROW_PENDING_EDGE, EDGE "/b-c");
	assert_int_equal(edge_row_decode(row->key, row->value, &edge), 0);
	assert_int_equal(edge.absent, EDGE_LACKS_TARGET);
	row = row_of(bench, ROW_PENDING_EDGE, EDGE "/d-c");
	assert_int_equal(edge_row_decode(row->key, row->value, &edge), 0);
	assert_int_equal(edge.absent, EDGE_LACKS_SOURCE | EDGE_LACKS_TARGET);
	row = row_of(bench, ROW_EDGE, EDGE "/a-b");
	assert_int_equal(edge_row_decode(row->key, row->value, &edge), 0);
	assert_int_equal(edge.absent, 0);
}

static void
build__of_what_is_unchanged_changes_nothing(void **state)
{
	struct bench *bench = *state;

	put_node(bench, "a", "1", "");
	put_edge(bench, "a-b", "a", "b");
	assert_string_equal(build(bench), "");
	expect_changes(bench, 2, 0, 0);
	assert_string_equal(build(bench), "");
	expect_changes(bench, 0, 0, 0);
	expect_rows(bench, 1, 0, 1);
}

static void
build__moves_edges_as_nodes_come_and_go(void **state)
{
	struct bench *bench = *state;

	put_node(bench, "a", "1", "");
	put_edge(bench, "a-b", "a", "b");
	assert_string_equal(build(bench), "");
	expect_changes(bench, 2, 0, 0);

	put_node(bench, "b", "2", "");
	assert_string_equal(build(bench), "");
	expect_rows(bench, 2, 1, 0);
	expect_changes(bench, 2, 0, 1);

	drop(bench, NODE "/a");
	assert_string_equal(build(bench), "");
	expect_rows(bench, 1, 0, 1);
	expect_changes(bench, 1, 0, 2);

	drop(bench, EDGE "/a-b");
	drop(bench, NODE "/b");
	assert_string_equal(build(bench), "");
	expect_rows(bench, 0, 0, 0);
	expect_changes(bench, 0, 0, 2);
}

static void
build__deletes_rows_of_another_account(void **state)
{
	static const char *const keys[] = { "at://did:web:a/x.y.z/1",
	    "at://did:web:gov.example/pub.chive.graph.node/0",
	    "at://did:web:z/x.y.z/1" };
	struct bench *bench = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(keys); i++)
		for (unsigned table = ROW_NODE; table <= ROW_PENDING_EDGE; table++)
			fake_rows_put(&bench->indexer, table,
			    (struct bytes){ (const uint8_t *)keys[i], strlen(keys[i]) },
			    BYTES_NONE);
	put_node(bench, "a", "1", "");
	put_edge(bench, "a-a", "a", "a");
	assert_string_equal(build(bench), "");
	expect_rows(bench, 1, 1, 0);
	expect_changes(bench, 2, 0, 9);
	assert_int_equal(bench->outcome.counts.loops, 1);
}

/* Several pages of each, with rows to delete in, between and behind them. */
static void
build__goes_page_by_page(void **state)
{
	struct bench *bench = *state;
	char rkey[16], next[16], path[64];

	for (unsigned i = 0; i < 350; i++) {
		(void)snprintf(rkey, sizeof(rkey), "n%03u", i);
		(void)snprintf(next, sizeof(next), "n%03u", i + 1);
		put_node(bench, rkey, rkey, "");
		put_edge(bench, rkey, rkey, next);
	}
	assert_string_equal(build(bench), "");
	expect_rows(bench, 350, 349, 1);
	expect_changes(bench, 700, 0, 0);

	for (unsigned i = 1; i < 350; i += 2) {
		(void)snprintf(path, sizeof(path), NODE "/n%03u", i);
		drop(bench, path);
	}
	for (unsigned i = 100; i < 350; i++) {
		(void)snprintf(path, sizeof(path), EDGE "/n%03u", i);
		drop(bench, path);
	}
	assert_string_equal(build(bench), "");
	expect_rows(bench, 175, 0, 100);
	expect_changes(bench, 100, 0, 175 + 349 + 1);
	assert_string_equal(build(bench), "");
	expect_changes(bench, 0, 0, 0);
}

static void
build__refuses_records_and_takes_the_others(void **state)
{
	struct bench *bench = *state;

	put_node(bench, "a", "1", "");
	put_node(bench, "b", "1", "");
	put_node(bench, "c", "3", ",\"slug\":7");
	put_edge(bench, "a-b", "a", "b");
	put_json(bench, EDGE, "x", "{\"$type\":\"" EDGE "\"}");
	assert_string_equal(build(bench), "");
	/* What is refused is no node, so its edges wait. */
	expect_rows(bench, 1, 0, 1);
	assert_int_equal(bench->outcome.counts.processed, 5);
	assert_int_equal(bench->outcome.counts.refused, 3);
	assert_string_equal(bench->refused,
	    "at://" DID "/" NODE "/b id: an earlier node has the same; "
	    "at://" DID "/" NODE "/c slug: is not a string; "
	    "at://" DID "/" EDGE "/x id: is missing; ");
}

static void
build__counts_heirs_that_are_no_nodes(void **state)
{
	struct bench *bench = *state;

	put_node(bench, "a", "1", ",\"deprecatedBy\":\"at://" DID "/" NODE "/z\"");
	put_node(bench, "b", "2", ",\"deprecatedBy\":\"at://" DID "/" NODE "/c\"");
	put_node(bench, "c", "3", "");
	assert_string_equal(build(bench), "");
	assert_int_equal(bench->outcome.counts.lost_heirs, 1);
}

static void
build__keeps_the_graph_if_every_record_is_refused(void **state)
{
	struct bench *bench = *state;

	put_node(bench, "a", "1", "");
	assert_string_equal(build(bench), "");
	put_node(bench, "a", "", "");
	assert_string_equal(build(bench), "invalid");
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), 1);
	assert_int_equal(bench->indexer.row_commits, 1);
}

static void
build__stops_at_its_limits(void **state)
{
	struct bench *bench = *state;

	put_node(bench, "a", "1", "");
	put_node(bench, "b", "2", "");
	put_edge(bench, "a-b", "a", "b");
	put_edge(bench, "b-a", "b", "a");
	bench->order.max_nodes = bench->order.max_edges = 2;
	assert_string_equal(build(bench), "");
	bench->order.max_nodes = 1;
	assert_string_equal(build(bench), "too-large");
	bench->order.max_nodes = 2;
	bench->order.max_edges = 1;
	assert_string_equal(build(bench), "too-large");
	assert_int_equal(bench->indexer.row_commits, 1);
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_EDGE), 2);
}

static void
build__begins_again_if_the_repository_changes_meanwhile(void **state)
{
	struct bench *bench = *state;

	put_node(bench, "a", "1", "");
	put_node(bench, "x", "", "");
	put_edge(bench, "a-late", "a", "late");
	bench->changes_left = 1;
	assert_string_equal(build(bench), "");
	expect_rows(bench, 2, 1, 0);
	assert_int_equal(bench->outcome.counts.refused, 1);
	assert_int_equal(bench->indexer.row_commits, 1);
	assert_int_equal(bench->indexer.aborts, 1);
}

static void
build__gives_up_if_it_changes_every_time(void **state)
{
	struct bench *bench = *state;

	put_node(bench, "a", "1", "");
	bench->changes_left = 100;
	assert_string_equal(build(bench), "busy");
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), 0);
}

static void
build__tells_what_the_indexer_refuses(void **state)
{
	struct bench *bench = *state;

	put_node(bench, "a", "1", "");
	bench->indexer.refuse_commit = "disk-full";
	assert_string_equal(build(bench), "disk-full");
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), 0);

	bench->order.did = STR("did:web:nobody.example");
	assert_string_equal(build(bench), "not-found");
}

static void
build__can_be_stopped_at_any_moment(void **state)
{
	struct bench *bench = *state;

	for (unsigned i = 0; i < 150; i++) {
		char rkey[16];

		(void)snprintf(rkey, sizeof(rkey), "n%03u", i);
		put_node(bench, rkey, rkey, "");
		put_edge(bench, rkey, rkey, rkey);
	}
	for (unsigned turns = 0; bench->dones == 0; turns++) {
		bench->build = graph_build_start(bench->link, &bench->order,
		    &graph_events, bench);
		for (unsigned i = 0; i < turns && bench->dones == 0; i++)
			(void)ev_run(bench->loop, EVRUN_ONCE);
		graph_build_free(&bench->build);
		/* All of it or nothing. */
		assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), fake_rows_in(
		    &bench->indexer, ROW_EDGE));
	}
	assert_string_equal(build(bench), "");
	expect_rows(bench, 150, 150, 0);
	assert_int_equal(bench->indexer.tally.created, 300);
	assert_int_equal(bench->indexer.tally.deleted, 0);
}

#define B(test)	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest graph_build_tests[] = {
	B(build__makes_rows_of_nodes_and_edges),
	B(build__of_what_is_unchanged_changes_nothing),
	B(build__moves_edges_as_nodes_come_and_go),
	B(build__deletes_rows_of_another_account),
	B(build__goes_page_by_page),
	B(build__refuses_records_and_takes_the_others),
	B(build__counts_heirs_that_are_no_nodes),
	B(build__keeps_the_graph_if_every_record_is_refused),
	B(build__stops_at_its_limits),
	B(build__begins_again_if_the_repository_changes_meanwhile),
	B(build__gives_up_if_it_changes_every_time),
	B(build__tells_what_the_indexer_refuses),
	B(build__can_be_stopped_at_any_moment),
};

UNIT_MAIN(graph_build_tests)

/*
 * test_graph_build.c - src/workers/graph_build: the graph made of indexed records, by
 * the indexer of fake_indexer.h on the same loop.
 */
#include "t/unit/graph_bench.h"

#include <stdio.h>
#include <string.h>

static void
build__makes_rows_of_nodes_and_edges(void **state)
{
	struct graph_bench *bench = *state;
	const struct fake_row *row;
	struct node_row node;
	struct edge_row edge;

	graph_bench_put_node(bench, "a", "1", "");
	graph_bench_put_node(bench, "b", "2", "");
	graph_bench_put_edge(bench, "a-b", "a", "b");
	graph_bench_put_edge(bench, "b-c", "b", "c");
	graph_bench_put_edge(bench, "d-c", "d", "c");
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_rows(bench, 2, 1, 2);
	graph_bench_expect_changes(bench, 5, 0, 0);
	assert_string_equal(bench->stages, "counting nodes edges committing ");
	assert_int_equal(bench->outcome.counts.processed, 5);
	assert_int_equal(bench->outcome.counts.total, 5);

	row = graph_bench_row(bench, ROW_NODE, NODE "/a");
	assert_int_equal(node_row_decode(row->key, row->value, &node), 0);
	assert_true(str_eq(node.id, STR("1")));
	assert_int_equal(node.cid.len, CID_BYTES);
	row = graph_bench_row(bench, ROW_PENDING_EDGE, EDGE "/b-c");
	assert_int_equal(edge_row_decode(row->key, row->value, &edge), 0);
	assert_int_equal(edge.absent, EDGE_LACKS_TARGET);
	row = graph_bench_row(bench, ROW_PENDING_EDGE, EDGE "/d-c");
	assert_int_equal(edge_row_decode(row->key, row->value, &edge), 0);
	assert_int_equal(edge.absent, EDGE_LACKS_SOURCE | EDGE_LACKS_TARGET);
	row = graph_bench_row(bench, ROW_EDGE, EDGE "/a-b");
	assert_int_equal(edge_row_decode(row->key, row->value, &edge), 0);
	assert_int_equal(edge.absent, 0);
}

static void
build__of_what_is_unchanged_changes_nothing(void **state)
{
	struct graph_bench *bench = *state;

	graph_bench_put_node(bench, "a", "1", "");
	graph_bench_put_edge(bench, "a-b", "a", "b");
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_changes(bench, 2, 0, 0);
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_changes(bench, 0, 0, 0);
	graph_bench_expect_rows(bench, 1, 0, 1);
}

static void
build__moves_edges_as_nodes_come_and_go(void **state)
{
	struct graph_bench *bench = *state;

	graph_bench_put_node(bench, "a", "1", "");
	graph_bench_put_edge(bench, "a-b", "a", "b");
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_changes(bench, 2, 0, 0);

	graph_bench_put_node(bench, "b", "2", "");
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_rows(bench, 2, 1, 0);
	graph_bench_expect_changes(bench, 2, 0, 1);

	graph_bench_drop(bench, NODE "/a");
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_rows(bench, 1, 0, 1);
	graph_bench_expect_changes(bench, 1, 0, 2);

	graph_bench_drop(bench, EDGE "/a-b");
	graph_bench_drop(bench, NODE "/b");
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_rows(bench, 0, 0, 0);
	graph_bench_expect_changes(bench, 0, 0, 2);
}

static void
build__deletes_rows_of_another_account(void **state)
{
	static const char *const keys[] = { "at://did:web:a/x.y.z/1",
	    "at://did:web:gov.example/pub.chive.graph.node/0",
	    "at://did:web:z/x.y.z/1" };
	struct graph_bench *bench = *state;

	for (size_t i = 0; i < BF_ARRAY_LEN(keys); i++)
		for (unsigned table = ROW_NODE; table <= ROW_PENDING_EDGE; table++)
			fake_rows_put(&bench->indexer, table,
			    (struct bytes){ (const uint8_t *)keys[i], strlen(keys[i]) },
			    BYTES_NONE);
	graph_bench_put_node(bench, "a", "1", "");
	graph_bench_put_edge(bench, "a-a", "a", "a");
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_rows(bench, 1, 1, 0);
	graph_bench_expect_changes(bench, 2, 0, 9);
	assert_int_equal(bench->outcome.counts.loops, 1);
}

/* Several pages of each, with rows to delete in, between and behind them. */
static void
build__goes_page_by_page(void **state)
{
	struct graph_bench *bench = *state;
	char rkey[16], next[16], path[64];

	for (unsigned i = 0; i < 350; i++) {
		(void)snprintf(rkey, sizeof(rkey), "n%03u", i);
		(void)snprintf(next, sizeof(next), "n%03u", i + 1);
		graph_bench_put_node(bench, rkey, rkey, "");
		graph_bench_put_edge(bench, rkey, rkey, next);
	}
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_rows(bench, 350, 349, 1);
	graph_bench_expect_changes(bench, 700, 0, 0);

	for (unsigned i = 1; i < 350; i += 2) {
		(void)snprintf(path, sizeof(path), NODE "/n%03u", i);
		graph_bench_drop(bench, path);
	}
	for (unsigned i = 100; i < 350; i++) {
		(void)snprintf(path, sizeof(path), EDGE "/n%03u", i);
		graph_bench_drop(bench, path);
	}
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_rows(bench, 175, 0, 100);
	graph_bench_expect_changes(bench, 100, 0, 175 + 349 + 1);
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_changes(bench, 0, 0, 0);
}

static void
build__refuses_records_and_takes_the_others(void **state)
{
	struct graph_bench *bench = *state;

	graph_bench_put_node(bench, "a", "1", "");
	graph_bench_put_node(bench, "b", "1", "");
	graph_bench_put_node(bench, "c", "3", ",\"slug\":7");
	graph_bench_put_edge(bench, "a-b", "a", "b");
	graph_bench_put_json(bench, EDGE, "x", "{\"$type\":\"" EDGE "\"}");
	assert_string_equal(graph_bench_build(bench), "");
	/* What is refused is no node, so its edges wait. */
	graph_bench_expect_rows(bench, 1, 0, 1);
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
	struct graph_bench *bench = *state;

	graph_bench_put_node(bench, "a", "1", ",\"deprecatedBy\":\"at://" DID "/" NODE "/z\"");
	graph_bench_put_node(bench, "b", "2", ",\"deprecatedBy\":\"at://" DID "/" NODE "/c\"");
	graph_bench_put_node(bench, "c", "3", "");
	assert_string_equal(graph_bench_build(bench), "");
	assert_int_equal(bench->outcome.counts.lost_heirs, 1);
}

static void
build__keeps_the_graph_if_every_record_is_refused(void **state)
{
	struct graph_bench *bench = *state;

	graph_bench_put_node(bench, "a", "1", "");
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_put_node(bench, "a", "", "");
	assert_string_equal(graph_bench_build(bench), "invalid");
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), 1);
	assert_int_equal(bench->indexer.row_commits, 1);
}

static void
build__stops_at_its_limits(void **state)
{
	struct graph_bench *bench = *state;

	graph_bench_put_node(bench, "a", "1", "");
	graph_bench_put_node(bench, "b", "2", "");
	graph_bench_put_edge(bench, "a-b", "a", "b");
	graph_bench_put_edge(bench, "b-a", "b", "a");
	bench->order.max_nodes = bench->order.max_edges = 2;
	assert_string_equal(graph_bench_build(bench), "");
	bench->order.max_nodes = 1;
	assert_string_equal(graph_bench_build(bench), "too-large");
	bench->order.max_nodes = 2;
	bench->order.max_edges = 1;
	assert_string_equal(graph_bench_build(bench), "too-large");
	assert_int_equal(bench->indexer.row_commits, 1);
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_EDGE), 2);
}

static void
build__begins_again_if_the_repository_changes_meanwhile(void **state)
{
	struct graph_bench *bench = *state;

	graph_bench_put_node(bench, "a", "1", "");
	graph_bench_put_node(bench, "x", "", "");
	graph_bench_put_edge(bench, "a-late", "a", "late");
	bench->changes_left = 1;
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_rows(bench, 2, 1, 0);
	assert_int_equal(bench->outcome.counts.refused, 1);
	assert_int_equal(bench->indexer.row_commits, 1);
	assert_int_equal(bench->indexer.aborts, 1);
}

static void
build__gives_up_if_it_changes_every_time(void **state)
{
	struct graph_bench *bench = *state;

	graph_bench_put_node(bench, "a", "1", "");
	bench->changes_left = 100;
	assert_string_equal(graph_bench_build(bench), "busy");
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), 0);
}

static void
build__tells_what_the_indexer_refuses(void **state)
{
	struct graph_bench *bench = *state;

	graph_bench_put_node(bench, "a", "1", "");
	bench->indexer.refuse_commit = "disk-full";
	assert_string_equal(graph_bench_build(bench), "disk-full");
	assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), 0);

	bench->order.did = STR("did:web:nobody.example");
	assert_string_equal(graph_bench_build(bench), "not-found");
}

static void
build__can_be_stopped_at_any_moment(void **state)
{
	struct graph_bench *bench = *state;

	for (unsigned i = 0; i < 150; i++) {
		char rkey[16];

		(void)snprintf(rkey, sizeof(rkey), "n%03u", i);
		graph_bench_put_node(bench, rkey, rkey, "");
		graph_bench_put_edge(bench, rkey, rkey, rkey);
	}
	for (unsigned turns = 0; bench->dones == 0; turns++) {
		bench->build = graph_build_start(bench->link, &bench->order,
		    &graph_bench_events, bench);
		for (unsigned i = 0; i < turns && bench->dones == 0; i++)
			(void)ev_run(bench->loop, EVRUN_ONCE);
		graph_build_free(&bench->build);
		/* All of it or nothing. */
		assert_int_equal(fake_rows_in(&bench->indexer, ROW_NODE), fake_rows_in(
		    &bench->indexer, ROW_EDGE));
	}
	assert_string_equal(graph_bench_build(bench), "");
	graph_bench_expect_rows(bench, 150, 150, 0);
	assert_int_equal(bench->indexer.tally.created, 300);
	assert_int_equal(bench->indexer.tally.deleted, 0);
}

#define B(test)	cmocka_unit_test_setup_teardown(test, graph_bench_set_up, \
	graph_bench_tear_down)

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

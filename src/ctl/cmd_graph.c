#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "ctl/graph_print.h"
#include "ctl/graph_view.h"
#include "ctl/index_query.h"

struct loading {
	struct graph_view *view;
	enum row_table table;
};

static void
on_row(const struct msg *msg, void *arg)
{
	struct loading *loading = arg;

	graph_view_add(loading->view, loading->table, msg->row.key, msg->row.value);
}

static int
load(struct ctl *ctl, struct graph_view *view, struct err *err)
{
	static const enum row_table tables[] = { ROW_NODE, ROW_EDGE, ROW_PENDING_EDGE };
	struct client records;
	int rc = 0;

	if (ctl_open_records(ctl, &records, err) == -1)
		return -1;
	for (size_t i = 0; rc == 0 && i < BF_ARRAY_LEN(tables); i++) {
		struct loading loading = { view, tables[i] };
		struct msg msg = { .type = MSG_TYPE_ROWS,
		    .rows = { .lane = 1, .table = tables[i] } };

		rc = index_query(&records, &msg, MSG_TYPE_ROW, on_row, &loading, err);
	}
	client_clear(&records);
	return rc;
}

/* What was asked for, of what is there. */
static int
choose(struct graph_view *view, struct graph_print *print, struct str name,
    struct err *err)
{
	if (!str_is_empty(name)) {
		print->node = graph_view_find(view, name);
		if (print->node == NULL)
			return err_set(err, ERR_NOT_FOUND, "no node of the graph has the id "
			    "or URI %.*s", STR_FMT(name));
		graph_view_focus(view, print->node->uri);
	}
	graph_view_sort_edges(view);
	return 0;
}

static void
print_graph(const struct ctl *ctl, const struct graph_print *print, bool is_dot)
{
	const struct graph_view *view = print->view;
	struct buf text = BUF_INIT;

	if (is_dot)
		graph_print_dot(print, &text);
	else if (ctl->is_json)
		graph_print_json(print, &text);
	else if (view->nodes_count + view->edges_count + view->pending_count == 0)
		(void)fprintf(stderr, "There is no graph yet; 'backfillctl trigger "
		    "governance-sync' makes it.\n");
	else
		graph_print_tables(print, &text);
	term_write(&text);
	buf_clear(&text);
}

static int
run(struct ctl *ctl, const struct args *args)
{
	struct str name = str_from(args_value(args, "node"));
	struct graph_view view;
	struct graph_print print = { .view = &view, .term = &ctl->term,
	    .pending_only = args_has(args, "pending") };
	bool is_dot = args_has(args, "dot");
	struct err err;
	int rc;

	if (is_dot && ctl->is_json)
		return ctl_usage(ctl, "--dot and --json: only one of them");
	graph_view_init(&view);
	rc = load(ctl, &view, &err);
	if (rc == 0)
		rc = choose(&view, &print, name, &err);
	if (rc == 0)
		print_graph(ctl, &print, is_dot);
	if (rc == 0 && view.damaged > 0)
		rc = err_set(&err, ERR_CORRUPT, "%" PRIu64 " rows are damaged and were "
		    "left out; governance-sync makes them anew", view.damaged);
	graph_view_clear(&view);
	return rc == 0 ? EXIT_OK : ctl_fail(ctl, &err);
}

static const struct args_option options[] = {
	{ "node", 0, "ID", "only this node, by id or URI, and its edges" },
	{ "pending", 0, NULL, "only edges that wait for a node" },
	{ "dot", 0, NULL, "print it for Graphviz: ... | dot -Tsvg > graph.svg" },
	{ 0 },
};

const struct command command_graph = {
	.name = "graph",
	.operands = "",
	.summary = "print the governance graph",
	.details =
	    "Nodes and edges as governance-sync has last made them.  An edge is pending\n"
	    "while one of its ends is no node of the graph.\n",
	.options = options,
	.run = run,
};

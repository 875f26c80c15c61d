#include "ctl/graph_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/human.h"
#include "common/json.h"
#include "ctl/table.h"
#include "ctl/text.h"

static size_t
nodes_shown(const struct graph_print *print)
{
	return print->pending_only ? 0 : print->view->nodes_count;
}

static size_t
edges_shown(const struct graph_print *print)
{
	return print->pending_only ? 0 : print->view->edges_count;
}

static bool
is_shown(const struct graph_print *print, const struct node_row *node)
{
	return print->node == NULL || print->node == node;
}

/* --- tables --- */

static const struct table_column node_columns[] = {
	{ "NODE", false, 16 },
	{ "KIND", false, 0 },
	{ "SUBKIND", false, 0 },
	{ "STATUS", false, 0 },
	{ "ID", false, 12 },
};

static const struct table_column edge_columns[] = {
	{ "SOURCE", false, 16 },
	{ "RELATION", false, 0 },
	{ "TARGET", false, 16 },
	{ "STATUS", false, 0 },
	{ "WEIGHT", true, 0 },
};

static const struct table_column pending_columns[] = {
	{ "PENDING", false, 16 },
	{ "RELATION", false, 0 },
	{ "TARGET", false, 16 },
	{ "ABSENT", false, 0 },
	{ "STATUS", false, 0 },
};

static void
end_table(const struct graph_print *print, struct table **table, struct buf *to)
{
	if (table_rows(*table) > 0 && buf_len(to) > 0)
		buf_add_byte(to, '\n');
	table_format(*table, print->term, print->term->is_tty ? term_columns() :
	    TABLE_NO_WIDTH, to);
	table_free(table);
}

static void
add_status(struct table *table, struct str status)
{
	bool is_settled = str_eq(status, STR("established"));

	table_add_coloured(table, status, is_settled ? TERM_GREEN : TERM_YELLOW);
}

static void
print_nodes(const struct graph_print *print, struct buf *to)
{
	struct table *table = table_new(node_columns, BF_ARRAY_LEN(node_columns));

	for (size_t i = 0; i < nodes_shown(print); i++) {
		const struct node_row *node = &print->view->nodes[i];

		if (!is_shown(print, node))
			continue;
		table_add(table, node->label);
		table_add(table, node->kind);
		table_add(table, node->subkind);
		add_status(table, node->status);
		table_add(table, node->id);
	}
	end_table(print, &table, to);
}

static void
print_edges(const struct graph_print *print, struct buf *to)
{
	struct table *table = table_new(edge_columns, BF_ARRAY_LEN(edge_columns));

	for (size_t i = 0; i < edges_shown(print); i++) {
		const struct edge_row *edge = &print->view->edges[i];
		char weight[HUMAN_SIZE] = "";

		if (edge->has_weight)
			(void)snprintf(weight, sizeof(weight), "%" PRIu64 ".%03" PRIu64,
			    edge->weight / 1000, edge->weight % 1000);
		table_add(table, graph_view_label(print->view, edge->source_uri));
		table_add(table, edge->relation_slug);
		table_add(table, graph_view_label(print->view, edge->target_uri));
		add_status(table, edge->status);
		table_add(table, str_from(weight));
	}
	end_table(print, &table, to);
}

static void
print_pending(const struct graph_print *print, struct buf *to)
{
	struct table *table = table_new(pending_columns, BF_ARRAY_LEN(pending_columns));

	for (size_t i = 0; i < print->view->pending_count; i++) {
		const struct edge_row *edge = &print->view->pending[i];

		table_add(table, graph_view_label(print->view, edge->source_uri));
		table_add(table, edge->relation_slug);
		table_add(table, graph_view_label(print->view, edge->target_uri));
		table_add(table, str_from(edge_absent_name(edge->absent)));
		add_status(table, edge->status);
	}
	end_table(print, &table, to);
}

static void
print_heir(const struct graph_print *print, struct buf *to)
{
	struct str heir = print->node->deprecated_by;

	(void)text_add(to, print->node->uri, TEXT_UNCUT, print->term->is_utf8);
	buf_add_byte(to, '\n');
	if (!str_is_empty(heir)) {
		buf_add_str(to, STR("deprecated by "));
		(void)text_add(to, graph_view_label(print->view, heir), TEXT_UNCUT,
		    print->term->is_utf8);
		if (graph_view_node(print->view, heir) == NULL)
			buf_add_str(to, STR(" (not in the graph)"));
		buf_add_byte(to, '\n');
	}
}

void
graph_print_tables(const struct graph_print *print, struct buf *to)
{
	const struct graph_view *view = print->view;

	if (print->node != NULL)
		print_heir(print, to);
	print_nodes(print, to);
	print_edges(print, to);
	print_pending(print, to);
	if (buf_len(to) > 0)
		buf_add_byte(to, '\n');
	if (print->node == NULL && !print->pending_only)
		buf_printf(to, "%zu nodes, ", view->nodes_count);
	if (!print->pending_only)
		buf_printf(to, "%zu edges, ", view->edges_count);
	buf_printf(to, "%zu pending\n", view->pending_count);
}

/* --- JSON --- */

/* What a record does not have has no member. */
static void
add_member(struct json *json, struct str name, struct str text)
{
	if (!str_is_empty(text))
		json_member_str(json, name, text);
}

static struct json
begin_line(const char *name, struct buf *to)
{
	struct json json = json_to(to);

	json_object_begin(&json);
	json_name(&json, str_from(name));
	json_object_begin(&json);
	return json;
}

static void
end_line(struct json *json, struct buf *to)
{
	json_object_end(json);
	json_object_end(json);
	buf_add_byte(to, '\n');
}

static void
add_node_line(const struct node_row *node, struct buf *to)
{
	struct json json = begin_line("node", to);

	json_member_str(&json, STR("uri"), node->uri);
	json_member_str(&json, STR("id"), node->id);
	json_member_str(&json, STR("kind"), node->kind);
	add_member(&json, STR("subkind"), node->subkind);
	add_member(&json, STR("subkindUri"), node->subkind_uri);
	add_member(&json, STR("slug"), node->slug);
	json_member_str(&json, STR("label"), node->label);
	add_member(&json, STR("description"), node->description);
	json_member_str(&json, STR("status"), node->status);
	add_member(&json, STR("deprecatedBy"), node->deprecated_by);
	add_member(&json, STR("createdAt"), node->created_at);
	add_member(&json, STR("updatedAt"), node->updated_at);
	end_line(&json, to);
}

static void
add_edge_line(const char *name, const struct edge_row *edge, struct buf *to)
{
	struct json json = begin_line(name, to);

	json_member_str(&json, STR("uri"), edge->uri);
	json_member_str(&json, STR("id"), edge->id);
	json_member_str(&json, STR("sourceUri"), edge->source_uri);
	json_member_str(&json, STR("relationSlug"), edge->relation_slug);
	json_member_str(&json, STR("targetUri"), edge->target_uri);
	add_member(&json, STR("relationUri"), edge->relation_uri);
	if (edge->has_weight)
		json_member_u64(&json, STR("weight"), edge->weight);
	json_member_str(&json, STR("status"), edge->status);
	add_member(&json, STR("createdAt"), edge->created_at);
	add_member(&json, STR("updatedAt"), edge->updated_at);
	if (edge->absent != 0)
		json_member_str(&json, STR("absent"),
		    str_from(edge_absent_name(edge->absent)));
	end_line(&json, to);
}

void
graph_print_json(const struct graph_print *print, struct buf *to)
{
	const struct graph_view *view = print->view;
	struct json json;

	for (size_t i = 0; i < nodes_shown(print); i++)
		if (is_shown(print, &view->nodes[i]))
			add_node_line(&view->nodes[i], to);
	for (size_t i = 0; i < edges_shown(print); i++)
		add_edge_line("edge", &view->edges[i], to);
	for (size_t i = 0; i < view->pending_count; i++)
		add_edge_line("pendingEdge", &view->pending[i], to);
	json = begin_line("counts", to);
	json_member_u64(&json, STR("nodes"), print->node != NULL ? 1 : view->nodes_count);
	json_member_u64(&json, STR("edges"), view->edges_count);
	json_member_u64(&json, STR("pendingEdges"), view->pending_count);
	end_line(&json, to);
}

/* --- Graphviz --- */

/* A quoted string of the DOT language: it knows \" and takes \\, \n for its own. */
static void
add_quoted(struct buf *to, struct str text, const struct term *term)
{
	struct buf clean = BUF_INIT;

	(void)text_add(&clean, text, TEXT_UNCUT, term->is_utf8);
	buf_add_byte(to, '"');
	for (size_t i = 0; i < buf_len(&clean); i++) {
		uint8_t c = buf_data(&clean)[i];

		if (c == '"' || c == '\\')
			buf_add_byte(to, '\\');
		buf_add_byte(to, c);
	}
	buf_add_byte(to, '"');
	buf_clear(&clean);
}

static bool
is_deprecated(struct str status)
{
	return str_eq(status, STR("deprecated"));
}

static void
add_dot_edge(const struct graph_print *print, const struct edge_row *edge,
    struct buf *to)
{
	buf_add_byte(to, '\t');
	add_quoted(to, edge->source_uri, print->term);
	buf_add_str(to, STR(" -> "));
	add_quoted(to, edge->target_uri, print->term);
	buf_add_str(to, STR(" [label="));
	add_quoted(to, edge->relation_slug, print->term);
	if (edge->absent != 0)
		buf_add_str(to, STR(", style=dotted"));
	else if (is_deprecated(edge->status))
		buf_add_str(to, STR(", style=dashed"));
	buf_add_str(to, STR("];\n"));
}

/* With one node, only its neighbours are drawn: those that its edges name. */
static bool
is_drawn(const struct graph_print *print, const struct node_row *node)
{
	const struct graph_view *view = print->view;

	if (is_shown(print, node))
		return true;
	for (size_t i = 0; i < view->edges_count; i++)
		if (str_eq(view->edges[i].source_uri, node->uri) ||
		    str_eq(view->edges[i].target_uri, node->uri))
			return true;
	return false;
}

void
graph_print_dot(const struct graph_print *print, struct buf *to)
{
	const struct graph_view *view = print->view;

	buf_add_str(to, STR("digraph governance {\n"));
	for (size_t i = 0; i < nodes_shown(print); i++) {
		const struct node_row *node = &view->nodes[i];

		if (!is_drawn(print, node))
			continue;
		buf_add_byte(to, '\t');
		add_quoted(to, node->uri, print->term);
		buf_add_str(to, STR(" [label="));
		add_quoted(to, node->label, print->term);
		if (is_deprecated(node->status))
			buf_add_str(to, STR(", style=dashed"));
		buf_add_str(to, STR("];\n"));
	}
	for (size_t i = 0; i < edges_shown(print); i++)
		add_dot_edge(print, &view->edges[i], to);
	for (size_t i = 0; i < view->pending_count; i++)
		add_dot_edge(print, &view->pending[i], to);
	buf_add_str(to, STR("}\n"));
}

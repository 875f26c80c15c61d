#include "ctl/graph_view.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void
graph_view_init(struct graph_view *view)
{
	*view = (struct graph_view){ 0 };
}

void
graph_view_clear(struct graph_view *view)
{
	for (size_t i = 0; i < view->kept_count; i++)
		free(view->kept[i]);
	free(view->kept);
	free(view->nodes);
	free(view->edges);
	free(view->pending);
	graph_view_init(view);
}

/* --- rows --- */

/* Make room for one more of so many. */
static void *
grow(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room == 0 ? 256 : 2 * *room;
	return xrealloc(items, *room * size);
}

static struct bytes
keep(struct graph_view *view, struct bytes key, struct bytes value)
{
	uint8_t *copy = xmalloc(key.len + value.len + 1);

	if (key.len > 0)
		memcpy(copy, key.ptr, key.len);
	if (value.len > 0)
		memcpy(copy + key.len, value.ptr, value.len);
	view->kept = grow(view->kept, view->kept_count, &view->kept_room,
	    sizeof(*view->kept));
	view->kept[view->kept_count++] = copy;
	return (struct bytes){ copy, key.len };
}

static int
add_node(struct graph_view *view, struct bytes key, struct bytes value)
{
	view->nodes = grow(view->nodes, view->nodes_count, &view->nodes_room,
	    sizeof(*view->nodes));
	if (node_row_decode(key, value, &view->nodes[view->nodes_count]) == -1)
		return -1;
	view->nodes_count++;
	return 0;
}

static int
add_edge(struct edge_row **edges, size_t *count, size_t *room, struct bytes key,
    struct bytes value)
{
	*edges = grow(*edges, *count, room, sizeof(**edges));
	if (edge_row_decode(key, value, &(*edges)[*count]) == -1)
		return -1;
	(*count)++;
	return 0;
}

void
graph_view_add(struct graph_view *view, enum row_table table, struct bytes key,
    struct bytes value)
{
	struct bytes kept_key = keep(view, key, value);
	struct bytes kept = { kept_key.ptr + key.len, value.len };
	int rc;

	if (table == ROW_NODE)
		rc = add_node(view, kept_key, kept);
	else if (table == ROW_EDGE)
		rc = add_edge(&view->edges, &view->edges_count, &view->edges_room,
		    kept_key, kept);
	else
		rc = add_edge(&view->pending, &view->pending_count, &view->pending_room,
		    kept_key, kept);
	view->damaged += rc == -1;
}

/* --- looking --- */

static int
compare_uri(const void *name, const void *node)
{
	return str_cmp(*(const struct str *)name, ((const struct node_row *)node)->uri);
}

const struct node_row *
graph_view_node(const struct graph_view *view, struct str uri)
{
	if (view->nodes_count == 0)
		return NULL;
	return bsearch(&uri, view->nodes, view->nodes_count, sizeof(*view->nodes),
	    compare_uri);
}

const struct node_row *
graph_view_find(const struct graph_view *view, struct str name)
{
	const struct node_row *node = graph_view_node(view, name);

	for (size_t i = 0; node == NULL && i < view->nodes_count; i++)
		if (str_eq(view->nodes[i].id, name))
			node = &view->nodes[i];
	return node;
}

struct str
graph_view_label(const struct graph_view *view, struct str uri)
{
	const struct node_row *node = graph_view_node(view, uri);

	return node != NULL && !str_is_empty(node->label) ? node->label : uri;
}

/* --- choosing and ordering --- */

static size_t
keep_edges_of(struct edge_row *edges, size_t count, struct str uri)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (str_eq(edges[i].source_uri, uri) || str_eq(edges[i].target_uri, uri))
			edges[kept++] = edges[i];
	return kept;
}

void
graph_view_focus(struct graph_view *view, struct str uri)
{
	view->edges_count = keep_edges_of(view->edges, view->edges_count, uri);
	view->pending_count = keep_edges_of(view->pending, view->pending_count, uri);
}

static int
compare_edges(const void *a_at, const void *b_at, void *arg)
{
	const struct edge_row *a = a_at, *b = b_at;
	const struct graph_view *view = arg;
	int order = str_cmp(graph_view_label(view, a->source_uri),
	    graph_view_label(view, b->source_uri));

	if (order == 0)
		order = str_cmp(a->source_uri, b->source_uri);
	if (order == 0)
		order = str_cmp(a->relation_slug, b->relation_slug);
	if (order == 0)
		order = str_cmp(graph_view_label(view, a->target_uri),
		    graph_view_label(view, b->target_uri));
	return order != 0 ? order : str_cmp(a->uri, b->uri);
}

void
graph_view_sort_edges(struct graph_view *view)
{
	if (view->edges_count > 0)
		qsort_r(view->edges, view->edges_count, sizeof(*view->edges),
		    compare_edges, view);
	if (view->pending_count > 0)
		qsort_r(view->pending, view->pending_count, sizeof(*view->pending),
		    compare_edges, view);
}

/*
 * A page of the governance account's records: each becomes a row, and rows without
 * a record go.
 */
#include <inttypes.h>

#include "common/mem.h"
#include "workers/graph_build_impl.h"
#include "workers/graph_record.h"

static void ask_page(struct graph_build *build);
static void ask_rows(struct graph_build *build);

static struct bytes
bytes_of(struct str text)
{
	return (struct bytes){ (const uint8_t *)text.ptr, text.len };
}

static void
set_str(struct buf *to, struct str text)
{
	buf_reset(to);
	buf_add_str(to, text);
}

/* --- one record --- */

static void
put(struct graph_build *build, enum row_table table)
{
	struct graph_key *key = &build->page[build->page_keys++];

	*key = (struct graph_key){ buf_len(&build->keys), buf_len(&build->uri), table };
	buf_add_str(&build->keys, buf_str(&build->uri));
	rows_put(build->batch, table, buf_bytes(&build->uri), buf_bytes(&build->value));
}

static void
refuse(struct graph_build *build, const char *why)
{
	build->counts.refused++;
	build->events->on_refused(build->counts.refused, buf_str(&build->uri), why,
	    build->arg);
}

static void
remember_heir(struct graph_build *build, struct str uri)
{
	if (build->heirs_count == build->heirs_room) {
		build->heirs_room = build->heirs_room == 0 ? 64 : 2 * build->heirs_room;
		build->heirs = xrealloc(build->heirs,
		    build->heirs_room * sizeof(*build->heirs));
	}
	build->heirs[build->heirs_count++] = graph_set_digest(&build->set,
	    GRAPH_NODE_URI, uri);
}

static void
take_node(struct graph_build *build, const struct msg_record *record)
{
	struct graph_set *set = &build->set;
	struct graph_fault fault;
	struct node_row row;

	if (graph_record_node(record->record, build->order.node_collection, &row,
	    &fault) == -1) {
		refuse(build, fault.text);
		return;
	}
	if (!graph_set_add(set, graph_set_digest(set, GRAPH_NODE_ID, row.id))) {
		refuse(build, "id: an earlier node has the same");
		return;
	}
	(void)graph_set_add(set, graph_set_digest(set, GRAPH_NODE_URI,
	    buf_str(&build->uri)));
	if (!str_is_empty(row.deprecated_by))
		remember_heir(build, row.deprecated_by);
	row.cid = record->cid;
	node_row_encode(&build->value, &row);
	put(build, ROW_NODE);
	build->counts.nodes++;
}

static bool
is_node(struct graph_build *build, struct str uri)
{
	return graph_set_has(&build->set, graph_set_digest(&build->set, GRAPH_NODE_URI,
	    uri));
}

static void
take_edge(struct graph_build *build, const struct msg_record *record)
{
	struct graph_set *set = &build->set;
	struct graph_fault fault;
	struct edge_row row;

	if (graph_record_edge(record->record, build->order.edge_collection, &row,
	    &fault) == -1) {
		refuse(build, fault.text);
		return;
	}
	if (!graph_set_add(set, graph_set_digest(set, GRAPH_EDGE_ID, row.id))) {
		refuse(build, "id: an earlier edge has the same");
		return;
	}
	row.absent = (is_node(build, row.source_uri) ? 0 : EDGE_LACKS_SOURCE) |
	    (is_node(build, row.target_uri) ? 0 : EDGE_LACKS_TARGET);
	row.cid = record->cid;
	edge_row_encode(&build->value, &row);
	put(build, row.absent == 0 ? ROW_EDGE : ROW_PENDING_EDGE);
	build->counts.loops += str_eq(row.source_uri, row.target_uri);
	if (row.absent == 0)
		build->counts.edges++;
	else
		build->counts.pending++;
}

/* --- the records of a page --- */

static uint64_t
max_records(const struct graph_build *build)
{
	return build->step == GRAPH_NODES ? build->order.max_nodes :
	    build->order.max_edges;
}

static void
on_record(const struct msg_record *record, void *arg)
{
	struct graph_build *build = arg;
	bool is_nodes = build->step == GRAPH_NODES;
	uint64_t *seen = is_nodes ? &build->nodes_seen : &build->edges_seen;

	if (build->is_too_large || build->page_records == GRAPH_PAGE)
		return;
	build->is_too_large = ++*seen > max_records(build);
	build->page_records++;
	build->counts.processed++;
	buf_reset(&build->uri);
	buf_reset(&build->value);
	buf_printf(&build->uri, "at://%.*s/%.*s", STR_FMT(record->did),
	    STR_FMT(record->path));
	set_str(&build->after, record->path);
	set_str(&build->last_uri, buf_str(&build->uri));
	if (is_nodes)
		take_node(build, record);
	else
		take_edge(build, record);
}

static void
on_page_end(const struct msg_refuse *why, void *arg)
{
	struct graph_build *build = arg;

	build->question = NULL;
	if (why != NULL) {
		graph_fail_refused(build, why->class, why->text);
		return;
	}
	if (build->is_too_large) {
		graph_fail(build, "too-large", "more than %" PRIu64 " %s; the graph stays "
		    "as it was", max_records(build), build->step == GRAPH_NODES ? "nodes" :
		    "edges");
		return;
	}
	if (build->counts.total < build->counts.processed)
		build->counts.total = build->counts.processed;
	build->events->on_progress(build->step == GRAPH_NODES ? "nodes" : "edges",
	    &build->counts, build->arg);
	build->tables_swept = 0;
	build->key_at = 0;
	set_str(&build->swept, buf_str(&build->page_start));
	graph_when_room(build, ask_rows);
}

static void
ask_page(struct graph_build *build)
{
	bool is_first = buf_len(&build->after) == 0;

	build->page_records = build->page_keys = 0;
	buf_reset(&build->keys);
	build->question = records_walk(build->link, &(struct records_walk){
		.did = build->order.did,
		.collection = build->step == GRAPH_NODES ? build->order.node_collection :
		    build->order.edge_collection,
		.after_did = is_first ? STR_NONE : build->order.did,
		.after_path = buf_str(&build->after),
		.limit = GRAPH_PAGE,
	}, on_record, on_page_end, build);
}

void
graph_pages_begin(struct graph_build *build)
{
	buf_reset(&build->after);
	buf_reset(&build->page_start);
	graph_when_room(build, ask_page);
}

/* --- the rows of a page --- */

static enum row_table
table_of(const struct graph_build *build)
{
	if (build->step == GRAPH_NODES)
		return ROW_NODE;
	return build->tables_swept == 0 ? ROW_EDGE : ROW_PENDING_EDGE;
}

static bool
is_last_page(const struct graph_build *build)
{
	return build->page_records < GRAPH_PAGE;
}

/* Has this page put it?  Keys come in ascending order, as the page's are. */
static bool
is_put(struct graph_build *build, struct str key)
{
	while (build->key_at < build->page_keys) {
		const struct graph_key *own = &build->page[build->key_at];
		struct str text = { buf_str(&build->keys).ptr + own->at, own->len };
		int order = str_cmp(text, key);

		if (order >= 0)
			return order == 0 && own->table == table_of(build);
		build->key_at++;
	}
	return false;
}

/* A row behind the page is the business of the next one. */
static void
on_row(struct bytes key, struct bytes value BF_UNUSED, void *arg)
{
	struct graph_build *build = arg;
	struct str text = { (const char *)key.ptr, key.len };

	build->rows_came++;
	if (build->is_swept)
		return;
	build->is_swept = !is_last_page(build) &&
	    str_cmp(text, buf_str(&build->last_uri)) > 0;
	if (build->is_swept)
		return;
	set_str(&build->swept, text);
	if (!is_put(build, text))
		rows_delete(build->batch, table_of(build), key);
}

static void
end_page(struct graph_build *build)
{
	if (is_last_page(build)) {
		graph_step_done(build);
		return;
	}
	set_str(&build->page_start, buf_str(&build->last_uri));
	graph_when_room(build, ask_page);
}

static void
on_rows_end(const struct msg_refuse *why, void *arg)
{
	struct graph_build *build = arg;

	build->question = NULL;
	if (why != NULL) {
		graph_fail_refused(build, why->class, why->text);
		return;
	}
	if (!build->is_swept && build->rows_came == GRAPH_PAGE) {
		graph_when_room(build, ask_rows);
		return;
	}
	build->key_at = 0;
	build->tables_swept++;
	set_str(&build->swept, buf_str(&build->page_start));
	if (build->step == GRAPH_EDGES && build->tables_swept == 1)
		graph_when_room(build, ask_rows);
	else
		end_page(build);
}

static void
ask_rows(struct graph_build *build)
{
	build->rows_came = 0;
	build->is_swept = false;
	build->question = rows_read(build->link, table_of(build), BYTES_NONE,
	    bytes_of(buf_str(&build->swept)), GRAPH_PAGE, on_row, on_rows_end, build);
}

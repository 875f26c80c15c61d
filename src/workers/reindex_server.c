/*
 * The search index on a server: fetch/search_server.h asks it, here documents
 * become lines and an earlier attempt's position is read from its checkpoint.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "fetch/http.h"
#include "fetch/search_server.h"
#include "workers/reindex_sink.h"

struct reindex_sink {
	/* borrowed */
	struct worker *worker;
	const struct reindex_events *events;
	void *arg;

	/* owned */
	struct http *http;
	struct search_server *server;
	struct buf lines;		/* added, not sent */
	struct buf ids;			/* of the documents in it, each with a NUL */
	struct buf did, path;		/* of the position */

	uint64_t documents, failed;	/* of the position; with what is under way */
	uint64_t refused;		/* documents of the bulk that is under way */
	bool has_told_later;
	struct ev_timer turn;		/* tells in the next turn */
};

/* --- the checkpoint: "1 DOCUMENTS FAILED DID PATH" --- */

static bool
read_checkpoint(struct reindex_sink *sink, struct bytes checkpoint)
{
	char *text = xstrndup((const char *)checkpoint.ptr, checkpoint.len);
	int at = 0;
	char *space;

	if (sscanf(text, "1 %" SCNu64 " %" SCNu64 " %n", &sink->documents, &sink->failed,
	    &at) == 2 && at > 0 && (space = strchr(text + at, ' ')) != NULL) {
		buf_add(&sink->did, text + at, (size_t)(space - text) - (size_t)at);
		buf_add_str(&sink->path, str_from(space + 1));
	}
	free(text);
	return buf_len(&sink->path) > 0;
}

static void
send_checkpoint(struct reindex_sink *sink)
{
	struct buf text = BUF_INIT;

	buf_printf(&text, "1 %" PRIu64 " %" PRIu64 " %.*s %.*s", sink->documents,
	    sink->failed, STR_FMT(buf_str(&sink->did)), STR_FMT(buf_str(&sink->path)));
	worker_checkpoint(sink->worker, &(struct msg_checkpoint){
		.data = buf_bytes(&text),
		.processed = sink->documents + sink->failed,
		.created = sink->documents,
	});
	buf_clear(&text);
}

/* --- lines --- */

static void
sink_add(struct reindex_sink *sink, const struct search_document *document)
{
	struct json json = json_to(&sink->lines);

	json_object_begin(&json);
	json_name(&json, STR("index"));
	json_object_begin(&json);
	json_member_str(&json, STR("_id"), buf_str(&document->uri));
	json_object_end(&json);
	json_object_end(&json);
	buf_add_byte(&sink->lines, '\n');

	json = json_to(&sink->lines);
	json_object_begin(&json);
	json_member_str(&json, STR("uri"), buf_str(&document->uri));
	json_member_str(&json, STR("cid"), buf_str(&document->cid));
	json_member_str(&json, STR("collection"), document->collection);
	for (int i = 0; i < SEARCH_FIELDS_COUNT; i++)
		json_member_str(&json, str_from(search_field_names[i]),
		    buf_str(&document->text[i]));
	json_object_end(&json);
	buf_add_byte(&sink->lines, '\n');
	buf_add_str(&sink->ids, buf_str(&document->uri));
	buf_add_byte(&sink->ids, '\0');
}

/* --- turns --- */

static void
on_turn(struct ev_loop *loop BF_UNUSED, struct ev_timer *timer, int revents BF_UNUSED)
{
	struct reindex_sink *sink = timer->data;

	sink->events->on_ready(sink->arg);
}

static void
on_refused(struct str id, const char *class, struct str text, void *arg)
{
	struct reindex_sink *sink = arg;
	char *words = xstrndup(text.ptr, text.len);

	sink->refused++;
	sink->events->on_document_failed(id, class, words, sink->arg);
	free(words);
}

static void
on_later(size_t documents, int64_t wait_ms, void *arg)
{
	struct reindex_sink *sink = arg;

	if (!sink->has_told_later)
		worker_log(sink->worker, LOG_LEVEL_INFO, "the search server takes no more for "
		    "now: %zu documents are sent again in %" PRId64 " ms; so are others "
		    "from now on", documents, wait_ms);
	sink->has_told_later = true;
	sink->events->on_waiting(sink->arg);
}

static void
on_bulk_done(const struct fetch_error *error, void *arg)
{
	struct reindex_sink *sink = arg;

	buf_reset(&sink->lines);
	buf_reset(&sink->ids);
	if (error->class != FETCH_OK) {
		sink->events->on_failed(fetch_class_word(error->class), error->text,
		    sink->arg);
		return;
	}
	sink->documents -= sink->refused;
	sink->failed += sink->refused;
	sink->refused = 0;
	send_checkpoint(sink);
	sink->events->on_ready(sink->arg);
}

static void
sink_commit(struct reindex_sink *sink, const struct index_position *position)
{
	buf_reset(&sink->did);
	buf_add_str(&sink->did, position->did);
	buf_reset(&sink->path);
	buf_add_str(&sink->path, position->path);
	sink->documents = position->documents;
	sink->failed = position->failed;
	if (buf_len(&sink->ids) > 0)
		search_server_bulk(sink->server, &(struct search_bulk){
			.lines = buf_bytes(&sink->lines), .ids = buf_bytes(&sink->ids),
			.patience_ms = (int64_t)
			    worker_settings(sink->worker)->rate_limit_patience_ms,
			.on_refused = on_refused, .on_later = on_later,
			.on_done = on_bulk_done, .arg = sink,
		});
	else
		ev_timer_start(worker_loop(sink->worker), &sink->turn);
}

static void
on_published(const struct fetch_error *error, void *arg)
{
	struct reindex_sink *sink = arg;

	if (error->class != FETCH_OK)
		sink->events->on_failed(fetch_class_word(error->class), error->text,
		    sink->arg);
	else
		sink->events->on_finished(sink->arg);
}

static void
sink_finish(struct reindex_sink *sink)
{
	search_server_publish(sink->server, on_published, sink);
}

/* --- life --- */

static struct reindex_sink *
sink_open(struct worker *worker, const struct reindex_events *events, void *arg)
{
	const struct settings *settings = worker_settings(worker);
	const struct worker_assignment *given = worker_assignment(worker);
	struct reindex_sink *sink = xcalloc(1, sizeof(*sink));
	struct http_options options = {
		.user_agent = "backfilld",
		.answers_429 = worker_answers_429(worker),
		.polite = { .requests_per_s = 1000, .burst = 1000, .per_host_max = 1,
		    .bulk_per_host_max = 1 },
	};
	char *index;

	sink->worker = worker;
	sink->events = events;
	sink->arg = arg;
	(void)read_checkpoint(sink, given->checkpoint);
	/* A TID is lower case, as the name of an index has to be. */
	if (asprintf(&index, "%s-%.*s", settings->opensearch_index,
	    STR_FMT(given->id)) == -1)
		abort();
	sink->http = http_new(worker_loop(worker), &options);
	sink->server = search_server_new(worker_loop(worker), sink->http,
	    settings->opensearch_url, settings->opensearch_credentials, settings->opensearch_index, index);
	free(index);
	ev_timer_init(&sink->turn, on_turn, 0., 0.);
	sink->turn.data = sink;
	ev_timer_start(worker_loop(worker), &sink->turn);
	return sink;
}

static struct index_position
sink_position(const struct reindex_sink *sink)
{
	return (struct index_position){
		.did = buf_str(&sink->did), .path = buf_str(&sink->path),
		.documents = sink->documents, .failed = sink->failed,
	};
}

/* An index that is of no use stays on the server, under a name that tells the
 * operation: we never remove what the alias does not name. */
static void
sink_free(struct reindex_sink **sink, bool is_useless BF_UNUSED)
{
	if (*sink == NULL)
		return;
	ev_timer_stop(worker_loop((*sink)->worker), &(*sink)->turn);
	search_server_free(&(*sink)->server);
	http_free(&(*sink)->http);
	buf_clear(&(*sink)->lines);
	buf_clear(&(*sink)->ids);
	buf_clear(&(*sink)->did);
	buf_clear(&(*sink)->path);
	free(*sink);
	*sink = NULL;
}

const struct reindex_sink_kind reindex_server = {
	.page_max = LIMIT_BULK_DOCUMENTS,
	.open = sink_open,
	.position = sink_position,
	.add = sink_add,
	.commit = sink_commit,
	.finish = sink_finish,
	.free = sink_free,
};

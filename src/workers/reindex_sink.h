/*
 * reindex_sink.h - where full-reindex puts its documents.
 *
 * Two kinds: a file of our own (reindex_file.c) and a search server
 * (reindex_server.c).  Both build a new index beside the one that is searched:
 *
 *	open -> on_ready        its position says how far an earlier attempt came
 *	add* commit -> on_ready any number of times; what is committed stays
 *	finish -> on_finished   the new index has taken the place of the old one
 *
 * or on_failed instead, once, after which only free is good.  Nothing calls back
 * from inside a call.  Process: the full-reindex worker.
 */
#ifndef BF_WORKERS_REINDEX_SINK_H
#define BF_WORKERS_REINDEX_SINK_H

#include "search/document.h"
#include "search/index_file.h"
#include "workers/worker.h"

#define SEARCH_DIR_MODE	0755	/* the index has nothing that is not public */

struct reindex_sink;

struct reindex_events {
	void (*on_ready)(void *arg);
	void (*on_finished)(void *arg);
	/* The server refused one document; it is not in the index. */
	void (*on_document_failed)(struct str uri, const char *class, const char *text,
	    void *arg);
	/* What is committed takes its time: the server takes nothing for now.  Any number
	 * of times between commit and on_ready. */
	void (*on_waiting)(void *arg);
	void (*on_failed)(const char *class, const char *text, void *arg);
};

struct reindex_sink_kind {
	uint64_t page_max;	/* documents between two commits; 0: any number */
	struct reindex_sink *(*open)(struct worker *worker,
	    const struct reindex_events *events, void *arg);
	/* Of what is committed; borrowed until the next commit. */
	struct index_position (*position)(const struct reindex_sink *sink);
	/* Copied. */
	void (*add)(struct reindex_sink *sink, const struct search_document *document);
	void (*commit)(struct reindex_sink *sink, const struct index_position *position);
	void (*finish)(struct reindex_sink *sink);
	/* is_useless: no later attempt will go on with the new index. */
	void (*free)(struct reindex_sink **sink, bool is_useless);
};

extern const struct reindex_sink_kind reindex_file, reindex_server;

#endif

/*
 * graph_rule.h - the part of the Lexicon language that the graph's records need:
 * a table of fields, and a check of a DAG-CBOR map against it.
 *
 * Pure.  Process: workers.
 */
#ifndef BF_WORKERS_GRAPH_RULE_H
#define BF_WORKERS_GRAPH_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atproto/dagcbor.h"
#include "common/attr.h"
#include "workers/graph_record.h"

enum graph_type {
	GRAPH_TEXT,
	GRAPH_INTEGER,
	GRAPH_BOOLEAN,
	GRAPH_OBJECT,		/* `members` are its fields */
	GRAPH_TEXTS,		/* an array */
	GRAPH_OBJECTS,		/* an array of such */
};

enum graph_format {		/* of text */
	GRAPH_ANY,
	GRAPH_NOT_EMPTY,
	GRAPH_AT_URI,
	GRAPH_RECORD_URI,	/* an AT-URI with a collection and a key */
	GRAPH_URI,
	GRAPH_DATETIME,
	GRAPH_DID,
};

struct graph_rule {
	const char *name;	/* NULL ends a table */
	enum graph_type type;
	bool is_required;
	enum graph_format format;
	size_t max_bytes;	/* of a text, or of each of several; 0: as its format has it */
	size_t max_items;	/* of an array */
	int64_t least, most;	/* of an integer */
	const struct graph_rule *members;
	bool is_kept;		/* the text goes to `offset` in the row */
	size_t offset;
};

/*
 * Check the map that `map` stands at, and keep what is to be kept in row (NULL: the
 * table keeps nothing).  -1: fault names the field and the reason.  Objects are
 * nested as deep as the tables are.
 */
int graph_rule_check(const struct graph_rule *rules, struct dagcbor map, void *row,
    struct graph_fault *fault) BF_MUSTCHECK;

#endif

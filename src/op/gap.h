/*
 * gap.h - does the index have a gap, and which operation closes it?
 *
 * The decision of atBB's gap detection (its design ATB-13), as a pure function: who
 * calls it reads the saved position, the index and the clock.  Callers: the API, for
 * POST /api/admin/backfill, and whoever wants to know at a start.
 *
 * The position is that of the configured relay's firehose: the time of the last event
 * whose effects are in the index (rows/cursor.h).
 */
#ifndef BF_OP_GAP_H
#define BF_OP_GAP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

enum gap {
	GAP_NONE,		/* nothing needs to be done */
	GAP_CATCH_UP,		/* replay, and compare where the replay does not reach */
	GAP_FULL_SYNC,		/* there is nothing that a replay could go on from */
};

struct gap_facts {
	bool has_position;
	int64_t position_ms;	/* event time, wall clock; with has_position */
	bool index_is_empty;	/* no repository is in the index */
	int64_t now_ms;
	int64_t max_age_ms;	/* a position as old as this counts as recent */
};

/*
 * The rows in order, the first that applies:
 *
 *	no position			full-sync
 *	the index is empty		full-sync
 *	position older than max_age_ms	catch-up
 *	otherwise			none
 *
 * A position from the future, as a relay's wrong clock makes it, counts as recent.
 */
enum gap gap_decide(const struct gap_facts *facts);

/* The type of operation that closes it, in kebab-case; NULL for GAP_NONE. */
const char *gap_op_type(enum gap gap);

/*
 * What atBB's `?force=` asks for, whatever the facts say: "catch_up" or "full_sync".
 * False if the word is neither.
 */
bool gap_parse_force(struct str word, enum gap *gap_out);

/* atBB's spelling of the type, "catch_up" or "full_sync"; NULL for GAP_NONE. */
const char *gap_force_word(enum gap gap);

#endif

/*
 * host_row.h - a PDS that is known, and how it likes to be asked.
 *
 * The key is its origin, as fetch/url.h writes it: "https://pds.example".
 * Written by whatever meets a server: a scan of servers, a sync, a relay.
 */
#ifndef BF_ROWS_HOST_ROW_H
#define BF_ROWS_HOST_ROW_H

#include <stdbool.h>

#include "common/attr.h"
#include "common/buf.h"
#include "common/field.h"
#include "common/limits.h"

/* F(NUMBER, KIND, member); times are wall clock, 0: never. */
#define HOST_ROW_FIELDS(F)						\
	F(1, U64, first_seen_ms)					\
	F(2, U64, source)		/* enum host_source */		\
	/* its list of repositories (listRepos) */			\
	F(3, U64, listed_ms)		/* last read to its end */	\
	/* 4 was given to a cursor, which nothing ever wrote: a scan has it in its	\
	 * checkpoint */						\
	F(5, U64, repos)		/* on the list, the last time */ \
	/* what fetch/polite.h learned */				\
	F(6, U64, rate_milli)		/* requests per 1000 s; 0: nothing learned */ \
	F(7, U64, penalty_until_ms)	/* it asked for this pause */	\
	F(8, U64, failures)		/* in a row */			\
	F(9, U64, parked_until_ms)	/* given up until then */	\
	F(10, TEXT, last_error)		/* a word; empty: the last request went well */

/* Who named it first. */
enum host_source {
	HOST_FROM_DOCUMENT = 1,		/* a DID document */
	HOST_FROM_CONFIG = 2,
	HOST_FROM_RELAY = 3,
};

/* How it stands at a moment: X(ENUM, word) */
#define HOST_STATES(X)							\
	X(OK, "ok")							\
	X(PAUSING, "pausing")		/* it asked for a pause, which is not over */ \
	X(PARKED, "parked")		/* it failed too often and is let alone */

enum host_state {
#define X(NAME, word) HOST_##NAME,
	HOST_STATES(X)
#undef X
	HOST_STATE_COUNT
};

#define HOST_ROW_MEMBER(number, kind, member)	FIELD_TYPE_##kind member;

struct host_row {
	struct str origin;		/* the key */
	HOST_ROW_FIELDS(HOST_ROW_MEMBER)
};

/*
 * Ends are told by the wall clock.  No pause is longer than HOST_PAUSE_MAX_MS when it is
 * written, so one that seems to be was written before the clock was set back, and is cut
 * to that.  True if one was.  Whoever reads a row calls this behind the decoding.
 */
#define HOST_PAUSE_MAX_MS	LIMIT_FETCH_RETRY_AFTER_MAX_MS
bool host_row_cut_pauses(struct host_row *row, int64_t now_ms);

/* "document", "config", "relay"; "unknown" for anything else. */
const char *host_source_name(uint64_t source);

/* now_ms: wall clock. */
enum host_state host_state_at(const struct host_row *row, int64_t now_ms);
const char *host_state_word(enum host_state state);

/* Append the value. */
void host_row_encode(struct buf *to, const struct host_row *row);

/* -1: not a host. */
int host_row_decode(struct bytes key, struct bytes value, struct host_row *row_out)
    BF_MUSTCHECK;

#endif

/*
 * scan.h - the answer to a question: what a worker's `scan`, and the questions of
 * workers and readers get.
 *
 * Process: backfill-indexer.  An answer is sent in steps of a bounded number of
 * rows, each in a read transaction of its own that ends before the loop goes on,
 * and goes on behind the last row sent.  A scan that its peer does not read
 * waits; it never holds a transaction while it waits.
 */
#ifndef BF_INDEXER_SCAN_H
#define BF_INDEXER_SCAN_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "proto/channel.h"
#include "store/records.h"

struct peer;

enum scan_kind {
	SCAN_ENTRIES,		/* `entry`: path and CID of one repository */
	SCAN_RECORDS,		/* `record`: of one repository or of all */
	SCAN_REPOS,		/* `repo`: one or all */
	SCAN_ROWS,		/* `row`: of one table */
	SCAN_ROW,		/* `row`: one */
	SCAN_STATE,		/* `state` alone: of one repository */
	SCAN_TALLY,		/* `ack` alone: of one operation */
	SCAN_COUNT,		/* `counted` alone */
};

/* What is asked.  Slices are borrowed for the call; what a kind does not use is
 * empty or 0. */
struct scan_ask {
	enum scan_kind kind;
	uint64_t lane;			/* the peer's number for the answer */
	struct str did;			/* empty: all repositories */
	struct str collection;		/* RECORDS: empty or "*" for all, "a.b.*" for
					 * those below a.b, or one name */
	struct str after_did, after_path;	/* RECORDS: go on behind; empty: all */
	bool by_checked;		/* REPOS: the order */
	int64_t after_ms;		/* REPOS by_checked: go on behind this and */
	uint64_t after_id;		/* REPOS: behind this one */
	unsigned table;			/* ROWS, ROW */
	struct bytes key;		/* ROWS: of all keys the prefix; ROW: the key;
					 * TALLY: the operation */
	struct bytes after;		/* ROWS: go on behind this key */
	uint64_t limit;			/* of rows sent; 0: none */
};

struct scan {
	enum scan_kind kind;
	struct peer *peer;		/* borrowed, outlives us */
	struct channel *channel;	/* borrowed: the peer's */
	uint64_t lane;			/* the peer's number for the answer */

	unsigned table;
	bool by_checked;
	uint64_t left;			/* rows that may be sent */

	/* owned */
	char *did;			/* empty: all repositories */
	char *after_did;		/* where to begin, until that is found */
	struct buf key;			/* prefix of paths, or as scan_ask says */
	struct buf after;		/* the last path or key sent */
	uint64_t repo_id;		/* being read, or the last one that was; 0: none */
	int64_t repo_ms;		/* its checked_ms */
	bool is_inside;			/* repo_id is being read */
	bool is_running;		/* in the queue; else waits for its peer to read */

	LIST_ENTRY(scan) of_peer;
	TAILQ_ENTRY(scan) of_running;
};

LIST_HEAD(scan_list, scan);
TAILQ_HEAD(scan_queue, scan);

struct scan *scan_new(struct peer *peer, struct channel *channel,
    const struct scan_ask *ask);
/* `state`, of a repository that is known or (did empty) is not. */
void scan_send_state(struct channel *channel, uint64_t lane,
    const struct repo_row *row);

void scan_free(struct scan **scan);	/* not while it is in a queue */

/*
 * Send at most *rows rows and count *rows down by what was looked at.  Stops
 * early when the channel is clogged.  The final `end`, if the kind has one, is sent
 * too; *is_done_out is then true.  ERR_NOT_FOUND: no such repository to read records
 * from; ERR_CORRUPT and others as the store says.
 */
int scan_step(struct scan *scan, struct records *records, unsigned *rows,
    bool *is_done_out, struct err *err) BF_MUSTCHECK;

#endif

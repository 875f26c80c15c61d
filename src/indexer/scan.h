/*
 * scan.h - an answer of many messages: what a worker's `scan` or a reader's
 * `records` and `repos` get.
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
};

struct scan {
	enum scan_kind kind;
	struct peer *peer;		/* borrowed, outlives us */
	struct channel *channel;	/* borrowed: the peer's */
	uint64_t lane;			/* the peer's number for the answer */

	/* owned */
	char *did;			/* empty: all repositories */
	char *prefix;			/* of paths */
	struct buf after_path;		/* the last one sent of this repository */
	uint64_t repo_id;		/* being read, or the last one that was; 0: none */
	bool is_inside;			/* repo_id is being read */
	bool is_running;		/* in the queue; else waits for its peer to read */

	LIST_ENTRY(scan) of_peer;
	TAILQ_ENTRY(scan) of_running;
};

LIST_HEAD(scan_list, scan);
TAILQ_HEAD(scan_queue, scan);

/* collection: empty or "*" for all, "a.b.*" for those below a.b, or one name. */
struct scan *scan_new(enum scan_kind kind, struct peer *peer,
    struct channel *channel, uint64_t lane, struct str did, struct str collection);
void scan_free(struct scan **scan);	/* not while it is in a queue */

/*
 * Send at most *rows rows and count *rows down by what was looked at.  Stops
 * early when the channel is clogged.  The final `end` is sent too;
 * *is_done_out is then true.  ERR_NOT_FOUND: no such repository to read records
 * from; ERR_CORRUPT and others as the store says.
 */
int scan_step(struct scan *scan, struct records *records, unsigned *rows,
    bool *is_done_out, struct err *err) BF_MUSTCHECK;

#endif

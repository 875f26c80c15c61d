/*
 * peer.h - one attached record channel: a worker that writes, or a reader.
 *
 * Process: backfill-indexer.  The supervisor attaches a peer and says whether it
 * may write, and which tables of rows; that, never what the peer says of itself, decides which messages it
 * may send.  A peer that breaks the protocol is closed and what it staged is
 * dropped; nobody else notices.  The conversations: docs/protocol.md.
 */
#ifndef BF_INDEXER_PEER_H
#define BF_INDEXER_PEER_H

#include "indexer/work.h"

struct peer {
	struct work *work;		/* borrowed, outlives us */
	bool may_write;
	bool writes_table[LIMIT_ROW_TABLES + 1];	/* by number */
	bool has_said_hello;
	unsigned lanes_count;
	unsigned questions_count;	/* of scans: all but those of lanes */

	/* owned */
	char *op_id;			/* "": a reader */
	struct channel *channel;
	char *name;			/* for the log: "op 3kabc" */
	struct lane_list lanes;
	struct scan_list scans;

	LIST_ENTRY(peer) of_indexer;
};

LIST_HEAD(peer_list, peer);

/* Takes ownership of fd and joins the list; leaves it when it is freed, which
 * happens by itself when the peer goes. */
void peer_new(struct work *work, struct ev_loop *loop, struct peer_list *list, int fd,
    const struct msg_attach *attach);
void peer_free(struct peer **peer);

/* --- for work.c --- */

/* Send `ack` or `refuse` as the lane's result says, and free the lane, which is
 * in no queue any more. */
void peer_answer_commit(struct lane *lane);

/* Free a scan.  `why` is sent as `refuse`, and the repository that was scanned is
 * refused with it; NULL if the scan has sent its `end`. */
void peer_end_scan(struct scan *scan, const struct err *why);

#endif

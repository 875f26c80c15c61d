/*
 * indexer.h - backfill-indexer: the only process that writes records/.
 *
 * The supervisor starts it with the control channel on fd 3, sends it its
 * settings, and attaches each worker and reader by a descriptor.  It has no
 * network, reads nothing into the records that it stores, and ends when the
 * supervisor is gone.  One loop, one turn: messages come in and fill lanes and
 * scans; before the loop waits, work_turn() commits and answers.
 */
#ifndef BF_INDEXER_INDEXER_H
#define BF_INDEXER_INDEXER_H

#include <ev.h>

#include "common/exitcode.h"
#include "common/settings.h"
#include "indexer/peer.h"
#include "indexer/work.h"

struct indexer {
	struct ev_loop *loop;		/* borrowed */
	enum exit_code exit_code;	/* when the loop has ended */

	/* owned */
	struct settings settings;
	struct channel *control;
	struct peer_list peers;

	/* owned; there once the settings have said where */
	char *stage_dir;
	int lock_fd;
	int64_t lock_deadline_ms;	/* monotonic; 0: not waiting for the lock */
	struct records *records;	/* NULL: not open yet */
	struct work work;

	/* watchers */
	struct ev_prepare turn;		/* commits, before the loop waits */
	struct ev_idle busy;		/* keeps it from waiting while there is work */
	struct ev_timer lock;		/* tries again to get the lock */
	struct ev_timer readers;	/* frees the slots of dead readers */
	struct ev_signal term, interrupt;
};

/* Takes control_fd; says hello once its settings have come and the store is open. */
void indexer_init(struct indexer *indexer, struct ev_loop *loop, int control_fd);

/* Until the supervisor goes, a SIGTERM, or a failure that only a restart helps. */
enum exit_code indexer_run(struct indexer *indexer);

/* Close everything; what was not committed is dropped. */
void indexer_clear(struct indexer *indexer);

#endif

/*
 * firehose.h - reading one frame of com.atproto.sync.subscribeRepos (spec: Event
 * Stream; lexicon subscribeRepos).
 *
 * A frame is two DAG-CBOR values one behind the other: a header {op, t} and a body.
 * Both are held to the strict form of dagcbor.h.  Pure: nothing is copied, slices
 * point into the frame.  What an event claims is proven by proof.h, if at all.
 */
#ifndef BF_ATPROTO_FIREHOSE_H
#define BF_ATPROTO_FIREHOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "atproto/cid.h"
#include "atproto/dagcbor.h"
#include "atproto/fault.h"
#include "common/attr.h"
#include "common/str.h"

enum firehose_type {
	FIREHOSE_COMMIT,	/* a repository has changed */
	FIREHOSE_SYNC,		/* where a repository stands, whatever it was before */
	FIREHOSE_IDENTITY,	/* a DID document or handle has changed */
	FIREHOSE_ACCOUNT,	/* an account's status has changed */
	FIREHOSE_INFO,		/* a word about the stream: "OutdatedCursor" */
	FIREHOSE_ERROR,		/* the last frame: "FutureCursor", "ConsumerTooSlow" */
	FIREHOSE_OTHER,		/* unknown: to be ignored (spec) */
};

#define FIREHOSE_SEQ_MAX	((1ll << 53) - 1)

/* Members that a type does not have are empty or 0. */
struct firehose_event {
	enum firehose_type type;
	/* all but INFO and ERROR, and of OTHER if it has them */
	uint64_t seq;			/* 1 to FIREHOSE_SEQ_MAX; 0: none */
	struct str did;			/* a valid DID */
	int64_t time_ms;		/* when the event was made, says its host */

	/* COMMIT and SYNC */
	struct str rev;			/* a TID */
	struct bytes blocks;		/* a CAR; empty if too_big */

	/* COMMIT */
	struct cid commit;
	struct str since;		/* the rev before; empty: null */
	bool has_prev_data;
	struct cid prev_data;		/* the tree's root before */
	bool too_big;			/* an old host: no blocks, no operations */
	uint64_t op_count;
	struct dagcbor ops;		/* for firehose_next_op() */

	/* ACCOUNT */
	bool active;
	struct str status;		/* may be empty; "deactivated", ... */

	/* INFO and ERROR */
	struct str name, message;	/* message may be empty */
};

enum firehose_action { FIREHOSE_CREATE, FIREHOSE_UPDATE, FIREHOSE_DELETE };

struct firehose_op {
	enum firehose_action action;
	struct str path;		/* "COLLECTION/RKEY" */
	struct str collection, rkey;	/* its parts */
	struct cid cid;			/* not of DELETE */
	bool has_prev;
	struct cid prev;		/* the value before */
};

/*
 * Read a frame of at most LIMIT_FRAME_BYTES.  Fails with FAULT_CBOR_* or
 * FAULT_FRAME_*; offsets count from its start.  All operations were checked when
 * this succeeds: at most LIMIT_EVENT_OPS, each with a valid path, a CID of ours
 * unless it deletes, and a prev of ours or none.
 */
int firehose_read(struct bytes frame, struct firehose_event *event_out,
    struct fault *fault) BF_MUSTCHECK;

/* The next operation of event->ops, or of a copy of it; exactly op_count times. */
void firehose_next_op(struct dagcbor *ops, struct firehose_op *op_out);

#endif

/*
 * event_maker.h - makes frames of a firehose for tests: an account whose repository
 * changes, and the events that tell of it.
 */
#ifndef BF_T_UNIT_EVENT_MAKER_H
#define BF_T_UNIT_EVENT_MAKER_H

#include <stdbool.h>

#include "atproto/firehose.h"
#include "atproto/keypair.h"
#include "common/buf.h"
#include "t/unit/node_set.h"

#define EVENT_MAKER_RECORDS	512
#define EVENT_MAKER_OPS		260	/* more than the limit */

struct event_op {
	const char *action;		/* a literal */
	char path[128];
	bool has_cid, has_prev;
	struct cid cid, prev;
};

/* What a frame says; a test may change any of it before it is written. */
struct event {
	const char *t;			/* "#commit"; NULL: an error frame */
	int64_t seq;
	const char *did, *rev, *since, *time;	/* NULL: null */
	struct cid commit, prev_data;
	bool has_prev_data, too_big;
	struct buf blocks;		/* owned */
	struct event_op ops[EVENT_MAKER_OPS];
	size_t n_ops;
	bool active;			/* #account */
	const char *status;		/* NULL: absent */
	const char *name, *message;	/* #info, errors */
};

void event_clear(struct event *event);
void event_write(const struct event *event, struct buf *to);

/* The account. */
struct event_maker {
	struct sha256 *sha;
	struct keypair *pair;
	const char *did;
	struct cid data;		/* of the last event made */
	const char *rev;		/* likewise; NULL before the first */
	/* the records, by path */
	struct {
		char path[128];
		struct cid cid;
	} records[EVENT_MAKER_RECORDS];
	size_t n;
	struct event next;		/* its operations so far */
	struct node_set blocks;		/* of the records that it writes */
};

struct event_maker *event_maker_new(const char *did);
void event_maker_free(struct event_maker **maker);

/* Create or update, delete: operations of the next event. */
void event_maker_put(struct event_maker *maker, const char *path, struct bytes record);
void event_maker_delete(struct event_maker *maker, const char *path);

/*
 * Finish the event: its blocks are the commit, the records written, and all nodes of
 * the tree.  The caller clears it.   rev outlives the maker.
 */
struct event event_maker_commit(struct event_maker *maker, int64_t seq, const char *rev);

/* A #sync of where the repository stands. */
struct event event_maker_sync(struct event_maker *maker, int64_t seq);

#endif

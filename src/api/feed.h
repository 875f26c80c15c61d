/*
 * feed.h - what happens to operations, as a stream that many can read.
 *
 * The supervisor tells each change of an operation; a transition becomes an event
 * at once, progress at most every FEED_PROGRESS_MS of one operation.  An event is
 * text in the form of server-sent events (HTML standard, section 9.2), made once,
 * and kept in a ring that all readers share: a reader is a place in it and no more.
 * One who is so slow that the ring has overtaken him is told to start over.
 *
 *	id: EPOCH-NUMBER
 *	event: operation | progress | reset
 *	data: {the operation as getBackfillStatus has it}
 *
 * `operation` is a transition, `progress` anything else, and `reset` (without data
 * worth reading) says that events were lost: ask getBackfillStatus again.  EPOCH is
 * another one in each process, so an id of an earlier process gives a reset.
 */
#ifndef BF_API_FEED_H
#define BF_API_FEED_H

#include <ev.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/str.h"
#include "common/tid.h"
#include "op/op_json.h"

#define FEED_PROGRESS_MS	250
#define FEED_HEARTBEAT_SECS	15	/* a comment, so that ends are noticed */

struct feed;

struct feed *feed_new(struct ev_loop *loop, enum op_spelling spelling);

/* Every reader has been stopped. */
void feed_free(struct feed **feed);

/* An operation as it is now; borrowed for the call. */
void feed_op(struct feed *feed, const struct op *op);

/* Changes were lost: all readers are told to start over. */
void feed_reset(struct feed *feed);

/* No more events: readers are at their end once they have read what is there. */
void feed_end(struct feed *feed);

/* One reader; embedded in its owner. */
struct feed_reader {
	struct feed *feed;		/* borrowed; NULL: not reading */
	void (*on_event)(void *arg);	/* there is something to read again */
	void *arg;
	uint64_t next;			/* number of the event that it reads */
	size_t offset;			/* of it has been read */
	char id[TID_SIZE];		/* the only operation wanted; empty: all */
	bool needs_hello, needs_reset, needs_heartbeat;
	bool waits;			/* it has read everything */
	LIST_ENTRY(feed_reader) entry;
};

/*
 * Start reading behind the event of that id (the header Last-Event-ID), or with
 * what happens next if it is empty.  id: the only operation wanted, or empty.
 * on_event is called from the loop or from feed_op(), once after each
 * feed_read() that returned 0.
 */
void feed_reader_start(struct feed_reader *reader, struct feed *feed, struct str last_id,
    struct str id, void (*on_event)(void *arg), void *arg);
void feed_reader_stop(struct feed_reader *reader);	/* may be stopped already */

/* Up to `size` bytes of what is next.  0: nothing now; -1: the end. */
ssize_t feed_read(struct feed_reader *reader, char *to, size_t size);

size_t feed_readers(const struct feed *feed);

#endif

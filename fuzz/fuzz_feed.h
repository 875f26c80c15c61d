/*
 * fuzz_feed.h - bytes of an input that reach a channel as a peer would send them: in
 * pieces of odd sizes, with descriptors attached here and there.
 *
 * An input begins with FEED_HEAD_BYTES: what the target makes of two of them, and a
 * number that the sizes come from.  The rest is the stream; with FEED_FRAMED in the
 * second byte it is payloads, each behind two bytes of its length, and their heads are
 * put in front of them here.
 */
#ifndef BF_FUZZ_FEED_H
#define BF_FUZZ_FEED_H

#include <ev.h>

#include "common/buf.h"
#include "common/str.h"

#define FEED_HEAD_BYTES	4
#define FEED_FRAMED	1
#define FEED_WITH_FDS	2

struct feed {
	uint8_t kind, flags;
	uint32_t random;
	struct buf stream;	/* owned */
};

/* -1: the input is too short. */
int feed_init(struct feed *feed, struct bytes input);
void feed_clear(struct feed *feed);

uint32_t feed_random(struct feed *feed);

/* Send all of it over fd, turning the loop after each piece, until is_over() says that
 * nobody listens any more. */
void feed_send(struct feed *feed, int fd, struct ev_loop *loop,
    bool (*is_over)(void *arg), void (*turned)(void *arg), void *arg);

/* How many descriptors are open: as many before and after, if none leaks. */
int feed_open_fds(void);

#endif

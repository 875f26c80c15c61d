/*
 * room.h - waiting for room on a full disk.
 *
 * A full disk is nobody's item.  Whoever's commit the indexer has refused for want of
 * room keeps what it wanted to write, and tries again after a wait: a quarter of the
 * time for which there was none, at least a second and at most half a minute, so that
 * it goes on soon behind a short lack and costs little in a long one.  It ends when
 * there is room, or with the operation.
 *
 * One for all that a worker writes (sync_env.h), so that its operation is told once.
 */
#ifndef BF_WORKERS_ROOM_H
#define BF_WORKERS_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

struct room {
	int64_t since_ms;	/* of the first refusal behind the last ack */
	int64_t told_ms;	/* when it was last told; monotonic, like that */
	bool is_lacking;
	bool is_told;		/* of this lack */
};

/* For the history; ROOM_LACKING takes the indexer's words as STR_FMT. */
#define ROOM_LACKING	"the disk is full, waiting for room: %.*s"
#define ROOM_IS_THERE	"there is room on the disk again"

/* Does this class of the indexer's refusals mean so? */
bool room_is_refusal(struct str class);

/* Such a refusal: how long to wait before the next try.  True if it is to be told. */
bool room_refused(struct room *room, int64_t *wait_ms_out);

/* An ack.  True if that is to be told. */
bool room_found(struct room *room);

#endif

/*
 * records_link.h - a worker's side of the record channel (fd 4).
 *
 * One link per worker; on it any number of lanes, each one open repository:
 *
 *	begin -> state          the claim; busy if another worker has it
 *	scan  -> entry*, end    optional: what the index holds
 *	put, delete             any number, also while the entries come
 *	commit -> ack           all of it is on disk, or none
 *
 * A lane ends in ack, busy, refuse or records_abort().  A link that ends takes
 * its lanes with it without a word: its owner is told once.
 *
 * Back-pressure goes both ways.  Out: before each put or delete ask
 * records_has_room(), and when there is none wait for on_room.  In: a lane that
 * cannot take entries now says records_hold(), which stops the whole link, until
 * records_release().  The indexer never waits for us to read before it reads, so
 * holding while there is no room cannot lock both up.
 */
#ifndef BF_WORKERS_RECORDS_LINK_H
#define BF_WORKERS_RECORDS_LINK_H

#include <ev.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"
#include "proto/msg.h"

struct records_link;
struct records_lane;

/*
 * What the owner of a lane is told.  Slices are good until the handler returns.
 * Handlers may make any call but records_link_free(), and abort any lane, their
 * own included, unless it ends with this event anyway.
 */
struct records_lane_events {
	/* Answers records_begin().  If state->is_busy the lane is freed after it. */
	void (*on_state)(const struct msg_state *state, void *arg);
	/* In ascending order of path; cid is 36 bytes. */
	void (*on_entry)(struct str path, struct bytes cid, void *arg);
	void (*on_end)(void *arg);
	/* Sending may go on; also told to lanes that were not waiting. */
	void (*on_room)(void *arg);
	/* The lane is freed after either. */
	void (*on_ack)(const struct msg_ack *ack, void *arg);
	void (*on_refuse)(struct str class, struct str text, void *arg);
};

/* The indexer is gone (why is NULL), or broke the protocol.  Told once, never
 * from inside a call; no event of any lane comes after it. */
typedef void records_gone_cb(struct records_link *link, const struct err *why,
    void *arg);

/* Takes ownership of fd. */
struct records_link *records_link_new(struct ev_loop *loop, int fd,
    const char *program, records_gone_cb *on_gone, void *arg);
void records_link_free(struct records_link **link);	/* and its lanes */

/* Claim a repository.  Events are borrowed for the life of the lane. */
struct records_lane *records_begin(struct records_link *link, struct str did,
    const struct records_lane_events *events, void *arg);

/* Forget the lane and what was put; sets *lane to NULL.  NULL is fine.  After
 * records_commit() only the answer is forgotten: it may be on disk already. */
void records_abort(struct records_lane **lane);

void records_scan(struct records_lane *lane);
bool records_has_room(const struct records_lane *lane);
void records_put(struct records_lane *lane, struct str path, struct bytes cid,
    struct bytes record);
void records_delete(struct records_lane *lane, struct str path);

/* What the index shall say of the repository from now on.  `lane` in it is
 * ignored. */
void records_commit(struct records_lane *lane, const struct msg_commit *commit);

/* Both idempotent; a lane that ends no longer holds. */
void records_hold(struct records_lane *lane);
void records_release(struct records_lane *lane);

#endif

/*
 * catch_up_event.h - one event of catch-up under way, for the two files that take it
 * in: catch_up_event.c finds out what it means, catch_up_apply.c writes it.
 */
#ifndef BF_WORKERS_CATCH_UP_EVENT_H
#define BF_WORKERS_CATCH_UP_EVENT_H

#include "atproto/proof.h"
#include "workers/catch_up_impl.h"

struct identity_ask;

#define EVENT_STATUS_SIZE	32

struct catch_up_event {
	/* borrowed */
	struct catch_up *job;
	struct catch_up_event *next;	/* that came after it */
	/* owned */
	struct buf frame;
	uint64_t id;			/* in the window */
	struct firehose_event event;	/* borrows from frame */
	bool is_running;
	unsigned attempts;

	/* what the index knows; owned */
	char rev[TID_SIZE], status[EVENT_STATUS_SIZE];
	char pds[URL_ORIGIN_SIZE];
	bool has_data;
	struct cid data;
	char selection[SYNC_SELECTION_SIZE];

	/* under way; owned, NULL when not */
	struct link_question *look;
	struct identity_ask *ask;
	bool is_fresh;			/* the document was asked for past its memory */
	struct proof *proof;
	struct records_lane *lane;
	struct dagcbor ops;		/* those to be sent */
	uint64_t ops_left;
	bool is_claimed, is_committed;
	uint64_t refused;		/* records */
	struct ev_timer again;
};

/* The collections that are wanted of its repository; NULL: all. */
static inline const struct filter *
catch_up_wanted(const struct catch_up_event *ev)
{
	return sync_env_filter(&ev->job->env, ev->event.did);
}

/* --- catch_up_event.c --- */

/* Begin, or begin again, with what the index knows of the account. */
void catch_up_event_look(struct catch_up_event *ev);

/* The event is over, and freed: there is nothing left to do; or the repository is
 * marked, with the reason. */
void catch_up_event_settled(struct catch_up_event *ev);
void catch_up_event_mark(struct catch_up_event *ev, const char *reason);
void catch_up_event_mark_fault(struct catch_up_event *ev, const struct fault *fault);

/* --- catch_up_apply.c --- */

/* Claim the repository and write what was proven; then it is settled. */
void catch_up_apply(struct catch_up_event *ev);

#endif

/*
 * records_link_impl.h - the inside of a record channel: records_link.c has the
 * channel, records_lane.c repositories, rows_link.c batches of rows and
 * rows_ask.c questions.
 *
 * Whatever has a number on the channel is a slot: it is found when a message for
 * it comes, and told when there is room.
 */
#ifndef BF_WORKERS_RECORDS_LINK_IMPL_H
#define BF_WORKERS_RECORDS_LINK_IMPL_H

#include <sys/queue.h>

#include "proto/channel.h"
#include "workers/records_link.h"

struct link_slot;
struct link_question;

struct link_slot_kind {
	/* False if the message is out of order.  May free the slot. */
	bool (*on_msg)(struct link_slot *slot, const struct msg *msg);
	void (*on_room)(struct link_slot *slot);	/* NULL: does not care */
	void (*free)(struct link_slot *slot);		/* the link ends */
};

/* The first member of what it stands for. */
struct link_slot {
	const struct link_slot_kind *kind;
	struct records_link *link;	/* borrowed, outlives us */
	struct link_slot *next;
	uint64_t id;			/* the number on the channel, never used twice */
};

TAILQ_HEAD(link_question_queue, link_question);

struct records_link {
	/* owned */
	struct channel *channel;
	struct link_slot *slots;
	struct link_question_queue waiting;	/* not sent yet */

	uint64_t last_id;		/* of the slots so far */
	unsigned asked;			/* questions sent and not answered */
	unsigned holding;		/* lanes that are */
	bool is_broken;			/* on_gone was called */
	records_gone_cb *on_gone;
	void *arg;
};

/* Give a slot the next number, and let messages reach it. */
void link_slot_add(struct records_link *link, struct link_slot *slot,
    const struct link_slot_kind *kind);

/* No message can reach it any more; nothing is freed. */
void link_slot_remove(struct link_slot *slot);

void link_slot_send(struct link_slot *slot, const struct msg *msg);
void link_slot_abort(struct link_slot *slot);		/* send `abort` */

/* --- rows_ask.c --- */

/* Free the questions that were not sent. */
void link_questions_clear(struct records_link *link);

#endif

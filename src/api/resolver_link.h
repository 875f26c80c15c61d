/*
 * resolver_link.h - the API's channel to backfill-resolver, which knows the keys
 * of those who sign tokens.
 *
 * The supervisor passes the channel when both are there, and a new one whenever
 * either was started again.  A question waits at most as long as it says.
 */
#ifndef BF_API_RESOLVER_LINK_H
#define BF_API_RESOLVER_LINK_H

#include <ev.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/attr.h"
#include "proto/msg.h"

struct resolver_link;

struct resolver_link *resolver_link_new(struct ev_loop *loop);

/* Questions that still wait are answered with NULL. */
void resolver_link_free(struct resolver_link **link);

/* Use this channel from now on.  Takes fd. */
void resolver_link_set(struct resolver_link *link, int fd);

bool resolver_link_is_up(const struct resolver_link *link);

/* identity is NULL if the resolver went away or did not answer in time; borrowed
 * for the call.  The wait is over when it is called. */
typedef void resolver_answer_cb(const struct msg_identity *identity, void *arg);

/* One question on its way; embedded in its owner. */
struct resolver_wait {
	struct resolver_link *link;	/* borrowed; NULL: not waiting */
	uint64_t req;
	resolver_answer_cb *on_answer;
	void *arg;
	struct ev_timer deadline;
	TAILQ_ENTRY(resolver_wait) entry;
};

/* -1 if there is no resolver, or it is far behind: then nothing was asked and
 * on_answer is not called.  It is never called from inside. */
int resolver_link_ask(struct resolver_link *link, struct str did, bool is_fresh,
    int64_t timeout_ms, resolver_answer_cb *on_answer, void *arg,
    struct resolver_wait *wait) BF_MUSTCHECK;

/* Forget a wait, if it is one. */
void resolver_wait_stop(struct resolver_wait *wait);

#endif

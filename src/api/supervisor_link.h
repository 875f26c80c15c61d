/*
 * supervisor_link.h - the API's side of fd 3.
 *
 * Settings come in first, then the supervisor's hello.  From then on requests
 * go out, each with a number of ours, and the answer with that number ends it.
 * A request waits at most as long as it says: a stopped supervisor costs its
 * callers a clear error, not their patience.  One request is ours and never ends:
 * `watch_all`, by which every change of an operation is heard of.
 */
#ifndef BF_API_SUPERVISOR_LINK_H
#define BF_API_SUPERVISOR_LINK_H

#include <ev.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/attr.h"
#include "common/err.h"
#include "proto/msg.h"

struct confine;
struct supervisor_link;

struct supervisor_link_options {
	/* Before on_ready, and after a reload; an error ends the link. */
	int (*on_setting)(struct str name, struct str value, struct err *err, void *arg);
	void (*on_ready)(void *arg);
	/* An operation has changed; borrowed for the call. */
	void (*on_op)(const struct op *op, void *arg);
	/* So many changed that some were not told. */
	void (*on_missed)(void *arg);
	/* It asked whether we are there: the moment to see whether all is well. */
	void (*on_ping)(void *arg);
	/* A channel to the resolver, which is the callee's from then on. */
	void (*on_resolver)(int fd, void *arg);
	/* The supervisor went away (why is NULL) or broke the protocol.  Called
	 * once, after every waiting request had its answer. */
	void (*on_gone)(const struct err *why, void *arg);
	void *arg;
};

/* Takes ownership of fd and says hello. */
struct supervisor_link *supervisor_link_new(struct ev_loop *loop, int fd,
    const struct supervisor_link_options *options);

/* Requests that still wait get LINK_GONE. */
void supervisor_link_free(struct supervisor_link **link);

/* Give up for good what is not kept (confine/confine.h), and tell the supervisor. */
void supervisor_link_confine(struct supervisor_link *link, const struct confine *confine);

bool supervisor_link_is_up(const struct supervisor_link *link);

enum link_outcome {
	LINK_ANSWERED,		/* with op, cancelled, measures or error */
	LINK_GONE,		/* the supervisor went away: whether it did it is not known */
	LINK_TIMEOUT,		/* it is there but does not answer: likewise */
};

/* msg is NULL unless LINK_ANSWERED, and borrowed for the call.  The wait is over
 * when it is called. */
typedef void link_answer_cb(enum link_outcome outcome, const struct msg *msg,
    void *arg);

/* One request on its way; embedded in its owner. */
struct link_wait {
	struct supervisor_link *link;	/* borrowed; NULL: not waiting */
	uint64_t req;
	link_answer_cb *on_answer;
	void *arg;
	struct ev_timer deadline;
	TAILQ_ENTRY(link_wait) entry;
};

/*
 * Send a request (a verb or `measure`), whose req is filled in here.  -1 if the
 * supervisor is not there, or so far behind that asking more is no use: then
 * nothing was sent and on_answer is not called.
 */
int supervisor_link_ask(struct supervisor_link *link, struct msg *msg,
    int64_t timeout_ms, link_answer_cb *on_answer, void *arg,
    struct link_wait *wait) BF_MUSTCHECK;

/* Forget a wait, if it is one: on_answer will not be called. */
void link_wait_stop(struct link_wait *wait);

#endif

/*
 * lookup.h - DIDs being resolved: each once, however many ask.
 *
 * An answer comes from memory, or from the resolution that is under way, or from
 * a new one.  A resolution ends within LOOKUP_TOTAL_MS, with "unavailable" if with
 * nothing else.
 */
#ifndef BF_RESOLVER_LOOKUP_H
#define BF_RESOLVER_LOOKUP_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/settings.h"
#include "fetch/http.h"
#include "resolver/answer.h"
#include "resolver/memory.h"

/* Less than the API waits for it (api/auth_request.c), so that it hears why. */
#define LOOKUP_TOTAL_MS	8000

struct lookup;

struct lookups {
	struct ev_loop *loop;		/* borrowed, outlives us */
	const struct settings *settings; /* likewise */

	/* owned */
	struct memory *memory;
	struct http *http;
	char *user_agent;
	LIST_HEAD(, lookup) under_way;
	unsigned asks;			/* that wait for an answer */
};

/* http_init() has been called.  The settings may change between
 * lookups_clear() and lookups_init(), not while they are in use. */
void lookups_init(struct lookups *lookups, struct ev_loop *loop,
    const struct settings *settings);

/* Whoever waits is told "unavailable". */
void lookups_clear(struct lookups *lookups);

struct lookup_ask;

/* The ask is over when it is called; answer is borrowed for the call. */
typedef void lookup_answer_cb(struct lookup_ask *ask, const struct answer *answer);

/* One who waits; embedded in its owner. */
struct lookup_ask {
	struct lookups *lookups;	/* borrowed; NULL: not waiting */
	lookup_answer_cb *on_answer;
	LIST_ENTRY(lookup_ask) entry;
};

/*
 * Ask for a DID; on_answer may be called before this returns.  is_fresh: what is
 * remembered will not do, once a minute; in between, what is remembered has to.
 */
void lookup_ask(struct lookups *lookups, struct str did, bool is_fresh,
    lookup_answer_cb *on_answer, struct lookup_ask *ask);

/* Forget an ask, if it waits: on_answer will not be called. */
void lookup_ask_stop(struct lookup_ask *ask);

#endif

/*
 * resolver.h - backfill-resolver: from a DID to its key, for whoever must not use
 * the network.
 *
 * The supervisor starts it with the control channel on fd 3, sends it its
 * settings, and attaches the API by a descriptor.  It has no store and no secret,
 * remembers answers for a while, and ends when the supervisor is gone.
 */
#ifndef BF_RESOLVER_RESOLVER_H
#define BF_RESOLVER_RESOLVER_H

#include <ev.h>
#include <sys/queue.h>

#include "common/exitcode.h"
#include "common/settings.h"
#include "resolver/lookup.h"

struct channel;
struct peer;

struct resolver {
	struct ev_loop *loop;		/* borrowed, outlives us */
	enum exit_code exit_code;	/* when the loop has ended */

	/* owned */
	struct settings settings;
	struct channel *control;
	struct lookups lookups;
	bool can_look;			/* lookups is there: the settings have come */
	LIST_HEAD(, peer) peers;

	/* watchers */
	struct ev_signal term, interrupt;
};

/* Takes control_fd. */
void resolver_init(struct resolver *resolver, struct ev_loop *loop, int control_fd);

/* Until the supervisor goes or a SIGTERM. */
enum exit_code resolver_run(struct resolver *resolver);

void resolver_clear(struct resolver *resolver);

#endif

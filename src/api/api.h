/*
 * api.h - the backfill-api process: what it owns, and its life.
 *
 * Started by the supervisor with the channel on fd 3 and the listening socket on
 * fd 4 (proto/fdlayout.h).  It answers HTTP, reads operations/ by itself, and
 * hands everything that changes an operation to the supervisor.
 *
 *	starting --settings, hello--> serving --SIGTERM--> draining --> exit 0
 *	                                 |                    ^
 *	              supervisor is gone |                    | a new supervisor answers
 *	                                 '---> orphaned ------'
 *
 * An orphan still answers reads; a new supervisor starts an API of its own, for
 * which this one makes room.
 */
#ifndef BF_API_API_H
#define BF_API_API_H

#include <ev.h>
#include <stdbool.h>

#include "api/auth.h"
#include "common/settings.h"
#include "op/op_json.h"

struct feed;
struct http;
struct metrics;
struct ops;
struct records;
struct resolver_link;
struct samples;
struct search;
struct sessions;
struct supervisor_link;

struct api {
	struct ev_loop *loop;		/* borrowed, outlives us */

	/* owned */
	struct settings settings;
	struct auth auth;
	struct supervisor_link *link;
	struct resolver_link *resolver;
	struct ops *ops;		/* NULL until the settings are there */
	struct search *search;		/* likewise */
	struct feed *feed;		/* likewise */
	struct records *records;	/* NULL until api_records() */
	struct metrics *metrics;
	struct samples *samples;
	struct sessions *sessions;
	struct http *http;		/* likewise; reads its members below */
	enum op_spelling spelling;
	int mark_fd;			/* -1 until the settings are there */

	double orphan_until;		/* clock_mono_secs() */
	bool is_draining;
	int exit_code;			/* enum exit_code, once the loop is left */

	/* watchers */
	struct ev_signal sigterm, sigint;
	struct ev_timer successor;	/* looks for a new supervisor */
	struct ev_timer drain_limit;
};

void api_init(struct api *api, struct ev_loop *loop);
void api_clear(struct api *api);

/* records/, read only; NULL while it cannot be opened. */
struct records *api_records(struct api *api);

#endif

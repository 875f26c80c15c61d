/*
 * subscribe_rig.h - one event stream, one scripted WebSocket server and one loop, and
 * what the events of the stream said.
 */
#ifndef BF_T_UNIT_SUBSCRIBE_RIG_H
#define BF_T_UNIT_SUBSCRIBE_RIG_H

#include "t/unit/unit.h"

#include <ev.h>

#include "common/buf.h"
#include "fetch/subscribe.h"
#include "t/unit/ws_server.h"

#define MESSAGE_BYTES	200000	/* the limit of its messages */

struct rig {
	struct ev_loop *loop;
	struct ws_server server;
	unsigned port;			/* what stands before the server; 0: nothing */
	struct subscribe *sub;
	struct subscribe_options options;
	struct ev_timer deadline, resume;
	/* seen */
	unsigned opens, messages, ends;
	struct buf last;
	size_t bytes;
	enum fetch_class class;
	char text[FETCH_TEXT_SIZE];
	/* done */
	unsigned pause_after, close_after, stop_after;
	size_t sent_when_paused;
};

/* Of cmocka. */
int subscribe_set_up(void **state);
int subscribe_tear_down(void **state);

/* Open a stream, whatever comes of it, and run until something stops the loop. */
void run_at(struct rig *rig, const char *scheme, const char *host);
void run(struct rig *rig);

#define T(test) \
	cmocka_unit_test_setup_teardown(test, subscribe_set_up, subscribe_tear_down)

#endif

/*
 * on_worker.h - what the supervisor does with each message of a worker.
 *
 * A worker parses hostile bytes, so it is believed only in what it says about
 * its own operation, and only in the order of docs/protocol.md.  What it may
 * make us store is bounded (limits.h).
 */
#ifndef BF_SUPERVISOR_ON_WORKER_H
#define BF_SUPERVISOR_ON_WORKER_H

#include "proto/channel.h"
#include "supervisor/child.h"

/* The channel_msg_cb of a worker's channel; arg is its struct child. */
void on_worker_msg(struct channel *channel, const struct msg *msg, void *arg);

/* The worker broke the protocol: note how and stop it. */
void on_worker_broke(struct child *child, const char *why);

#endif

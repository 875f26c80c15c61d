/*
 * channel_impl.h - what the files of a channel share: channel.c lives on the loop,
 * channel_state.c carries a channel across exec.
 */
#ifndef BF_PROTO_CHANNEL_IMPL_H
#define BF_PROTO_CHANNEL_IMPL_H

#include "common/limits.h"
#include "proto/channel.h"

/* A descriptor that goes out with the byte at this place of the output stream. */
struct pending_fd {
	int fd;			/* owned */
	uint64_t at;
};

struct channel {
	struct ev_loop *loop;	/* borrowed, outlives us */
	struct channel_options options;
	int fd;			/* owned; -1 once closed */

	struct buf in, out;
	uint64_t sent;		/* bytes that left `out`, ever */
	struct pending_fd out_fds[LIMIT_CHANNEL_FDS];
	size_t out_fds_count;
	int in_fds[LIMIT_CHANNEL_FDS];	/* owned; in order of arrival */
	size_t in_fds_count;

	struct err why;		/* valid if has_why: for on_close */
	bool has_why;
	bool is_deaf;		/* takes no more output */
	bool is_paused;
	bool was_clogged;	/* on_drain is owed */
	bool in_handler;	/* free only marks */
	bool is_freed;

	/* watchers */
	struct ev_io readable, writable;
	struct ev_timer closed;		/* reports a close from outside any call */
	struct ev_timer more;		/* whole frames are left in `in` */
	struct ev_timer late;		/* a part of a frame is in `in` for too long */
};

#endif

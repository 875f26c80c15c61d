/*
 * channel.h - a peer on the event loop: frames in, frames out.
 *
 * Used by every process that has a loop.  The owner gives it a connected stream
 * socket and gets each message in order.  Sending never blocks: what the socket
 * does not take is queued up to a limit, and a peer that lets its queue grow
 * past the limit is closed.  Reading is bounded per loop turn, so that one peer
 * cannot starve the others.
 *
 * Descriptors travel with messages: channel_send_fd() attaches one to the
 * message; the receiver, if it accepts descriptors, takes it in the handler of
 * that message with channel_take_fd().
 */
#ifndef BF_PROTO_CHANNEL_H
#define BF_PROTO_CHANNEL_H

#include <ev.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/limits.h"
#include "proto/msg.h"

struct channel;

/* A message.  Its text and bytes are valid until the handler returns.  The
 * handler may close or free the channel. */
typedef void channel_msg_cb(struct channel *channel, const struct msg *msg, void *arg);

/*
 * The channel is closed: the peer went away (why is NULL) or broke the protocol
 * or its limits (why says how).  Called once, never from inside a send; not
 * called by channel_free().  The handler may free the channel.
 */
typedef void channel_close_cb(struct channel *channel, const struct err *why, void *arg);

/* The send queue, once above half its limit, is short again. */
typedef void channel_drain_cb(struct channel *channel, void *arg);

struct channel_options {
	unsigned accepts;		/* enum msg_sender bits */
	size_t frame_max_bytes;		/* larger frames in are a protocol error */
	unsigned frame_max_ms;		/* a frame that has begun takes longer: likewise;
					 * 0: it may */
	size_t queue_max_bytes;
	bool accepts_fds;		/* otherwise the kernel drops them */
	channel_msg_cb *on_msg;
	channel_close_cb *on_close;
	channel_drain_cb *on_drain;	/* may be NULL */
	void *arg;
};

/* Takes ownership of fd, which becomes non-blocking.  Starts reading at once. */
struct channel *channel_new(struct ev_loop *loop, int fd,
    const struct channel_options *options);

/* Close and free; unsent messages are dropped.  Safe inside a handler. */
void channel_free(struct channel **channel);

/* Queue a message.  After the peer is gone this does nothing. */
void channel_send(struct channel *channel, const struct msg *msg);

/* As channel_send(), with a descriptor.  Takes ownership of fd. */
void channel_send_fd(struct channel *channel, const struct msg *msg, int fd);

/* The oldest descriptor not taken yet, or -1; the caller owns it.  Called by the
 * handler of a message that messages.def says carries one, and by no other:
 * the kernel keeps the order, not the place in the stream. */
int channel_take_fd(struct channel *channel);

/*
 * Hand out all that the peer had sent, now: for a peer that is known to be dead,
 * whose last words must be heard before its end is judged.  Reads at most
 * LIMIT_CHANNEL_LAST_WORDS_BYTES.  Not from inside a handler of this channel, whose
 * handlers must not free it meanwhile.
 */
void channel_drain_input(struct channel *channel);

/* How the peer broke the protocol, also before on_close tells; NULL if it has
 * not.  Borrowed until the channel is freed. */
const struct err *channel_broken(const struct channel *channel);

/*
 * All that a channel has in hand: for a process that replaces itself by exec and
 * keeps its channels.  The bytes and descriptors are borrowed from the channel.
 */
struct channel_state {
	int fd;				/* -1: it is closed */
	struct bytes in, out;
	struct {
		int fd;
		uint64_t at;		/* its place in `out` */
	} out_fds[LIMIT_CHANNEL_FDS];
	size_t out_fds_count;
};
struct channel_state channel_state(const struct channel *channel);

/* Give a new channel what another had in hand, once: input, output, or a descriptor
 * of the output, which is the channel's then. */
void channel_restore_input(struct channel *channel, struct bytes in);
void channel_restore_output(struct channel *channel, struct bytes out);
void channel_restore_fd(struct channel *channel, int fd, uint64_t at);

size_t channel_queued_bytes(const struct channel *channel);
bool channel_is_clogged(const struct channel *channel);	/* over half the limit */
bool channel_is_open(const struct channel *channel);

/* Stop and go on handing out messages (back-pressure by the kernel's buffers). */
void channel_pause(struct channel *channel);
void channel_resume(struct channel *channel);

/* Write what is queued, blocking until it is gone or the deadline: for the last
 * words of a process.  -1 if it did not all go. */
int channel_flush(struct channel *channel, int timeout_ms) BF_MUSTCHECK;

#endif

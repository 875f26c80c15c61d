/*
 * client.h - a blocking conversation over a channel's wire format.
 *
 * For programs without an event loop: backfillctl and tests.  Errors:
 * ERR_UNAVAILABLE nobody there or gone, ERR_TIMEOUT, ERR_PROTOCOL.
 */
#ifndef BF_PROTO_CLIENT_H
#define BF_PROTO_CLIENT_H

#include "common/buf.h"
#include "common/err.h"
#include "proto/msg.h"

struct client {
	int fd;			/* owned */
	int received_fd;	/* owned; came with the last message, or -1 */
	unsigned accepts;	/* enum msg_sender bits */
	size_t frame_max_bytes;
	struct buf in;
	size_t last_frame_bytes; /* the message handed out last still lies in `in` */
};

/* Connect to the control socket and exchange hello. */
int client_connect(struct client *client, const char *socket_path,
    const char *program, struct err *err) BF_MUSTCHECK;

/* Take over a connected descriptor (a record channel). */
void client_init(struct client *client, int fd, unsigned accepts,
    size_t frame_max_bytes);

void client_clear(struct client *client);

int client_send(struct client *client, const struct msg *msg, struct err *err)
    BF_MUSTCHECK;

/* The next message; its text and bytes are valid until the next call.
 * timeout_ms < 0 waits for ever. */
int client_receive(struct client *client, int timeout_ms, struct msg *msg_out,
    struct err *err) BF_MUSTCHECK;

/* The descriptor that came with the last message, or -1; the caller owns it. */
int client_take_fd(struct client *client);

#endif

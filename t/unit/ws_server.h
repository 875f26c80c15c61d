/*
 * ws_server.h - a WebSocket server on 127.0.0.1, on the test's own loop, that sends
 * the bytes it is given behind its handshake, right or wrong.
 */
#ifndef BF_T_UNIT_WS_SERVER_H
#define BF_T_UNIT_WS_SERVER_H

#include <ev.h>
#include <stdbool.h>

#include "common/buf.h"

struct ws_server {
	struct ev_loop *loop;
	int listen_fd, fd;		/* fd: the last connection; -1 */
	unsigned port;
	struct ev_io accept, read, write;
	/* What a test sets. */
	const char *refusal;		/* sent instead of the handshake; or NULL */
	struct buf script;		/* raw bytes, sent behind the handshake */
	bool closes, is_mute;		/* close then; never answer at all */
	/* What a test looks at. */
	unsigned connections;
	struct buf request, received;	/* the head; what came behind it */
	size_t sent;			/* of the script */
};

void ws_server_init(struct ws_server *server, struct ev_loop *loop);
void ws_server_clear(struct ws_server *server);

/* Append a frame to the script: opcode with the FIN bit, e.g. 0x82. */
void ws_server_frame(struct ws_server *server, int opcode, const void *data, size_t len);

/* Close the connection now. */
void ws_server_hang_up(struct ws_server *server);

#endif

/*
 * fetch_server.h - a scripted HTTP server on 127.0.0.1, on the test's own loop.
 *
 * Answers are raw bytes, so that a test can say exactly what is wrong on the
 * wire.  Each path has a list of answers: every request takes the next, the
 * last one stays.  A path without answers gets 404.
 */
#ifndef BF_T_FETCH_SERVER_H
#define BF_T_FETCH_SERVER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/attr.h"
#include "common/buf.h"

struct fetch_server;

/* What happens when the bytes of an answer are out. */
enum fetch_server_then {
	THEN_KEEP,		/* the connection waits for another request */
	THEN_CLOSE,
	THEN_RESET,		/* RST instead of FIN */
	THEN_HANG,		/* nothing ever comes again */
	THEN_REPEAT,		/* the filler is sent for ever */
};

struct fetch_answer {
	const void *bytes;	/* copied */
	size_t len;
	enum fetch_server_then then;
	const char *filler;	/* copied; with THEN_REPEAT */
	unsigned drip_ms;	/* one byte at a time, this far apart; 0: at once */
};

struct fetch_server *fetch_server_new(struct ev_loop *loop);
void fetch_server_free(struct fetch_server **server);

const char *fetch_server_origin(const struct fetch_server *server);
unsigned fetch_server_port(const struct fetch_server *server);

/* Path up to the '?'. */
void fetch_server_add(struct fetch_server *server, const char *path,
    const struct fetch_answer *answer);

/* An answer as text, headers and all; the connection is closed after it. */
void fetch_server_say(struct fetch_server *server, const char *path,
    const char *fmt, ...) BF_PRINTF(3, 4);

/* 200 or another status with a body of the right length, connection kept. */
void fetch_server_serve(struct fetch_server *server, const char *path,
    const char *status, const char *type, const void *body, size_t len);

/* The ledger. */
unsigned fetch_server_requests(const struct fetch_server *server);
unsigned fetch_server_connections(const struct fetch_server *server);
const char *fetch_server_last_request(const struct fetch_server *server);

#endif

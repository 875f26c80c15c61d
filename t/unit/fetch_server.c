#include "t/unit/fetch_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fdutil.h"
#include "common/mem.h"

struct answer {
	TAILQ_ENTRY(answer) link;
	char *path;
	struct fetch_answer how;
	char *bytes, *filler;
};

struct connection {
	TAILQ_ENTRY(connection) link;
	struct fetch_server *server;
	int fd;
	struct buf in, out;
	enum fetch_server_then then;
	char *filler;
	unsigned drip_ms;
	ev_io readable, writable;
	ev_timer drip;
};

TAILQ_HEAD(answer_list, answer);
TAILQ_HEAD(connection_list, connection);

struct fetch_server {
	struct ev_loop *loop;
	int fd;
	unsigned port;
	char origin[64];
	ev_io acceptable;
	struct answer_list answers;
	struct connection_list open;
	unsigned requests, connections;
	struct buf last_request;
};

static void
connection_free(struct connection *conn)
{
	ev_io_stop(conn->server->loop, &conn->readable);
	ev_io_stop(conn->server->loop, &conn->writable);
	ev_timer_stop(conn->server->loop, &conn->drip);
	TAILQ_REMOVE(&conn->server->open, conn, link);
	buf_clear(&conn->in);
	buf_clear(&conn->out);
	free(conn->filler);
	close(conn->fd);
	free(conn);
}

static void
answer_free(struct fetch_server *server, struct answer *answer)
{
	TAILQ_REMOVE(&server->answers, answer, link);
	free(answer->path);
	free(answer->bytes);
	free(answer->filler);
	free(answer);
}

static struct answer *
find_answer(struct fetch_server *server, const char *path, struct answer *after)
{
	struct answer *answer = after != NULL ? TAILQ_NEXT(after, link) :
	    TAILQ_FIRST(&server->answers);

	while (answer != NULL && strcmp(answer->path, path) != 0)
		answer = TAILQ_NEXT(answer, link);
	return answer;
}

static void
begin_answer(struct connection *conn, const char *path)
{
	struct fetch_server *server = conn->server;
	struct answer *answer = find_answer(server, path, NULL);

	if (answer == NULL) {
		buf_printf(&conn->out,
		    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
		conn->then = THEN_KEEP;
	} else {
		buf_add(&conn->out, answer->bytes, answer->how.len);
		conn->then = answer->how.then;
		conn->drip_ms = answer->how.drip_ms;
		if (answer->filler != NULL && conn->filler == NULL)
			conn->filler = xstrdup(answer->filler);
		if (find_answer(server, path, answer) != NULL)
			answer_free(server, answer);
	}
	if (conn->drip_ms > 0) {
		conn->drip.repeat = conn->drip_ms / 1000.0;
		ev_timer_again(server->loop, &conn->drip);
	} else {
		ev_io_start(server->loop, &conn->writable);
	}
}

static void
take_request(struct connection *conn)
{
	struct fetch_server *server = conn->server;
	char path[512];

	server->requests++;
	buf_reset(&server->last_request);
	buf_add(&server->last_request, buf_data(&conn->in), buf_len(&conn->in));
	buf_add_byte(&server->last_request, '\0');
	buf_reset(&conn->in);
	if (sscanf((char *)buf_data(&server->last_request), "GET %511[^? ]", path) != 1 &&
	    sscanf((char *)buf_data(&server->last_request), "POST %511[^? ]", path) != 1)
		abort();
	begin_answer(conn, path);
}

/* Its head and, as far as it tells the length, its body. */
static bool
has_whole_request(struct connection *conn)
{
	const char *text = (const char *)buf_data(&conn->in);
	const char *end = memmem(text, buf_len(&conn->in), "\r\n\r\n", 4);
	const char *length;
	size_t body = 0;

	if (end == NULL)
		return false;
	length = memmem(text, (size_t)(end - text), "Content-Length: ", 16);
	if (length != NULL)
		body = strtoul(length + 16, NULL, 10);
	return buf_len(&conn->in) - (size_t)(end + 4 - text) >= body;
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events BF_UNUSED)
{
	struct connection *conn = watcher->data;
	ssize_t n = read(conn->fd, buf_reserve(&conn->in, 4096), 4096);

	(void)loop;
	if (n <= 0) {
		connection_free(conn);
		return;
	}
	buf_added(&conn->in, (size_t)n);
	if (has_whole_request(conn))
		take_request(conn);
}

/* The answer is out. */
static void
finish(struct connection *conn)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	switch (conn->then) {
	case THEN_KEEP:
	case THEN_HANG:
		break;
	case THEN_RESET:
		setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		/* fall through */
	case THEN_CLOSE:
		connection_free(conn);
		break;
	case THEN_REPEAT:
		while (buf_len(&conn->out) < 64 * 1024)
			buf_printf(&conn->out, "%s", conn->filler);
		ev_io_start(conn->server->loop, &conn->writable);
		break;
	}
}

static void
write_some(struct connection *conn, size_t max)
{
	size_t len = buf_len(&conn->out) < max ? buf_len(&conn->out) : max;
	ssize_t n = len > 0 ? send(conn->fd, buf_data(&conn->out), len, MSG_NOSIGNAL) : 0;

	if (n < 0) {
		connection_free(conn);
		return;
	}
	buf_consume(&conn->out, (size_t)n);
	if (buf_len(&conn->out) == 0) {
		ev_io_stop(conn->server->loop, &conn->writable);
		ev_timer_stop(conn->server->loop, &conn->drip);
		finish(conn);
	}
}

static void
on_writable(struct ev_loop *loop BF_UNUSED, ev_io *watcher, int events BF_UNUSED)
{
	write_some(watcher->data, SIZE_MAX);
}

static void
on_drip(struct ev_loop *loop BF_UNUSED, ev_timer *watcher, int events BF_UNUSED)
{
	write_some(watcher->data, 1);
}

static void
on_acceptable(struct ev_loop *loop, ev_io *watcher, int events BF_UNUSED)
{
	struct fetch_server *server = watcher->data;
	struct connection *conn;
	int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd == -1)
		return;
	conn = xcalloc(1, sizeof(*conn));
	conn->server = server;
	conn->fd = fd;
	ev_io_init(&conn->readable, on_readable, fd, EV_READ);
	ev_io_init(&conn->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&conn->drip, on_drip, 0, 0);
	conn->readable.data = conn->writable.data = conn->drip.data = conn;
	ev_io_start(loop, &conn->readable);
	TAILQ_INSERT_TAIL(&server->open, conn, link);
	server->connections++;
}

struct fetch_server *
fetch_server_new(struct ev_loop *loop)
{
	struct fetch_server *server = xcalloc(1, sizeof(*server));
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	struct err err;

	server->loop = loop;
	TAILQ_INIT(&server->answers);
	TAILQ_INIT(&server->open);
	if (fd_tcp_listen("127.0.0.1:0", &server->fd, &err) == -1 ||
	    getsockname(server->fd, (struct sockaddr *)&addr, &len) == -1)
		abort();
	server->port = ntohs(addr.sin_port);
	(void)snprintf(server->origin, sizeof(server->origin), "http://127.0.0.1:%u",
	    server->port);
	ev_io_init(&server->acceptable, on_acceptable, server->fd, EV_READ);
	server->acceptable.data = server;
	ev_io_start(loop, &server->acceptable);
	return server;
}

void
fetch_server_free(struct fetch_server **server)
{
	struct connection *conn;
	struct answer *answer;

	while ((conn = TAILQ_FIRST(&(*server)->open)) != NULL)
		connection_free(conn);
	while ((answer = TAILQ_FIRST(&(*server)->answers)) != NULL)
		answer_free(*server, answer);
	ev_io_stop((*server)->loop, &(*server)->acceptable);
	close((*server)->fd);
	buf_clear(&(*server)->last_request);
	free(*server);
	*server = NULL;
}

const char *
fetch_server_origin(const struct fetch_server *server)
{
	return server->origin;
}

unsigned
fetch_server_port(const struct fetch_server *server)
{
	return server->port;
}

void
fetch_server_add(struct fetch_server *server, const char *path,
    const struct fetch_answer *how)
{
	struct answer *answer = xcalloc(1, sizeof(*answer));

	answer->path = xstrdup(path);
	answer->how = *how;
	answer->bytes = xmemdup(how->bytes, how->len);
	answer->filler = how->filler != NULL ? xstrdup(how->filler) : NULL;
	TAILQ_INSERT_TAIL(&server->answers, answer, link);
}

void
fetch_server_say(struct fetch_server *server, const char *path, const char *fmt, ...)
{
	struct fetch_answer answer = { .then = THEN_CLOSE };
	char *text;
	int len;
	va_list ap;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	answer.bytes = text;
	answer.len = (size_t)len;
	fetch_server_add(server, path, &answer);
	free(text);
}

void
fetch_server_serve(struct fetch_server *server, const char *path, const char *status,
    const char *type, const void *body, size_t len)
{
	struct fetch_answer answer = { .then = THEN_KEEP };
	struct buf bytes = BUF_INIT;

	buf_printf(&bytes,
	    "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
	    status, type, len);
	buf_add(&bytes, body, len);
	answer.bytes = buf_data(&bytes);
	answer.len = buf_len(&bytes);
	fetch_server_add(server, path, &answer);
	buf_clear(&bytes);
}

unsigned
fetch_server_requests(const struct fetch_server *server)
{
	return server->requests;
}

unsigned
fetch_server_connections(const struct fetch_server *server)
{
	return server->connections;
}

const char *
fetch_server_last_request(const struct fetch_server *server)
{
	return (const char *)buf_data(&server->last_request);
}

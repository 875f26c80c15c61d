#include "t/peer/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"

#define READ_BYTES	16384
#define HEAD_BYTES	65536	/* of a request; ours are small */

struct client {
	TAILQ_ENTRY(client) link;
	struct peer_http *http;
	unsigned host;
	int fd;
	struct buf in, out;
	struct buf repeat;		/* of an endless answer */
	bool is_answering;		/* a request is under way */
	enum peer_then then;
	unsigned drip_ms;
	ev_io readable, writable;
	ev_timer drip;
};

TAILQ_HEAD(client_list, client);

struct port {
	struct peer_http *http;
	unsigned host;
	int fd;
	ev_io accept;
	unsigned open, most;		/* requests under way */
};

struct peer_http {
	struct ev_loop *loop;
	peer_request_cb *cb;
	void *arg;
	struct client_list clients;
	struct port ports[PEER_HOSTS_MAX + 1];
};

/* --- requests --- */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void
unescape(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (*text == '%' && hex(text[1]) >= 0 && hex(text[2]) >= 0) {
			*to++ = (char)(hex(text[1]) << 4 | hex(text[2]));
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static void
read_params(struct peer_request *request, char *query)
{
	char *pair, *rest = query;

	while ((pair = strsep(&rest, "&")) != NULL && request->param_count < PEER_PARAMS) {
		char *value = strchr(pair, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		unescape(pair);
		unescape(value);
		request->params[request->param_count].name = pair;
		request->params[request->param_count++].value = value;
	}
}

/* "GET /path?query HTTP/1.1"; the target ends at the second blank. */
static void
read_request(struct peer_request *request, const char *head, unsigned host)
{
	const char *target = strchr(head, ' ');
	size_t len = target != NULL ? strcspn(target + 1, " \r\n") : 0;
	char *query, *word;

	*request = (struct peer_request){ .host = host };
	request->text = xstrndup(target != NULL ? target + 1 : "", len);
	query = strchr(request->text, '?');
	if (query != NULL)
		*query++ = '\0';
	unescape(request->text);
	request->path = str_from(request->text);
	word = strrchr(request->text, '.');
	if (strncmp(request->text, "/did:", 5) == 0)
		request->name = STR("plc");
	else if (strncmp(request->text, "/xrpc/", 6) == 0 && word != NULL)
		request->name = str_from(word + 1);
	else
		request->name = request->path;
	if (query != NULL)
		read_params(request, query);
}

struct str
request_param(const struct peer_request *request, const char *name)
{
	for (size_t i = 0; i < request->param_count; i++)
		if (strcmp(request->params[i].name, name) == 0)
			return str_from(request->params[i].value);
	return STR_NONE;
}

uint64_t
request_number(const struct peer_request *request, const char *name, uint64_t otherwise)
{
	struct str text = request_param(request, name);
	uint64_t value;

	return str_to_u64(text, &value) == 0 ? value : otherwise;
}

/* --- connections --- */

static void
done_answering(struct client *client)
{
	client->http->ports[client->host].open -= client->is_answering;
	client->is_answering = false;
}

static void
drop(struct client *client, bool with_reset)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	done_answering(client);
	if (with_reset)
		(void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger,
		    sizeof(linger));
	ev_io_stop(client->http->loop, &client->readable);
	ev_io_stop(client->http->loop, &client->writable);
	ev_timer_stop(client->http->loop, &client->drip);
	TAILQ_REMOVE(&client->http->clients, client, link);
	(void)close(client->fd);
	buf_clear(&client->in);
	buf_clear(&client->out);
	buf_clear(&client->repeat);
	free(client);
}

static void
queue_answer(struct client *client, struct peer_answer *answer)
{
	size_t len = buf_len(&answer->body), end = len;

	if (answer->body_end < end)
		end = (size_t)answer->body_end;
	client->then = answer->then;
	client->drip_ms = answer->drip_ms;
	if (!answer->is_raw)
		buf_printf(&client->out, "HTTP/1.1 %u Peer\r\nContent-Type: %s\r\n%.*s",
		    answer->status, answer->type, STR_FMT(buf_str(&answer->headers)));
	if (!answer->is_raw && (answer->has_length || answer->then != THEN_FOREVER))
		buf_printf(&client->out, "Content-Length: %llu\r\n",
		    (unsigned long long)(answer->has_length ? answer->length : len));
	if (!answer->is_raw)
		buf_printf(&client->out, "\r\n");
	buf_add(&client->out, buf_data(&answer->body), end);
	if (answer->then == THEN_FOREVER)
		buf_add(&client->repeat, buf_data(&answer->body), len);
	ev_io_start(client->http->loop, &client->writable);
}

/* The next request, if it is complete and none is under way. */
static void
take_request(struct client *client)
{
	struct port *port = &client->http->ports[client->host];
	struct peer_answer answer = { .status = 200, .type = "application/json",
		.body_end = UINT64_MAX };
	struct peer_request request;
	uint8_t *end;

	if (client->is_answering || buf_len(&client->in) == 0)
		return;
	end = memmem(buf_data(&client->in), buf_len(&client->in), "\r\n\r\n", 4);
	if (end == NULL)
		return;
	*end = '\0';
	read_request(&request, (const char *)buf_data(&client->in), client->host);
	buf_consume(&client->in, (size_t)(end - buf_data(&client->in)) + 4);
	client->is_answering = true;
	if (++port->open > port->most)
		port->most = port->open;
	client->http->cb(&request, &answer, client->http->arg);
	queue_answer(client, &answer);
	answer_clear(&answer);
	free(request.text);
}

static void
on_readable(struct ev_loop *loop BF_UNUSED, ev_io *watcher, int revents BF_UNUSED)
{
	struct client *client = watcher->data;
	ssize_t got = recv(client->fd, buf_reserve(&client->in, READ_BYTES), READ_BYTES, 0);

	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			drop(client, false);
		return;
	}
	buf_added(&client->in, (size_t)got);
	if (buf_len(&client->in) > HEAD_BYTES)
		drop(client, true);
	else
		take_request(client);
}

/* All bytes of the answer are out. */
static void
end_answer(struct client *client)
{
	ev_io_stop(client->http->loop, &client->writable);
	switch (client->then) {
	case THEN_NEXT:
		done_answering(client);
		take_request(client);
		break;
	case THEN_CLOSE:
	case THEN_RESET:
		drop(client, client->then == THEN_RESET);
		break;
	case THEN_HANG:
		break;
	case THEN_FOREVER:
		buf_add(&client->out, buf_data(&client->repeat), buf_len(&client->repeat));
		ev_io_start(client->http->loop, &client->writable);
		break;
	}
}

static void
on_drip(struct ev_loop *loop, ev_timer *timer, int revents BF_UNUSED)
{
	struct client *client = timer->data;

	ev_timer_stop(loop, timer);
	ev_io_start(loop, &client->writable);
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int revents BF_UNUSED)
{
	struct client *client = watcher->data;
	size_t len = client->drip_ms > 0 ? 1 : buf_len(&client->out);
	ssize_t sent = send(client->fd, buf_data(&client->out), len, MSG_NOSIGNAL);

	if (sent == -1) {
		if (errno != EAGAIN && errno != EINTR)
			drop(client, false);
		return;
	}
	buf_consume(&client->out, (size_t)sent);
	if (buf_len(&client->out) == 0) {
		end_answer(client);
	} else if (client->drip_ms > 0) {
		ev_io_stop(loop, &client->writable);
		client->drip.repeat = client->drip_ms / 1000.;
		ev_timer_again(loop, &client->drip);
	}
}

static void
on_accept(struct ev_loop *loop, ev_io *watcher, int revents BF_UNUSED)
{
	struct port *port = watcher->data;
	int fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *client;

	if (fd == -1)
		return;
	client = xcalloc(1, sizeof(*client));
	client->http = port->http;
	client->host = port->host;
	client->fd = fd;
	TAILQ_INSERT_TAIL(&port->http->clients, client, link);
	ev_io_init(&client->readable, on_readable, fd, EV_READ);
	ev_io_init(&client->writable, on_writable, fd, EV_WRITE);
	ev_init(&client->drip, on_drip);
	client->readable.data = client->writable.data = client->drip.data = client;
	ev_io_start(loop, &client->readable);
}

/* --- ports --- */

struct peer_http *
peer_http_new(struct ev_loop *loop, peer_request_cb *cb, void *arg)
{
	struct peer_http *http = xcalloc(1, sizeof(*http));

	http->loop = loop;
	http->cb = cb;
	http->arg = arg;
	TAILQ_INIT(&http->clients);
	for (unsigned i = 0; i <= PEER_HOSTS_MAX; i++)
		http->ports[i] = (struct port){ .http = http, .host = i, .fd = -1 };
	return http;
}

int
peer_http_restart(struct peer_http *http, unsigned host, unsigned number)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)number),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct port *port = &http->ports[host];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1 || listen(fd, 128) == -1) {
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	port->fd = fd;
	ev_io_init(&port->accept, on_accept, fd, EV_READ);
	port->accept.data = port;
	ev_io_start(http->loop, &port->accept);
	return 0;
}

unsigned
peer_http_listen(struct peer_http *http, unsigned host)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	if (peer_http_restart(http, host, 0) == -1 ||
	    getsockname(http->ports[host].fd, (struct sockaddr *)&addr, &len) == -1)
		return 0;
	return ntohs(addr.sin_port);
}

void
peer_http_stop(struct peer_http *http, unsigned host)
{
	struct port *port = &http->ports[host];
	struct client *client, *next;

	if (port->fd == -1)
		return;
	ev_io_stop(http->loop, &port->accept);
	(void)close(port->fd);
	port->fd = -1;
	for (client = TAILQ_FIRST(&http->clients); client != NULL; client = next) {
		next = TAILQ_NEXT(client, link);
		if (client->host == host)
			drop(client, true);
	}
}

void
peer_http_free(struct peer_http **http)
{
	for (unsigned i = 0; i <= PEER_HOSTS_MAX; i++)
		peer_http_stop(*http, i);
	free(*http);
	*http = NULL;
}

unsigned
peer_http_most(const struct peer_http *http, unsigned host)
{
	return http->ports[host].most;
}

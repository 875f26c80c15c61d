#include "t/unit/ws_server.h"

#include "t/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY_HEADER	"Sec-WebSocket-Key: "
#define KEY_LEN		24
#define KEY_SUFFIX	"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"	/* RFC 6455, 1.3 */

void
ws_server_hang_up(struct ws_server *server)
{
	if (server->fd == -1)
		return;
	ev_io_stop(server->loop, &server->read);
	ev_io_stop(server->loop, &server->write);
	(void)close(server->fd);
	server->fd = -1;
}

static void
on_write(struct ev_loop *loop, struct ev_io *io, int revents BF_UNUSED)
{
	struct ws_server *server = io->data;
	ssize_t n = send(server->fd, buf_data(&server->script) + server->sent,
	    buf_len(&server->script) - server->sent, MSG_NOSIGNAL);

	if (n > 0)
		server->sent += (size_t)n;
	if (server->sent < buf_len(&server->script))
		return;
	ev_io_stop(loop, io);
	if (server->closes)
		ws_server_hang_up(server);
}

static void
shake_hands(struct ws_server *server)
{
	unsigned char digest[EVP_MAX_MD_SIZE], accept[64];
	char key[KEY_LEN + sizeof(KEY_SUFFIX)];
	const char *found;
	struct buf answer = BUF_INIT;

	buf_add_byte(&server->request, 0);
	found = strstr((const char *)buf_data(&server->request), KEY_HEADER);
	assert_non_null(found);
	memcpy(key, found + strlen(KEY_HEADER), KEY_LEN);
	memcpy(key + KEY_LEN, KEY_SUFFIX, sizeof(KEY_SUFFIX));
	assert_int_equal(EVP_Digest(key, strlen(key), digest, NULL, EVP_sha1(), NULL), 1);
	(void)EVP_EncodeBlock(accept, digest, 20);
	if (server->refusal != NULL)
		buf_add_str(&answer, str_from(server->refusal));
	else
		buf_printf(&answer, "HTTP/1.1 101 Switching Protocols\r\n"
		    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		    "Sec-WebSocket-Accept: %s\r\n\r\n", (const char *)accept);
	assert_int_equal(send(server->fd, buf_data(&answer), buf_len(&answer),
	    MSG_NOSIGNAL), buf_len(&answer));
	buf_clear(&answer);
	if (server->refusal != NULL)
		ws_server_hang_up(server);
	else
		ev_io_start(server->loop, &server->write);
}

static bool
has_head(const struct buf *request)
{
	return buf_len(request) > 0 && memmem(buf_data(request), buf_len(request),
	    "\r\n\r\n", 4) != NULL;
}

static void
on_read(struct ev_loop *loop BF_UNUSED, struct ev_io *io, int revents BF_UNUSED)
{
	struct ws_server *server = io->data;
	bool had_head = has_head(&server->request);
	char bytes[4096];
	ssize_t n = recv(server->fd, bytes, sizeof(bytes), 0);

	if (n <= 0) {
		ws_server_hang_up(server);
		return;
	}
	buf_add(had_head ? &server->received : &server->request, bytes, (size_t)n);
	if (!had_head && !server->is_mute && has_head(&server->request))
		shake_hands(server);
}

static void
on_accept(struct ev_loop *loop, struct ev_io *io, int revents BF_UNUSED)
{
	struct ws_server *server = io->data;
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd == -1)
		return;
	ws_server_hang_up(server);
	server->fd = fd;
	server->connections++;
	server->sent = 0;
	buf_reset(&server->request);
	buf_reset(&server->received);
	ev_io_set(&server->read, fd, EV_READ);
	ev_io_set(&server->write, fd, EV_WRITE);
	ev_io_start(loop, &server->read);
}

void
ws_server_init(struct ws_server *server, struct ev_loop *loop)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);

	*server = (struct ws_server){ .loop = loop, .fd = -1 };
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listen_fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(server->listen_fd, 4), 0);
	assert_int_equal(getsockname(server->listen_fd, (struct sockaddr *)&addr, &len),
	    0);
	server->port = ntohs(addr.sin_port);
	ev_io_init(&server->accept, on_accept, server->listen_fd, EV_READ);
	ev_init(&server->read, on_read);
	ev_init(&server->write, on_write);
	server->accept.data = server->read.data = server->write.data = server;
	ev_io_start(loop, &server->accept);
}

void
ws_server_clear(struct ws_server *server)
{
	ws_server_hang_up(server);
	ev_io_stop(server->loop, &server->accept);
	(void)close(server->listen_fd);
	buf_clear(&server->script);
	buf_clear(&server->request);
	buf_clear(&server->received);
}

void
ws_server_frame(struct ws_server *server, int opcode, const void *data, size_t len)
{
	buf_add_byte(&server->script, (uint8_t)opcode);
	if (len < 126) {
		buf_add_byte(&server->script, (uint8_t)len);
	} else if (len < 65536) {
		buf_add_byte(&server->script, 126);
		buf_add_byte(&server->script, (uint8_t)(len >> 8));
		buf_add_byte(&server->script, (uint8_t)len);
	} else {
		buf_add_byte(&server->script, 127);
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_add_byte(&server->script, (uint8_t)((uint64_t)len >> shift));
	}
	buf_add(&server->script, data, len);
}

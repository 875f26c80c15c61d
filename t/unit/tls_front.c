#include "t/unit/tls_front.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE_BYTES	16384

static int
connect_behind(unsigned port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1)
		exit(1);
	return fd;
}

/* What has come on one side goes to the other; false at the end of either. */
static bool
pass_on(SSL *ssl, int behind, bool is_from_behind)
{
	char piece[PIECE_BYTES];
	ssize_t n;

	if (is_from_behind) {
		n = read(behind, piece, sizeof(piece));
		return n > 0 && SSL_write(ssl, piece, (int)n) == n;
	}
	n = SSL_read(ssl, piece, sizeof(piece));
	return n > 0 && write(behind, piece, (size_t)n) == n;
}

static void
serve(SSL_CTX *context, int fd, unsigned port)
{
	SSL *ssl = SSL_new(context);
	int behind;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1)
		exit(0);
	behind = connect_behind(port);
	for (bool goes_on = true; goes_on;) {
		struct pollfd fds[2] = { { fd, POLLIN, 0 }, { behind, POLLIN, 0 } };

		if (SSL_pending(ssl) == 0 && poll(fds, 2, -1) == -1)
			exit(1);
		if (SSL_pending(ssl) > 0 || fds[0].revents != 0)
			goes_on = pass_on(ssl, behind, false);
		if (goes_on && fds[1].revents != 0)
			goes_on = pass_on(ssl, behind, true);
	}
	(void)SSL_shutdown(ssl);
	exit(0);
}

static void
accept_one(SSL_CTX *context, int listener, unsigned port)
{
	int fd = accept(listener, NULL, NULL);

	if (fd == -1)
		exit(1);
	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(context, fd, port);
	}
	close(fd);
}

void
tls_front_run(int listener, SSL_CTX *context, unsigned port, int until_fd)
{
	struct pollfd fds[2] = { { until_fd, POLLIN, 0 }, { listener, POLLIN, 0 } };

	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	while (poll(fds, 2, -1) != -1 && fds[0].revents == 0) {
		if (fds[1].revents != 0)
			accept_one(context, listener, port);
	}
}

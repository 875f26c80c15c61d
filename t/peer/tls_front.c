/*
 * tls-front PORT NAME SECONDS VERSION DIR - TLS in front of a server on 127.0.0.1.
 *
 * NAME is what its certificate is for, SECONDS how long that is valid from now on,
 * VERSION the only version that it speaks (769 is TLS 1.0, 0 any of today); the
 * certificate is written into DIR (t/unit/tls_context.h).  Prints its port, and the
 * file of the certificate.  Ends with its standard input.  Each connection is a
 * process, so that one that hangs is nobody else's matter.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/fdutil.h"
#include "t/unit/tls_context.h"

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

int
main(int argc, char **argv)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	struct tls_wish wish;
	struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { -1, POLLIN, 0 } };
	char file[256];
	SSL_CTX *context;
	struct err err;

	if (argc != 6) {
		(void)fprintf(stderr, "usage: tls-front PORT NAME SECONDS VERSION DIR\n");
		return 2;
	}
	wish = (struct tls_wish){ argv[2], atol(argv[3]), atoi(argv[4]) };
	context = tls_context_new(&wish, argv[5], file, sizeof(file));
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	if (fd_tcp_listen("127.0.0.1:0", &fds[1].fd, &err) == -1 ||
	    fd_set_nonblock(fds[1].fd, false) == -1 ||
	    getsockname(fds[1].fd, (struct sockaddr *)&addr, &len) == -1)
		return 1;
	(void)printf("%u %s\n", ntohs(addr.sin_port), file);
	(void)fflush(stdout);
	while (poll(fds, 2, -1) != -1 && fds[0].revents == 0) {
		if (fds[1].revents != 0)
			accept_one(context, fds[1].fd, (unsigned)atoi(argv[1]));
	}
	SSL_CTX_free(context);
	return 0;
}

/*
 * tls-front PORT NAME SECONDS VERSION DIR - TLS in front of a server on 127.0.0.1.
 *
 * NAME is what its certificate is for, SECONDS how long that is valid from now on,
 * VERSION the only version that it speaks (769 is TLS 1.0, 0 any of today); the
 * certificate is written into DIR (t/unit/tls_context.h).  Prints its port, and the
 * file of the certificate.  Ends with its standard input.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fdutil.h"
#include "t/unit/tls_context.h"
#include "t/unit/tls_front.h"

int
main(int argc, char **argv)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	struct tls_wish wish;
	char file[256];
	SSL_CTX *context;
	struct err err;
	int listener;

	if (argc != 6) {
		(void)fprintf(stderr, "usage: tls-front PORT NAME SECONDS VERSION DIR\n");
		return 2;
	}
	wish = (struct tls_wish){ argv[2], atol(argv[3]), atoi(argv[4]) };
	context = tls_context_new(&wish, argv[5], file, sizeof(file));
	if (fd_tcp_listen("127.0.0.1:0", &listener, &err) == -1 ||
	    fd_set_nonblock(listener, false) == -1 ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) == -1)
		return 1;
	(void)printf("%u %s\n", ntohs(addr.sin_port), file);
	(void)fflush(stdout);
	tls_front_run(listener, context, (unsigned)atoi(argv[1]), STDIN_FILENO);
	SSL_CTX_free(context);
	return 0;
}

/*
 * list-floor PORT [LIMIT] - the floor of bench/pds-scan: read a server's listRepos to
 * its end over one connection, throw the pages away, and print how long it took.
 *
 *	pages bytes seconds
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/exitcode.h"

#define READ_BYTES	65536
#define CURSOR_SIZE	600

static int
connect_to(unsigned port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port =
	    htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1) {
		perror("connect");
		exit(EXIT_FAILED);
	}
	return fd;
}

/* Until the whole answer is in the buffer. */
static void
read_answer(int fd, struct buf *answer)
{
	size_t want = 0;

	buf_reset(answer);
	do {
		ssize_t got = read(fd, buf_reserve(answer, READ_BYTES), READ_BYTES);
		uint8_t *end;

		if (got <= 0) {
			(void)fprintf(stderr, "the server is gone\n");
			exit(EXIT_FAILED);
		}
		buf_added(answer, (size_t)got);
		end = memmem(buf_data(answer), buf_len(answer), "\r\n\r\n", 4);
		if (want == 0 && end != NULL) {
			const char *length = memmem(buf_data(answer), buf_len(answer),
			    "Content-Length: ", 16);

			want = (size_t)(end - buf_data(answer)) + 4 +
			    (length != NULL ? strtoul(length + 16, NULL, 10) : 0);
		}
	} while (want == 0 || buf_len(answer) < want);
}

/* False if there is none: that was the last page. */
static bool
find_cursor(const struct buf *answer, char cursor_out[CURSOR_SIZE])
{
	const char *at = memmem(buf_data(answer), buf_len(answer), "\"cursor\":\"", 10);
	size_t len;

	if (at == NULL)
		return false;
	len = strcspn(at + 10, "\"");
	return str_copy(cursor_out, CURSOR_SIZE, (struct str){ at + 10, len });
}

int
main(int argc, char **argv)
{
	const char *limit = argc > 2 ? argv[2] : "500";
	char cursor[CURSOR_SIZE] = "";
	struct buf answer = BUF_INIT;
	int64_t began = clock_mono_ms();
	unsigned long pages = 0, bytes = 0;
	int fd;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: list-floor PORT [LIMIT]\n");
		return EXIT_USAGE;
	}
	fd = connect_to((unsigned)atoi(argv[1]));
	do {
		if (dprintf(fd, "GET /xrpc/com.atproto.sync.listRepos?limit=%s%s%s "
		    "HTTP/1.1\r\nHost: localhost\r\n\r\n", limit, *cursor != '\0' ?
		    "&cursor=" : "", cursor) < 0)
			return EXIT_FAILED;
		read_answer(fd, &answer);
		pages++;
		bytes += buf_len(&answer);
	} while (find_cursor(&answer, cursor));
	(void)printf("%lu %lu %.3f\n", pages, bytes,
	    (double)(clock_mono_ms() - began) / 1000.);
	(void)close(fd);
	buf_clear(&answer);
	return EXIT_OK;
}

/*
 * http_floor.c - the least that an HTTP answer costs: libmicrohttpd with a body that
 * never changes.
 *
 *	http_floor BYTES
 *
 * Listens on a port of 127.0.0.1, which it prints, until standard input ends.  Set up
 * as backfill-api sets it up: one thread, epoll, connections kept; the answer is
 * queued in the second call of the handler, as one queued in the first closes the
 * connection.
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct MHD_Response *response;

static enum MHD_Result
on_access(void *arg, struct MHD_Connection *connection, const char *target,
    const char *method, const char *version, const char *data, size_t *data_len,
    void **context)
{
	(void)arg, (void)target, (void)method, (void)version, (void)data, (void)data_len;
	if (*context == NULL) {
		*context = response;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

int
main(int argc, char **argv)
{
	size_t len = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	char *body = malloc(len + 1), byte;
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct MHD_Daemon *daemon;

	if (len == 0 || body == NULL) {
		fprintf(stderr, "usage: http_floor BYTES\n");
		return 2;
	}
	memset(body, 'x', len);
	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_PERSISTENT);
	(void)MHD_add_response_header(response, "Content-Type", "application/json");
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL,
	    on_access, NULL, MHD_OPTION_SOCK_ADDR, &any, MHD_OPTION_CONNECTION_LIMIT, 1000u,
	    MHD_OPTION_END);
	if (daemon == NULL) {
		fprintf(stderr, "http_floor: libmicrohttpd does not start\n");
		return 1;
	}
	printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	(void)!read(STDIN_FILENO, &byte, 1);
	MHD_stop_daemon(daemon);
	MHD_destroy_response(response);
	free(body);
	return 0;
}

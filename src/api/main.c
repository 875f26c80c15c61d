/*
 * main.c - backfill-api: the HTTP API.  Started by backfilld, never by hand.
 */
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "common/exitcode.h"
#include "common/fdutil.h"
#include "common/log.h"
#include "proto/fdlayout.h"

static bool
is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int
main(int argc, char **argv)
{
	struct api api;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("backfill-api %s\n", PACKAGE_VERSION);
		return EXIT_OK;
	}
	log_init("backfill-api", LOG_LEVEL_INFO);
	if (argc != 1 || !is_socket(FD_CONTROL) || !is_socket(FD_LISTEN)) {
		fprintf(stderr, "backfill-api is started by backfilld\n");
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	if (fd_set_cloexec(FD_CONTROL, true) == -1 ||
	    fd_set_cloexec(FD_LISTEN, true) == -1 ||
	    fd_set_nonblock(FD_LISTEN, true) == -1) {
		log_error("the inherited descriptors cannot be set up");
		return EXIT_SYSTEM;
	}

	api_init(&api, EV_DEFAULT);
	ev_run(EV_DEFAULT, 0);
	api_clear(&api);
	return api.exit_code;
}

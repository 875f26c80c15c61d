/*
 * backfill-indexer: started by backfilld, never by hand (docs/architecture.md).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/log.h"
#include "indexer/indexer.h"
#include "proto/fdlayout.h"

/* A worker that dies or a disk that is full is an error to handle, no signal. */
static void
ignore_signals(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}

/* A descriptor for each worker, and one for each large repository under way. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(int argc, char **argv)
{
	struct indexer indexer;
	enum exit_code code;
	struct ev_loop *loop;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("backfill-indexer %s\n", PACKAGE_VERSION);
		return EXIT_OK;
	}
	if (argc != 1 || fcntl(FD_CONTROL, F_GETFD) == -1) {
		(void)fprintf(stderr, "backfill-indexer is started by backfilld\n");
		return EXIT_USAGE;
	}
	log_init("backfill-indexer", LOG_LEVEL_INFO);
	ignore_signals();
	raise_descriptor_limit();
	loop = ev_loop_new(EVFLAG_AUTO);
	if (loop == NULL) {
		log_error("ev_loop_new: failed");
		return EXIT_SYSTEM;
	}
	indexer_init(&indexer, loop, FD_CONTROL);
	code = indexer_run(&indexer);
	indexer_clear(&indexer);
	ev_loop_destroy(loop);
	return code;
}

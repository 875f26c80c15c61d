/*
 * backfill-resolver: started by backfilld, never by hand (docs/architecture.md).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/fdutil.h"
#include "common/log.h"
#include "fetch/http.h"
#include "proto/fdlayout.h"
#include "resolver/resolver.h"

int
main(int argc, char **argv)
{
	struct resolver resolver;
	enum exit_code code;
	struct ev_loop *loop;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("backfill-resolver %s\n", PACKAGE_VERSION);
		return EXIT_OK;
	}
	if (argc != 1 || fcntl(FD_CONTROL, F_GETFD) == -1) {
		(void)fprintf(stderr, "backfill-resolver is started by backfilld\n");
		return EXIT_USAGE;
	}
	log_init("backfill-resolver", LOG_LEVEL_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	loop = ev_loop_new(EVFLAG_AUTO);
	if (loop == NULL || fd_set_cloexec(FD_CONTROL, true) == -1) {
		log_error("the event loop or fd %d cannot be set up", FD_CONTROL);
		return EXIT_SYSTEM;
	}
	http_init();
	resolver_init(&resolver, loop, FD_CONTROL);
	code = resolver_run(&resolver);
	resolver_clear(&resolver);
	http_exit();
	ev_loop_destroy(loop);
	return code;
}

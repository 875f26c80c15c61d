/*
 * control_impl.h - what the files of the control socket share: control.c has the
 * socket and the clients, control_wait.c the requests that wait.
 */
#ifndef BF_SUPERVISOR_CONTROL_IMPL_H
#define BF_SUPERVISOR_CONTROL_IMPL_H

#include "supervisor/control.h"

struct control {
	struct supervisor *sup;		/* borrowed, outlives us */
	int fd;				/* owned */
	char path[4096];
	LIST_HEAD(, control_client) clients;	/* owned */
	unsigned count;

	/* watchers */
	struct ev_io acceptable;
	struct ev_timer accept_again;
	struct ev_timer look;		/* is the socket's file still there? */

	dev_t dev;			/* of the file */
	ino_t ino;
	bool is_lost;			/* and that has been told */
};

/* --- control.c --- */

struct control_client *client_new(struct control *control, int fd, const char *who,
    bool is_api);

/* --- control_wait.c --- */

void client_forget(struct control_client *client, struct pending *pending);

#endif

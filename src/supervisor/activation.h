/*
 * activation.h - sockets that the init system has opened for us (sd_listen_fds(3)).
 *
 * LISTEN_PID names us, LISTEN_FDS counts them, from descriptor 3 on.  A TCP socket is
 * for the API, a Unix one is the control socket.  They live on when we end, so that
 * connections wait for the next start.
 */
#ifndef BF_SUPERVISOR_ACTIVATION_H
#define BF_SUPERVISOR_ACTIVATION_H

struct activation {
	int http_fd, control_fd;	/* owned; -1: not given */
};

/* Take them, once; the variables are removed.  What is of no use is closed. */
struct activation activation_take(void);

#endif

/*
 * notify.h - tell the init system how we are (sd_notify(3)'s protocol).
 *
 * One datagram to the socket named by NOTIFY_SOCKET; nothing happens where there
 * is none, so any other init system works as well.  With WATCHDOG_USEC we say
 * several times in that time that we are well: which takes a loop that turns and
 * a store that can be written.  (A full disk is no reason to be started again: it
 * would be as full.)
 */
#ifndef BF_SUPERVISOR_NOTIFY_H
#define BF_SUPERVISOR_NOTIFY_H

struct supervisor;

/* Start saying how we are: STATUS=, and WATCHDOG=1 where it is wanted. */
void notify_init(struct supervisor *sup);

void notify_ready(void);
void notify_stopping(void);

/* A reload, or an upgrade, begins; notify_ready() says that it is over. */
void notify_reloading(void);

#endif

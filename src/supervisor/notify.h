/*
 * notify.h - tell the init system how we are (sd_notify(3)'s protocol).
 *
 * One datagram to the socket named by NOTIFY_SOCKET; nothing happens where there
 * is none, so any other init system works as well.
 */
#ifndef BF_SUPERVISOR_NOTIFY_H
#define BF_SUPERVISOR_NOTIFY_H

void notify_ready(void);
void notify_stopping(void);

/* A reload, or an upgrade, begins; notify_ready() says that it is over. */
void notify_reloading(void);

#endif

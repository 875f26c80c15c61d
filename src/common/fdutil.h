/*
 * fdutil.h - descriptors: flags, Unix sockets, locks.
 *
 * Every descriptor made here is close-on-exec and, where it is a socket,
 * non-blocking.
 */
#ifndef BF_COMMON_FDUTIL_H
#define BF_COMMON_FDUTIL_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"

void fd_close(int *fd);			/* closes if >= 0, then sets -1 */
/* Standard input, output and error, where they are closed, become /dev/null, so that
 * no file of ours can get their numbers.  First thing in main(). */
void fd_open_standard(void);

int fd_set_cloexec(int fd, bool on) BF_MUSTCHECK;
int fd_set_nonblock(int fd, bool on) BF_MUSTCHECK;

int fd_socketpair(int fds_out[2], struct err *err) BF_MUSTCHECK;	/* stream */

/*
 * A listening stream socket at path with the given mode.  A socket file that is
 * already there is removed only if it is a socket of ours that nobody answers
 * on; anything else is an error that names it.
 */
int fd_unix_listen(const char *path, mode_t mode, int *fd_out, struct err *err)
    BF_MUSTCHECK;

/* ERR_UNAVAILABLE if nobody listens there. */
int fd_unix_connect(const char *path, int *fd_out, struct err *err) BF_MUSTCHECK;

/* "127.0.0.1:8590", "[::1]:0".  Numeric addresses only: no resolver here. */
int fd_tcp_listen(const char *address, int *fd_out, struct err *err) BF_MUSTCHECK;

/*
 * Take the exclusive lock of a file that is made if need be and stays open as
 * long as the lock is held.  ERR_EXISTS, with the holder's pid in the text,
 * when another process has it; ERR_UNAVAILABLE if that one is gone, and the child
 * that it was just starting has the lock for a moment yet.
 */
int fd_lock_file(const char *path, int *fd_out, struct err *err) BF_MUSTCHECK;

/*
 * A mark on a file by which another process can find this one: as long as the
 * descriptor is open, fd_mark_holder() gives our pid.  The kernel takes it away
 * with the process, so the pid is never that of another one.  ERR_EXISTS: another
 * process has it.
 */
int fd_mark_file(const char *path, int *fd_out, struct err *err) BF_MUSTCHECK;
pid_t fd_mark_holder(const char *path);		/* 0: nobody */

int dir_make(const char *path, mode_t mode, struct err *err) BF_MUSTCHECK; /* and parents */

#endif

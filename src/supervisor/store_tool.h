/*
 * store_tool.h - what backfilld does to a store in a process of its own.
 *
 *	backfilld --check-store DIR	is operations/ in DIR sound?
 *	backfilld --backup DIR TO	a copy of operations/ and records/ of DIR
 *
 * LMDB hands out damaged pages as they are, and reading them may end a process by
 * SIGSEGV or SIGBUS: better this one than the supervisor.
 */
#ifndef BF_SUPERVISOR_STORE_TOOL_H
#define BF_SUPERVISOR_STORE_TOOL_H

#include "common/buf.h"
#include "supervisor/supervisor.h"

/* --- the tools: main() returns what they return, an exit status --- */

/* Prints "damaged ID" for each operation whose record is, and tells the rest to the
 * log.  EXIT_STORE: it cannot be read at all. */
int store_tool_check(const char *dir);

/* TO must not be there; it is made.  EXIT_FAILED: the log tells why. */
int store_tool_backup(const char *dir, const char *to);

/* --- their use by the supervisor --- */

/*
 * Check operations/ before it is opened; blocks for as long as that takes, which is
 * bounded.  The ids of damaged records are appended to *ids, TID_SIZE bytes each.
 * ERR_CORRUPT: the store is damaged beyond that.
 */
int store_check(const struct supervisor *sup, struct buf *ids, struct err *err)
    BF_MUSTCHECK;

/* Start a backup; sup->backup_pid is its process.  ERR_EXISTS: one is under way. */
int store_backup_start(struct supervisor *sup, struct str to, struct err *err)
    BF_MUSTCHECK;

/* It has ended (reap.c): those who wait get their answer. */
void store_backup_ended(struct supervisor *sup, int wait_status);

#endif

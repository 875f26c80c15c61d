/*
 * store_watch.h - does anything from outside harm the store while it is open?
 *
 * A look every service_timeout_ms:
 *
 * - Readers that died in a snapshot are cleared.
 * - Who has read one snapshot for longer than that keeps its pages from being used
 *   again.  A service is killed for it; of another process, which may be a backup, a
 *   line in the log tells.
 * - LMDB's lock file was deleted: the supervisor executes itself anew (upgrade.h) and
 *   so opens the store again.  The API and the indexer look for themselves.
 * - The lock of the state directory was deleted: it is taken again.  If another daemon
 *   has it by now, this one stops: it was the first, but it is the one that knows.
 */
#ifndef BF_SUPERVISOR_STORE_WATCH_H
#define BF_SUPERVISOR_STORE_WATCH_H

struct supervisor;

void store_watch_look(struct supervisor *sup);

#endif

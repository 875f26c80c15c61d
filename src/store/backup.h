/*
 * backup.h - a consistent copy of a store, while others write it.
 *
 * Run by a process of its own (supervisor/store_tool.c): the copy is one long read
 * transaction, during which no page of the store can be used again.
 */
#ifndef BF_STORE_BACKUP_H
#define BF_STORE_BACKUP_H

#include <stdint.h>

#include "common/err.h"

/* Copy the environment in from_dir into the empty directory to_dir, without its free
 * pages, and sync it to the disk.  ERR_NOT_FOUND: there is no store.  ERR_DISK_FULL,
 * ERR_CORRUPT, ERR_SYSTEM. */
int store_backup(const char *from_dir, const char *to_dir, uint64_t *bytes_out,
    struct err *err) BF_MUSTCHECK;

#endif

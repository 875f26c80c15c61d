/*
 * type_limit.h - the setting max_workers_per_type: "pds-scan=1 did-sync=4".
 *
 * Pure.  Callers: conffile.c checks it, queue.c asks.
 */
#ifndef BF_SUPERVISOR_TYPE_LIMIT_H
#define BF_SUPERVISOR_TYPE_LIMIT_H

#include "common/err.h"
#include "common/str.h"

#define TYPE_LIMIT_NONE	UINT64_MAX

/* ERR_INVALID names the item that is not TYPE=NUMBER with a number from 1 to 1000. */
int type_limit_check(const char *list, struct err *err) BF_MUSTCHECK;

/* How many of a type, in its kebab spelling, may run at a time. */
uint64_t type_limit(const char *list, struct str type);

#endif

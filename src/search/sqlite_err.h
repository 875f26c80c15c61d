/*
 * sqlite_err.h - failures of SQLite as ours.  Only files of src/search include it.
 */
#ifndef BF_SEARCH_SQLITE_ERR_H
#define BF_SEARCH_SQLITE_ERR_H

#include <sqlite3.h>

#include "common/err.h"

/* The text is `what: the library's message`. */
#define sqlite_err(err, db, what)	(sqlite_err_put(err, db, what), -1)
void sqlite_err_put(struct err *err, sqlite3 *db, const char *what);

#endif

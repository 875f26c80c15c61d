#include "search/sqlite_err.h"

static enum err_code
sqlite_err_code(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return ERR_DISK_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	case SQLITE_CANTOPEN:
		return ERR_NOT_FOUND;
	case SQLITE_INTERRUPT:
		return ERR_TIMEOUT;
	default:
		return ERR_SYSTEM;
	}
}

void
sqlite_err_put(struct err *err, sqlite3 *db, const char *what)
{
	int rc = sqlite3_extended_errcode(db);

	/* A write beyond a quota or a limit of file sizes; its errno is lost by now. */
	err_put(err, rc == SQLITE_IOERR_WRITE ? ERR_DISK_FULL : sqlite_err_code(rc),
	    "%s: %s", what, sqlite3_errmsg(db));
}

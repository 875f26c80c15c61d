/*
 * xrpc_error.h - error names and their HTTP statuses, in one table.
 */
#ifndef BF_API_XRPC_ERROR_H
#define BF_API_XRPC_ERROR_H

#include "api/xrpc_error.def"
#include "common/str.h"

enum xrpc_error {
#define X(error, name, status) XRPC_##error,
	XRPC_ERRORS(X)
#undef X
};

const char *xrpc_error_name(enum xrpc_error error);
unsigned xrpc_error_status(enum xrpc_error error);

/* The error of that name; XRPC_INTERNAL for a name that is not in the table. */
enum xrpc_error xrpc_error_find(struct str name);

#endif

/*
 * route.h - every path that the API serves: one row each.
 *
 * To add an XRPC method: a row in route.c, a handler in an h_*.c file, and its
 * lexicon in etc/lexicons/.
 */
#ifndef BF_API_ROUTE_H
#define BF_API_ROUTE_H

#include <stdbool.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/str.h"

struct request;

/*
 * Answer a request: its parameters or request->input are there and its caller is
 * known.  Either the reply is written when it returns, or the request waits for
 * the supervisor (request_ask), whose answer's handler writes it.
 */
typedef void route_handler(struct request *request);

/* Check the query parameters and keep what the handler needs of them. */
typedef int route_params(struct request *request, struct err *err);

enum route_kind {
	ROUTE_QUERY,		/* GET and HEAD; no body */
	ROUTE_PROCEDURE,	/* POST with a JSON body */
	ROUTE_ACTION,		/* POST; parameters are in the URL, a body is ignored */
	ROUTE_PAGE,		/* GET and HEAD; without credentials: to the login */
	ROUTE_FORM,		/* POST from a page of ours; the body are its fields */
};

/* Who may.  A row that does not say is for admins alone. */
enum route_access {
	ROUTE_CHANGE,		/* admins */
	ROUTE_READ,		/* and viewers */
	ROUTE_PUBLIC,		/* anybody: no credentials are looked at */
};

struct route {
	/* Behind "/xrpc/AUTHORITY."; with a '/' in front: the path, in which one
	 * segment may be ":id", any text but "". */
	const char *name;
	enum route_kind kind;
	enum route_access access;
	/* A token is made for one XRPC method.  For a path: which one it has to be
	 * for, behind the authority; NULL: tokens are not taken. */
	const char *acts_as;
	route_params *params;	/* NULL: takes none */
	route_handler *handler;
	const char *op_type;	/* for a trigger of one type of operation */
};

enum route_result {
	ROUTE_FOUND,
	ROUTE_BAD_PATH,		/* below /xrpc/, but no NSID */
	ROUTE_UNKNOWN_METHOD,	/* an NSID that is not served */
	ROUTE_NOTHING_THERE,	/* any other path */
};

/* path is without query string; authority as "pub.chive.admin".  arg_out is what
 * stands in the place of ":id", borrowed from path, or empty. */
enum route_result route_find(struct str path, struct str authority,
    const struct route **route_out, struct str *arg_out) BF_MUSTCHECK;

/* All of them, for those who count by route. */
size_t route_count(void);
const struct route *route_at(size_t i);
size_t route_index(const struct route *route);

/* The method that a token for this route has to be for, behind the authority. */
const char *route_method(const struct route *route);	/* NULL: none will do */

#endif

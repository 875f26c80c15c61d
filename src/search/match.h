/*
 * match.h - what people type, as an FTS5 query.
 *
 *	two words		both, anywhere
 *	"two words"		next to each other
 *	electr*			begins with (three letters or more)
 *	title:word  title:"a b"	in one field
 *	-word			not there
 *	one OR other		one of them
 *
 * Everything else is text: nothing that is typed is a syntax error of SQLite's.
 * Pure.
 */
#ifndef BF_SEARCH_MATCH_H
#define BF_SEARCH_MATCH_H

#include "common/attr.h"
#include "common/buf.h"
#include "common/err.h"

/* Append the expression.  ERR_INVALID: nothing to look for, or only what must not be
 * there; ERR_LIMIT: over LIMIT_SEARCH_QUERY_BYTES or LIMIT_SEARCH_TERMS. */
int match_from_text(struct str text, struct buf *to, struct err *err) BF_MUSTCHECK;

#endif

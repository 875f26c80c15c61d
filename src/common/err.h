/*
 * err.h - the reason of a failure, for functions where the reason matters.
 *
 * A fallible function returns 0 or -1.  Where its caller needs to know why, its
 * last parameter is a struct err that the caller owns; it is written only on
 * failure.  The function that meets the failure writes the text once, in the
 * form "what(argument): why"; callers may put context in front with err_wrap()
 * but never log what they hand on.  Whoever decides the consequence logs it.
 */
#ifndef BF_COMMON_ERR_H
#define BF_COMMON_ERR_H

#include "common/attr.h"

#define ERR_TEXT_SIZE	512	/* longer texts are cut */

enum err_code {
	ERR_SYSTEM = 1,		/* a system call failed; the text has errno's */
	ERR_INVALID,		/* an input breaks its rules */
	ERR_LIMIT,		/* an input is over a limit of limits.h */
	ERR_NOT_FOUND,
	ERR_EXISTS,		/* already there, already running */
	ERR_CONFLICT,		/* the state does not allow it (compare-and-set lost) */
	ERR_DISK_FULL,
	ERR_PERMISSION,		/* not ours, or on a file system that cannot be written */
	ERR_CORRUPT,		/* a stored value fails its checksum or its syntax */
	ERR_VERSION,		/* written by another version */
	ERR_PROTOCOL,		/* a peer broke the protocol */
	ERR_UNAVAILABLE,	/* a peer process or host is not there now */
	ERR_TIMEOUT,
	ERR_CANCELLED,
};

struct err {
	enum err_code code;
	char text[ERR_TEXT_SIZE];
};

/*
 * Write code and text.  All are expressions of value -1, so that a failing
 * function can end with `return err_set(...)`; they are macros so that the
 * compiler knows the value and does not warn of outputs that were not set.
 */
#define err_set(...)	(err_put(__VA_ARGS__), -1)

/* As err_set() with ERR_SYSTEM and ": strerror(errno)" behind the text. */
#define err_errno(...)	(err_put_errno(__VA_ARGS__), -1)

/* Put "context: " in front of a text that is already there. */
#define err_wrap(...)	(err_put_context(__VA_ARGS__), -1)

void err_put(struct err *err, enum err_code code, const char *fmt, ...)
    BF_PRINTF(3, 4);
void err_put_errno(struct err *err, const char *fmt, ...) BF_PRINTF(2, 3);
void err_put_context(struct err *err, const char *fmt, ...) BF_PRINTF(2, 3);

#endif

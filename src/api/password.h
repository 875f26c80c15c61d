/*
 * password.h - the admin's password, given as itself or as a hash.
 *
 * A hash is what `backfillctl hash-password` prints, or anything else of the form
 * "$id$..." that crypt(5) knows.  Making one from a password takes tens of
 * milliseconds, on purpose, and the loop stands still meanwhile; so the last
 * password that was right is recognised by a keyed digest in memory, and the
 * others get a few verifications a second.
 */
#ifndef BF_API_PASSWORD_H
#define BF_API_PASSWORD_H

#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

struct password;

/* `secret` is the setting's text, which is not kept unless it is a hash. */
struct password *password_new(const char *secret);
void password_free(struct password **password);

enum password_result {
	PASSWORD_RIGHT,
	PASSWORD_WRONG,
	PASSWORD_BUSY,		/* it was not looked at: try again in a second */
};

/* What follows "Basic " in an Authorization header.  The user has to be "admin".  The
 * time it takes tells nothing of how much is right. */
enum password_result password_check(struct password *password, struct str basic,
    int64_t now_ms) BF_MUSTCHECK;

#endif

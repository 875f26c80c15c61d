/*
 * auth.h - who sends this request, and may they?
 *
 * The HTTP Basic admin password, compared in constant time.  A caller is
 * recorded as the operation's started_by or cancelled_by.
 */
#ifndef BF_API_AUTH_H
#define BF_API_AUTH_H

#include "common/attr.h"
#include "common/str.h"

struct auth {
	char *basic;	/* owned; base64 of "admin:PASSWORD"; NULL if none */
};

/* The password is not kept.  An empty one means that none is configured: then
 * nobody is let in. */
void auth_init(struct auth *auth, const char *admin_password);
void auth_clear(struct auth *auth);

enum auth_result {
	AUTH_OK,
	AUTH_MISSING,		/* no credentials, or of a kind that is not taken */
	AUTH_WRONG,
	AUTH_NOT_CONFIGURED,	/* right or wrong, there is nothing to compare with */
};

/* Look at an Authorization header (empty if there was none).  caller_out, for
 * AUTH_OK, lives as long as auth. */
enum auth_result auth_check(const struct auth *auth, struct str authorization,
    struct str *caller_out) BF_MUSTCHECK;

/* What to tell the client; for any result but AUTH_OK. */
const char *auth_result_text(enum auth_result result);

#endif

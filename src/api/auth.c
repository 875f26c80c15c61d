#include "api/auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "atproto/basex.h"
#include "common/buf.h"
#include "common/mem.h"

#define USER_PREFIX	"admin:"

void
auth_init(struct auth *auth, const char *admin_password)
{
	struct buf plain = BUF_INIT, coded = BUF_INIT;

	*auth = (struct auth){ NULL };
	if (*admin_password == '\0')
		return;
	buf_printf(&plain, USER_PREFIX "%s", admin_password);
	base64_encode(buf_bytes(&plain), &coded);
	auth->basic = xstrndup((const char *)buf_data(&coded), buf_len(&coded));
	explicit_bzero(buf_data(&plain), buf_len(&plain));
	explicit_bzero(buf_data(&coded), buf_len(&coded));
	buf_clear(&plain);
	buf_clear(&coded);
}

void
auth_clear(struct auth *auth)
{
	if (auth->basic != NULL)
		explicit_bzero(auth->basic, strlen(auth->basic));
	free(auth->basic);
	auth->basic = NULL;
}

/* The time depends on what was given only, not on how much of it is right. */
static bool
is_equal(struct str given, const char *secret)
{
	size_t len = strlen(secret);
	unsigned difference = given.len != len;

	for (size_t i = 0; i < given.len; i++)
		difference |= (unsigned char)given.ptr[i] ^
		    (unsigned char)secret[i % len];
	return difference == 0;
}

enum auth_result
auth_check(const struct auth *auth, struct str authorization,
    struct str *caller_out)
{
	static const struct str scheme = { "Basic ", 6 };
	struct str given;

	if (auth->basic == NULL)
		return AUTH_NOT_CONFIGURED;
	if (authorization.len < scheme.len ||
	    strncasecmp(authorization.ptr, scheme.ptr, scheme.len) != 0)
		return AUTH_MISSING;
	given = (struct str){ authorization.ptr + scheme.len,
	    authorization.len - scheme.len };
	while (given.len > 0 && given.ptr[given.len - 1] == '=')
		given.len--;
	if (!is_equal(given, auth->basic))
		return AUTH_WRONG;
	*caller_out = STR("admin");
	return AUTH_OK;
}

const char *
auth_result_text(enum auth_result result)
{
	switch (result) {
	case AUTH_OK:
		break;
	case AUTH_MISSING:
		return "Authentication Required: HTTP Basic with the user \"admin\"";
	case AUTH_WRONG:
		return "The user name or the password is wrong";
	case AUTH_NOT_CONFIGURED:
		return "No admin password is configured: set admin_password or "
		    "admin_password_file in backfilld.conf";
	}
	return "";
}

#include "api/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/password.h"
#include "api/replay.h"
#include "api/throttle.h"
#include "atproto/did.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"

static char *
take_text(struct buf *buf)
{
	char *text = xstrndup((const char *)buf_data(buf), buf_len(buf));

	buf_clear(buf);
	return text;
}

/* "https://backfill.example.com" -> "did:web:backfill.example.com"; "" for what has a
 * path, or a port that did:web does not know. */
static char *
did_from_url(struct str url)
{
	struct buf did = BUF_INIT;
	const char *host = memmem(url.ptr, url.len, "://", 3);

	if (host == NULL)
		return xstrdup("");
	buf_add_str(&did, STR("did:web:"));
	for (const char *c = host + 3; c < url.ptr + url.len; c++) {
		if (*c == ':')
			buf_add_str(&did, STR("%3A"));
		else if (*c != '/' || c + 1 != url.ptr + url.len)
			buf_add_byte(&did, (uint8_t)*c);
	}
	if (!did_is_atproto(buf_str(&did)))
		buf_reset(&did);
	return take_text(&did);
}

static char *
make_service_did(const struct settings *settings)
{
	char *did;

	if (*settings->service_did == '\0')
		did = did_from_url(str_from(settings->public_url));
	else
		did = xstrdup(settings->service_did);
	if (*did != '\0' && !did_is_atproto(str_from(did))) {
		log_error("service_did: \"%s\" is no did:plc or did:web: tokens are not "
		    "taken", did);
		*did = '\0';
	}
	return did;
}

/* The reference PDS names the DID alone when it proxies; the specification wants the
 * service's id behind it. */
static char *
make_audiences(const struct settings *settings, const char *service_did)
{
	struct buf text = BUF_INIT;

	if (*settings->service_audiences != '\0' || *service_did == '\0')
		return xstrdup(settings->service_audiences);
	buf_printf(&text, "%s#" AUTH_SERVICE_ID " %s", service_did, service_did);
	return take_text(&text);
}

static void
check_list(const char *name, const char *list)
{
	struct str rest = str_from(list), did;

	while (!str_is_empty(did = settings_next_item(&rest)))
		if (!did_is_atproto(did))
			log_error("%s: \"%.*s\" is no did:plc or did:web: nobody has it",
			    name, STR_FMT(did));
}

void
auth_init(struct auth *auth, const struct settings *settings,
    struct resolver_link *resolver)
{
	*auth = (struct auth){ .settings = settings, .resolver = resolver };
	auth->since_secs = clock_wall_ms() / 1000;
	auth->replay = replay_new();
	auth->throttle = throttle_new();
	auth->service_did = make_service_did(settings);
	auth->audiences = make_audiences(settings, auth->service_did);
	if (*settings->admin_password != '\0')
		auth->password = password_new(settings->admin_password);
	check_list("admins", settings->admins);
	check_list("viewers", settings->viewers);
	if (*settings->admins != '\0' && !auth_takes_tokens(auth))
		log_warn("admins are listed, but there is neither public_url nor "
		    "service_did: their tokens cannot be taken");
}

void
auth_clear(struct auth *auth)
{
	password_free(&auth->password);
	replay_free(&auth->replay);
	throttle_free(&auth->throttle);
	free(auth->service_did);
	free(auth->audiences);
	*auth = (struct auth){ 0 };
}

static bool
is_listed(const char *list, struct str did)
{
	struct str rest = str_from(list), item;

	while (!str_is_empty(item = settings_next_item(&rest)))
		if (str_eq(item, did))
			return true;
	return false;
}

enum role
auth_role(const struct auth *auth, struct str did)
{
	if (is_listed(auth->settings->admins, did))
		return ROLE_ADMIN;
	return is_listed(auth->settings->viewers, did) ? ROLE_VIEWER : ROLE_NONE;
}

bool
auth_takes_passwords(const struct auth *auth)
{
	return auth->password != NULL;
}

bool
auth_takes_tokens(const struct auth *auth)
{
	return *auth->audiences != '\0';
}

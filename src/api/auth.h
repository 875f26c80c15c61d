/*
 * auth.h - what decides who may use the API, for all requests together.
 *
 * How one request is looked at is in caller.h.  Here is what outlives requests:
 * the password, the tokens that were used, who failed too often, and the lists of
 * accounts, which are read from the settings each time, so that a reload counts at
 * once.
 */
#ifndef BF_API_AUTH_H
#define BF_API_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/str.h"

struct password;
struct replay;
struct resolver_link;
struct throttle;

/* The service's id in its DID document: what users put behind '#'. */
#define AUTH_SERVICE_ID	"backfill"

enum role {
	ROLE_NONE,
	ROLE_VIEWER,			/* may look on */
	ROLE_ADMIN,
};

struct auth {
	const struct settings *settings;	/* borrowed, outlives us */
	struct resolver_link *resolver;		/* likewise */

	/* owned */
	struct password *password;		/* NULL: none is configured */
	struct replay *replay;
	struct throttle *throttle;
	char *service_did;			/* "" : tokens are not taken */
	char *audiences;			/* parted by blanks */
	int64_t since_secs;			/* replay knows the tokens since then */
};

/* The settings are complete.  Says in the log what is wrong with them. */
void auth_init(struct auth *auth, const struct settings *settings,
    struct resolver_link *resolver);
void auth_clear(struct auth *auth);

enum role auth_role(const struct auth *auth, struct str did);

/* Is there any way in? */
bool auth_takes_passwords(const struct auth *auth);
bool auth_takes_tokens(const struct auth *auth);

#endif

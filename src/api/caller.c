#include "api/caller.h"

#include <string.h>
#include <strings.h>

#include "api/password.h"
#include "api/replay.h"
#include "api/throttle.h"
#include "common/clock.h"
#include "common/log.h"

#define RESOLVE_TIMEOUT_MS	10000

static unsigned
failures_per_minute(const struct caller *caller)
{
	return (unsigned)caller->auth->settings->auth_failures_per_minute;
}

static void
count_failure(struct caller *caller)
{
	throttle_count(caller->auth->throttle, &caller->claim.address,
	    failures_per_minute(caller), clock_mono_ms());
}

/* --- refusals --- */

static enum caller_next
refuse(struct caller *caller, const char *reason, const char *text)
{
	reply_refuse(caller->claim.reply, reason, text);
	caller->claim.reply->asks_token = auth_takes_tokens(caller->auth);
	/* A 401 has to ask for something, even where nothing would do. */
	caller->claim.reply->asks_password = auth_takes_passwords(caller->auth) ||
	    !caller->claim.reply->asks_token;
	return CALLER_REFUSED;
}

static enum caller_next
refuse_jwt(struct caller *caller, const struct jwt_error *error)
{
	return refuse(caller, jwt_fault_name(error->fault), error->text);
}

static enum caller_next
refuse_signature(struct caller *caller, const char *text)
{
	count_failure(caller);
	return refuse(caller, jwt_fault_name(JWT_BAD_SIGNATURE), text);
}

static enum caller_next
refuse_busy(struct caller *caller, unsigned secs)
{
	reply_error(caller->claim.reply, XRPC_RATE_LIMIT_EXCEEDED,
	    "Too many attempts that failed: try again in %u s", secs);
	caller->claim.reply->retry_after_secs = secs;
	return CALLER_REFUSED;
}

static enum caller_next
refuse_unresolved(struct caller *caller)
{
	reply_error(caller->claim.reply, XRPC_IDENTITY_UNAVAILABLE, "The key of %.*s "
	    "cannot be had now, so the token cannot be checked", STR_FMT(caller->jwt.iss));
	return CALLER_REFUSED;
}

static enum caller_next
refuse_stranger(struct caller *caller)
{
	reply_error(caller->claim.reply, XRPC_ADMIN_REQUIRED,
	    "%.*s is not among the admins or viewers of this server",
	    STR_FMT(caller->jwt.iss));
	return CALLER_REFUSED;
}

/* --- HTTP Basic --- */

static enum caller_next
look_at_password(struct caller *caller, struct str basic)
{
	int64_t now_ms = clock_mono_ms();
	unsigned secs;

	caller->claimed = STR("admin");
	if (!auth_takes_passwords(caller->auth))
		return refuse(caller, "AuthNotConfigured", "No admin password is "
		    "configured: set admin_password or admin_password_file in "
		    "backfilld.conf");
	secs = throttle_wait_secs(caller->auth->throttle, &caller->claim.address,
	    failures_per_minute(caller), now_ms);
	if (secs > 0)
		return refuse_busy(caller, secs);
	switch (password_check(caller->auth->password, basic, now_ms)) {
	case PASSWORD_RIGHT:
		caller->role = ROLE_ADMIN;
		caller->name = STR("admin");
		return CALLER_KNOWN;
	case PASSWORD_BUSY:
		return refuse_busy(caller, 1);
	case PASSWORD_WRONG:
		break;
	}
	count_failure(caller);
	return refuse(caller, "BadPassword", "The user name or the password is wrong");
}

/* --- tokens --- */

/* It is the issuer's token: may the issuer, and is it the first time? */
static enum caller_next
admit(struct caller *caller)
{
	const struct jwt *jwt = &caller->jwt;
	enum role role = auth_role(caller->auth, jwt->iss);

	if (role == ROLE_NONE)
		return refuse_stranger(caller);
	switch (replay_use(caller->auth->replay, jwt->iss, jwt->jti, jwt->exp_secs,
	    clock_wall_ms() / 1000)) {
	case REPLAY_NEW:
		break;
	case REPLAY_SEEN:
		return refuse(caller, "JwtReplayed", "jwt was used before");
	case REPLAY_FULL:
		reply_error(caller->claim.reply, XRPC_NOT_ENOUGH_RESOURCES,
		    "Too many tokens were used in the last minutes");
		return CALLER_REFUSED;
	}
	caller->role = role;
	caller->name = jwt->iss;
	return CALLER_KNOWN;
}

static enum caller_next ask_key(struct caller *caller, bool is_fresh);

static enum caller_next
look_at_signature(struct caller *caller, const struct key *key)
{
	struct jwt_error error;

	if (caller->is_refreshed && key_eq(key, &caller->key))
		return refuse_signature(caller,
		    "jwt signature does not match jwt issuer");
	if (jwt_verify(&caller->jwt, key, &error) == 0)
		return admit(caller);
	if (caller->is_refreshed)
		return refuse_signature(caller, error.text);
	caller->key = *key;
	caller->is_refreshed = true;
	return ask_key(caller, true);
}

static enum caller_next
look_at_identity(struct caller *caller, const struct msg_identity *identity)
{
	struct key key;

	if (identity == NULL || str_eq(identity->outcome, STR("unavailable")))
		return refuse_unresolved(caller);
	if (!str_eq(identity->outcome, STR("ok")))
		return refuse_signature(caller, "jwt issuer could not be resolved");
	if (key_parse_did_key(identity->key, &key) == -1)
		return refuse_signature(caller, "jwt issuer has no signing key");
	return look_at_signature(caller, &key);
}

static void
on_identity(const struct msg_identity *identity, void *arg)
{
	struct caller *caller = arg;
	enum caller_next next = look_at_identity(caller, identity);

	if (next != CALLER_WAITS)
		caller->claim.on_known(caller, next, caller->claim.arg);
}

static enum caller_next
ask_key(struct caller *caller, bool is_fresh)
{
	if (resolver_link_ask(caller->auth->resolver, caller->jwt.iss, is_fresh,
	    RESOLVE_TIMEOUT_MS, on_identity, caller, &caller->wait) == -1)
		return refuse_unresolved(caller);
	return CALLER_WAITS;
}

/* Whoever is on no list costs us a look-up: not more of them than of passwords. */
static enum caller_next
charge_stranger(struct caller *caller)
{
	unsigned secs = throttle_wait_secs(caller->auth->throttle, &caller->claim.address,
	    failures_per_minute(caller), clock_mono_ms());

	if (secs > 0)
		return refuse_busy(caller, secs);
	count_failure(caller);
	return CALLER_KNOWN;
}

static enum caller_next
look_at_token(struct caller *caller, struct str token)
{
	struct jwt_rules rules = {
		.now_secs = clock_wall_ms() / 1000,
		.issued_since_secs = caller->auth->since_secs,
		.audiences = str_from(caller->auth->audiences),
		.lxm = caller->claim.lxm,
	};
	struct jwt_error error;

	if (!auth_takes_tokens(caller->auth))
		return refuse(caller, "AuthNotConfigured", "Tokens are not taken: set "
		    "public_url or service_did in backfilld.conf");
	if (str_is_empty(rules.lxm))
		return refuse(caller, jwt_fault_name(JWT_BAD_METHOD),
		    "Tokens are not taken for this path");
	/* The header is gone when the answer comes. */
	buf_reset(&caller->token);
	buf_add_str(&caller->token, token);
	if (jwt_parse(buf_str(&caller->token), &caller->jwt, &error) == -1)
		return refuse_jwt(caller, &error);
	caller->has_jwt = true;
	caller->claimed = caller->jwt.iss;
	if (jwt_check(&caller->jwt, &rules, &error) == -1)
		return refuse_jwt(caller, &error);
	if (auth_role(caller->auth, caller->jwt.iss) == ROLE_NONE &&
	    charge_stranger(caller) == CALLER_REFUSED)
		return CALLER_REFUSED;
	return ask_key(caller, false);
}

/* --- either --- */

/* What follows "Scheme " in the header; ptr is NULL for another scheme. */
static struct str
behind_scheme(struct str authorization, struct str scheme)
{
	struct str rest = STR_NONE;

	if (authorization.len > scheme.len &&
	    strncasecmp(authorization.ptr, scheme.ptr, scheme.len) == 0 &&
	    authorization.ptr[scheme.len] == ' ')
		rest = (struct str){ authorization.ptr + scheme.len + 1,
		    authorization.len - scheme.len - 1 };
	return rest;
}

enum caller_next
caller_look(struct caller *caller, struct auth *auth, const struct caller_claim *claim)
{
	struct str basic = behind_scheme(claim->authorization, STR("Basic"));
	struct str bearer = behind_scheme(claim->authorization, STR("Bearer"));

	caller_clear(caller);
	caller->auth = auth;
	caller->claim = *claim;
	if (basic.ptr != NULL)
		return look_at_password(caller, basic);
	if (bearer.ptr != NULL && bearer.len > 0)
		return look_at_token(caller, bearer);
	if (!auth_takes_passwords(auth) && !auth_takes_tokens(auth))
		return refuse(caller, "AuthNotConfigured", "No admin is configured: set "
		    "admin_password, or public_url and admins, in backfilld.conf");
	return refuse(caller, "AuthMissing", "Authentication Required: HTTP Basic with "
	    "the user \"admin\", or a service-auth token");
}

bool
caller_is_waiting(const struct caller *caller)
{
	return caller->wait.link != NULL;
}

void
caller_clear(struct caller *caller)
{
	resolver_wait_stop(&caller->wait);
	if (caller->has_jwt)
		jwt_clear(&caller->jwt);
	buf_clear(&caller->token);
	*caller = (struct caller){ 0 };
}

#include "api/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/limits.h"
#include "common/mem.h"

#define COOKIE_NAME	"backfilld"
#define SECRET_BYTES	32

struct sessions {
	TAILQ_HEAD(session_list, session) list;		/* owned */
	unsigned count;
};

static void
make_secret(char secret_out[SESSION_SECRET_SIZE])
{
	uint8_t bytes[SECRET_BYTES];

	/* So few bytes come whole once the kernel's generator is set up. */
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort();
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(secret_out + 2 * i, 3, "%02x", bytes[i]);
	explicit_bzero(bytes, sizeof(bytes));
}

/* How long it takes does not tell how much of it is right. */
static bool
is_secret(struct str given, const char secret[SESSION_SECRET_SIZE])
{
	unsigned difference = 0;

	if (given.len != SESSION_SECRET_SIZE - 1)
		return false;
	for (size_t i = 0; i < given.len; i++)
		difference |= (unsigned char)given.ptr[i] ^ (unsigned char)secret[i];
	return difference == 0;
}

struct sessions *
sessions_new(void)
{
	struct sessions *sessions = xcalloc(1, sizeof(*sessions));

	TAILQ_INIT(&sessions->list);
	return sessions;
}

static void
session_free(struct session *session)
{
	explicit_bzero(session->cookie, sizeof(session->cookie));
	free(session->caller);
	free(session);
}

void
sessions_end(struct sessions *sessions, struct session *session)
{
	if (session->has_ended)
		return;
	session->has_ended = true;
	TAILQ_REMOVE(&sessions->list, session, entry);
	sessions->count--;
	if (session->holders == 0)
		session_free(session);
}

void
sessions_free(struct sessions **sessions)
{
	if (*sessions == NULL)
		return;
	while (!TAILQ_EMPTY(&(*sessions)->list))
		sessions_end(*sessions, TAILQ_FIRST(&(*sessions)->list));
	free(*sessions);
	*sessions = NULL;
}

struct session *
sessions_start(struct sessions *sessions, struct str caller, bool may_change,
    int64_t now_mono_ms)
{
	struct session *session = xcalloc(1, sizeof(*session));

	make_secret(session->cookie);
	make_secret(session->form_token);
	session->caller = xstrndup(caller.ptr, caller.len);
	session->may_change = may_change;
	session->ends_ms = now_mono_ms + SESSION_LIFE_MS;
	session->idle_ms = now_mono_ms + SESSION_IDLE_MS;
	if (sessions->count == LIMIT_SESSIONS)
		sessions_end(sessions, TAILQ_LAST(&sessions->list, session_list));
	TAILQ_INSERT_HEAD(&sessions->list, session, entry);
	sessions->count++;
	return session;
}

bool
session_is_over(const struct session *session, int64_t now_mono_ms)
{
	return session->has_ended || now_mono_ms >= session->ends_ms ||
	    now_mono_ms >= session->idle_ms;
}

/* The next "name=value" of a Cookie header from *rest, which moves on (RFC 6265,
 * section 4.2.1); empty at the end. */
static struct str
next_pair(struct str *rest)
{
	struct str pair;
	size_t n = 0;

	while (rest->len > 0 && (*rest->ptr == ' ' || *rest->ptr == ';'))
		*rest = (struct str){ rest->ptr + 1, rest->len - 1 };
	while (n < rest->len && rest->ptr[n] != ';')
		n++;
	pair = (struct str){ rest->ptr, n };
	*rest = (struct str){ rest->ptr + n, rest->len - n };
	return pair;
}

static struct str
our_cookie(struct str cookies)
{
	struct str name = STR(COOKIE_NAME "="), pair;

	while (!str_is_empty(pair = next_pair(&cookies)))
		if (str_starts_with(pair, name))
			return (struct str){ pair.ptr + name.len, pair.len - name.len };
	return STR_NONE;
}

struct session *
sessions_find(struct sessions *sessions, struct str cookies, int64_t now_mono_ms)
{
	struct str given = our_cookie(cookies);
	struct session *session, *next, *found = NULL;

	for (session = TAILQ_FIRST(&sessions->list); session != NULL; session = next) {
		next = TAILQ_NEXT(session, entry);
		if (session_is_over(session, now_mono_ms))
			sessions_end(sessions, session);
		else if (is_secret(given, session->cookie))
			found = session;
	}
	if (found == NULL)
		return NULL;
	found->holders++;
	found->idle_ms = now_mono_ms + SESSION_IDLE_MS;
	TAILQ_REMOVE(&sessions->list, found, entry);
	TAILQ_INSERT_HEAD(&sessions->list, found, entry);
	return found;
}

void
session_release(struct session **session)
{
	if (*session == NULL)
		return;
	if (--(*session)->holders == 0 && (*session)->has_ended)
		session_free(*session);
	*session = NULL;
}

bool
session_has_form_token(const struct session *session, struct str token)
{
	return is_secret(token, session->form_token);
}

char *
session_cookie(const struct session *session, bool is_secure)
{
	char text[SESSION_SECRET_SIZE + 96];

	(void)snprintf(text, sizeof(text), COOKIE_NAME "=%s; Path=/; HttpOnly; "
	    "SameSite=Strict; Max-Age=%lld%s", session != NULL ? session->cookie : "",
	    session != NULL ? SESSION_LIFE_MS / 1000 : 0ll, is_secure ? "; Secure" : "");
	return xstrdup(text);
}

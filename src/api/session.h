/*
 * session.h - who has logged in to the dashboard, by a cookie.
 *
 * A browser that gave the admin password once, or a token, gets a cookie of 256
 * random bits in their place.  Beside it goes a second secret, the form token, which
 * stands in our own pages only: whoever changes something by the cookie has to send it
 * along, and no other site knows it.  Sessions live in this process: an API that is
 * started again has none.
 */
#ifndef BF_API_SESSION_H
#define BF_API_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/str.h"

#define SESSION_SECRET_SIZE	65	/* 64 hexadecimal digits and a NUL */
#define SESSION_LIFE_MS		(12 * 3600 * 1000ll)
#define SESSION_IDLE_MS		(2 * 3600 * 1000ll)

struct session {
	TAILQ_ENTRY(session) entry;	/* the one used last is first */
	char cookie[SESSION_SECRET_SIZE];
	char form_token[SESSION_SECRET_SIZE];
	char *caller;			/* owned; as auth.h calls them */
	bool may_change;		/* otherwise only look on */
	int64_t ends_ms, idle_ms;	/* monotonic: when it ends whatever happens, and
					 * if it is not used */
	unsigned holders;		/* requests that point here */
	bool has_ended;			/* it lives on for its holders alone */
};

struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions **sessions);		/* nobody holds one */

/* Borrowed until its end.  Beyond LIMIT_SESSIONS the one unused for longest ends. */
struct session *sessions_start(struct sessions *sessions, struct str caller,
    bool may_change, int64_t now_mono_ms);

/* The session that a Cookie header names; NULL if there is none.  The caller holds it
 * until session_release(). */
struct session *sessions_find(struct sessions *sessions, struct str cookies,
    int64_t now_mono_ms);
void session_release(struct session **session);		/* may be NULL */

void sessions_end(struct sessions *sessions, struct session *session);

bool session_is_over(const struct session *session, int64_t now_mono_ms);
bool session_has_form_token(const struct session *session, struct str token);

/* The value of Set-Cookie that begins the session in the browser, or (session NULL)
 * makes the browser forget it; is_secure: it is never sent without TLS.  To be freed
 * by the caller. */
char *session_cookie(const struct session *session, bool is_secure);

#endif

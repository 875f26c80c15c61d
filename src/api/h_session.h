/*
 * h_session.h - what a session's cookie is good for; called by request.c.
 */
#ifndef BF_API_H_SESSION_H
#define BF_API_H_SESSION_H

#include <stdbool.h>

#include "common/attr.h"

struct request;

enum session_result {
	SESSION_NONE,		/* no session: other credentials count */
	SESSION_ADMITTED,	/* request->session and request->caller are set */
	SESSION_FORGED,		/* another site may have sent it */
	SESSION_VIEWER,		/* who it is may only look on */
};

/* Does the cookie, if there is one, let this request in?  It never overrules an
 * Authorization header. */
enum session_result session_admit(struct request *request) BF_MUSTCHECK;

/* A stream that goes on: the session that it was let in by has ended meanwhile. */
bool session_is_lost(const struct request *request);

/* A form that was sent whole: from a page of ours, with its session's form token. */
bool session_form_is_ours(struct request *request);

/* Answer a page or a form without credentials: 303 to the login. */
void session_ask_login(struct request *request);

#endif

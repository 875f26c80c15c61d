/*
 * caller.h - who sends this request: one look at one Authorization header.
 *
 * Either HTTP Basic with the admin's password, or a service-auth token (jwt.h), for
 * whose key the resolver is asked, so that the look may take a while:
 *
 *	token's form, time, audience, method -> key by the resolver -> signature
 *	  -> if it is wrong, and the key has changed since: once more
 *	  -> on the list?  not used before?
 *
 * Passwords, wrong signatures and accounts on no list cost those who send them:
 * throttle.h.  An account on a list is never throttled, so that nobody can lock it
 * out.
 */
#ifndef BF_API_CALLER_H
#define BF_API_CALLER_H

#include "api/address.h"
#include "api/auth.h"
#include "api/reply.h"
#include "api/resolver_link.h"
#include "atproto/jwt.h"
#include "common/attr.h"

struct caller;

enum caller_next {
	CALLER_KNOWN,			/* role and name are set; the role is not none */
	CALLER_REFUSED,			/* the reply is written */
	CALLER_WAITS,			/* for on_known */
};

/* The look has ended: CALLER_KNOWN or CALLER_REFUSED. */
typedef void caller_cb(struct caller *caller, enum caller_next next, void *arg);

/* What is looked at; all of it is borrowed until the look has ended. */
struct caller_claim {
	struct str authorization;	/* the header's value */
	struct str lxm;			/* what a token has to be for; empty: none will do */
	struct address address;
	struct reply *reply;		/* for CALLER_REFUSED */
	caller_cb *on_known;
	void *arg;
};

/* Embedded in its owner; zeroed is a caller that nobody has looked at. */
struct caller {
	enum role role;
	struct str name;		/* "admin", or the DID, borrowed from token */
	/* What who was refused claimed to be, for the log; empty: nothing. */
	struct str claimed;

	/* inner */
	struct auth *auth;
	struct caller_claim claim;
	struct jwt jwt;			/* owned */
	struct key key;			/* that the signature is not of, when refreshed */
	bool has_jwt, is_refreshed;
	struct buf token;		/* owned; jwt borrows from it */
	struct resolver_wait wait;
};

/* Begin.  on_known is called only after CALLER_WAITS, and never from inside. */
enum caller_next caller_look(struct caller *caller, struct auth *auth,
    const struct caller_claim *claim) BF_MUSTCHECK;

bool caller_is_waiting(const struct caller *caller);

/* Stop looking, if it waits, and forget who it was. */
void caller_clear(struct caller *caller);

#endif

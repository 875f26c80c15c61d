/*
 * fetch_error.h - how a fetch ended, in the words an operator reads.
 *
 * Every request of this library ends in one class.  The word of the class is
 * what an operation's failed item carries, what backfillctl and the API show
 * and what `retry --failed` selects by, so words are only ever added.
 *
 * Process: workers.
 */
#ifndef BF_FETCH_FETCH_ERROR_H
#define BF_FETCH_FETCH_ERROR_H

#include <stdbool.h>

#include "common/attr.h"
#include "common/str.h"

/*
 * X(name, word, kind).  What a caller does with a class is its kind:
 * DONE, it has what it asked for; OUTCOME, a truth about the account that
 * changes what the index shows and is no failure; TRANSIENT, ask again later;
 * FINAL, asking again would get the same.
 */
#define FETCH_CLASSES(X) \
	X(OK,		"ok",		DONE)	  /* a complete 2xx answer */ \
	X(NOT_FOUND,	"not-found",	OUTCOME)  /* the server does not have it */ \
	X(GONE,		"gone",		OUTCOME)  /* deleted; the DID is tombstoned */ \
	X(DEACTIVATED,	"deactivated",	OUTCOME)  /* by its owner; may come back */ \
	X(SUSPENDED,	"suspended",	OUTCOME)  /* by its host, for a time */ \
	X(TAKENDOWN,	"takendown",	OUTCOME)  /* by its host */ \
	X(RATE_LIMITED,	"rate-limited",	TRANSIENT) /* 429; see retry_after_ms */ \
	X(UNREACHABLE,	"unreachable",	TRANSIENT) /* no answer: DNS, connect, reset */ \
	X(TRUNCATED,	"truncated",	TRANSIENT) /* the answer was cut off */ \
	X(TIMEOUT,	"timeout",	TRANSIENT) /* no answer, or too slow a one */ \
	X(SERVER_ERROR,	"server-error",	TRANSIENT) /* 5xx */ \
	X(TLS,		"tls",		FINAL)	  /* certificate or handshake refused */ \
	X(BLOCKED,	"blocked",	FINAL)	  /* an address we must not ask */ \
	X(REFUSED,	"refused",	FINAL)	  /* another 4xx, or 501 */ \
	X(INVALID,	"invalid",	FINAL)	  /* the answer breaks the rules */ \
	X(TOO_LARGE,	"too-large",	FINAL)	  /* the answer is over a limit */

enum fetch_class {
#define X(name, word, kind) FETCH_##name,
	FETCH_CLASSES(X)
#undef X
	FETCH_CLASS_COUNT
};

#define FETCH_TEXT_SIZE	256	/* longer texts are cut */

/*
 * Texts quote the peer: log.h and json.h escape what they print, other users
 * have to.
 */
struct fetch_error {
	enum fetch_class class;
	char text[FETCH_TEXT_SIZE];	/* "" with FETCH_OK */
};

void fetch_error_set(struct fetch_error *error, enum fetch_class class,
    const char *fmt, ...) BF_PRINTF(3, 4);

const char *fetch_class_word(enum fetch_class class);

/* -1 if no class has this word. */
int fetch_class_parse(struct str word, enum fetch_class *class_out) BF_MUSTCHECK;

bool fetch_class_is_transient(enum fetch_class class);	/* ask again later */
bool fetch_class_is_outcome(enum fetch_class class);	/* about the account */

#endif

/*
 * answer.h - what became of the resolution of one DID, as it is kept and told.
 */
#ifndef BF_RESOLVER_ANSWER_H
#define BF_RESOLVER_ANSWER_H

#include <stdint.h>

#include "fetch/identity.h"
#include "proto/msg.h"

/* X(ENUM, the word in an identity message, how long it is believed in ms) */
#define ANSWERS(X)							\
	X(OK, "ok", 600000)		/* a key that was taken away works on so long */ \
	X(UNKNOWN, "unknown", 60000)	/* nobody knows this DID */	\
	X(GONE, "gone", 60000)		/* it is tombstoned */		\
	X(INVALID, "invalid", 60000)	/* what stands there is no document of it */ \
	X(UNAVAILABLE, "unavailable", 5000) /* nothing is known now */

enum answer_outcome {
#define X(outcome, word, ms)	ANSWER_##outcome,
	ANSWERS(X)
#undef X
};

struct answer {
	enum answer_outcome outcome;
	char *text;			/* owned, as those below; why it is not ok */
	char *key;			/* did:key, or "" */
	char *pds_url;			/* or "" */
	char *handle;			/* or ""; claimed, not confirmed */
};

/* The caller ends it with answer_clear(). */
struct answer answer_from_result(const struct identity_result *result);
struct answer answer_unavailable(const char *why);
void answer_clear(struct answer *answer);

int64_t answer_lifetime_ms(const struct answer *answer);

/* Text in the message is borrowed from the answer. */
struct msg answer_msg(const struct answer *answer, uint64_t req);

#endif

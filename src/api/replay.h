/*
 * replay.h - the tokens that have been used and have not expired yet.
 *
 * A token is good for one request: who has seen it on its way cannot use it again.
 * At most LIMIT_TOKENS_USED are kept; beyond, no token can be taken, rather than one
 * be taken twice.  Only tokens with a good signature of somebody who may use the API
 * come here.  Pure: the time is passed in.
 */
#ifndef BF_API_REPLAY_H
#define BF_API_REPLAY_H

#include <stdint.h>

#include "common/attr.h"
#include "common/str.h"

struct replay;

struct replay *replay_new(void);
void replay_free(struct replay **replay);

enum replay_result {
	REPLAY_NEW,		/* it counts as used from now on */
	REPLAY_SEEN,
	REPLAY_FULL,
};

/* exp_secs is at most LIMIT_JWT_LIFE_SECS ahead. */
enum replay_result replay_use(struct replay *replay, struct str iss, struct str jti,
    int64_t exp_secs, int64_t now_secs) BF_MUSTCHECK;

#endif

/*
 * throttle.h - who has failed too often to be listened to now.
 *
 * A site (address.h) may fail so many times a minute; what it saves up is as much
 * again.  At most LIMIT_THROTTLED_SITES are remembered; the one that failed longest
 * ago goes.  Pure: the time is passed in, in ms of a clock that never goes back.
 */
#ifndef BF_API_THROTTLE_H
#define BF_API_THROTTLE_H

#include "api/address.h"

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle **throttle);

/* 0: it may try; otherwise the seconds until it may. */
unsigned throttle_wait_secs(struct throttle *throttle, const struct address *address,
    unsigned per_minute, int64_t now_ms);

/* It has failed, or asked for something that costs as much. */
void throttle_count(struct throttle *throttle, const struct address *address,
    unsigned per_minute, int64_t now_ms);

#endif

/*
 * did.h - DID syntax (spec: DID).  Pure; no resolution here.
 */
#ifndef BF_ATPROTO_DID_H
#define BF_ATPROTO_DID_H

#include <stdbool.h>

#include "common/str.h"

/* Any method.  At most LIMIT_DID_BYTES. */
bool did_is_valid(struct str did);

/*
 * The two methods that AT Protocol accepts, in the form it accepts them:
 * did:plc with 24 characters of base32, did:web with a host name alone (a port,
 * written "%3A2583", only behind "localhost").  What can be resolved is checked
 * by this; what merely names somebody by did_is_valid().
 */
bool did_is_atproto(struct str did);

bool did_is_plc(struct str did);	/* "did:plc:" and 24 characters */
bool did_is_web(struct str did);	/* in the form above */

/* "did:plc:abc#atproto" -> "did:plc:abc"; the whole text if it has no '#'. */
struct str did_without_fragment(struct str did);

#endif

/*
 * peer.h - one who asks the resolver: the API.
 */
#ifndef BF_RESOLVER_PEER_H
#define BF_RESOLVER_PEER_H

#include "resolver/resolver.h"

/* Takes fd; frees itself when the other side goes. */
void peer_new(struct resolver *resolver, int fd);
void peer_free(struct peer **peer);

#endif

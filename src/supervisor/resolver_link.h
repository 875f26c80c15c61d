/*
 * resolver_link.h - the supervisor's side of the channel to backfill-resolver.
 */
#ifndef BF_SUPERVISOR_RESOLVER_LINK_H
#define BF_SUPERVISOR_RESOLVER_LINK_H

#include "supervisor/supervisor.h"

/* The service that keeps the resolver running. */
struct service *resolver_service_new(struct supervisor *sup);

/* Give the API a channel to the resolver, if both are there: called whenever one
 * of them has become ready. */
void resolver_introduce(struct supervisor *sup);

#endif

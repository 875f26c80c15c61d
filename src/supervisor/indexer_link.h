/*
 * indexer_link.h - the supervisor's side of the channel to backfill-indexer.
 */
#ifndef BF_SUPERVISOR_INDEXER_LINK_H
#define BF_SUPERVISOR_INDEXER_LINK_H

#include "supervisor/supervisor.h"

/* The service that keeps the indexer running. */
struct service *indexer_service_new(struct supervisor *sup);

/* Hand the indexer one end of a record channel for a reader and return the
 * other, to be given to a client.  ERR_UNAVAILABLE while there is no indexer. */
int indexer_open_reader(struct supervisor *sup, int *fd_out, struct err *err)
    BF_MUSTCHECK;

#endif

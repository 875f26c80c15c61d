/*
 * net_worker.h - a worker that speaks to servers: every type of operation.
 *
 * Apart from worker.h, so that a worker for tests, which speaks to nobody, need not be
 * linked with libcurl.
 */
#ifndef BF_WORKERS_NET_WORKER_H
#define BF_WORKERS_NET_WORKER_H

#include "workers/worker.h"

/* worker_main(), with libcurl's state around it; its return value is main()'s. */
int net_worker_main(const struct worker_type *type);

#endif

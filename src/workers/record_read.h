/*
 * record_read.h - one indexed record, by its path.
 *
 * Process: workers.  Asks for the records behind the place just before it, since the
 * index answers walks only.
 */
#ifndef BF_WORKERS_RECORD_READ_H
#define BF_WORKERS_RECORD_READ_H

#include "common/str.h"
#include "proto/msg.h"

struct record_read;
struct records_link;

/* record is empty if the index does not have it, or, with why, cannot tell.  It is good
 * for the call.  The read is freed when this returns. */
typedef void record_read_cb(struct bytes record, const struct msg_refuse *why, void *arg);

/* Begin.  did and path are copied; path is "collection/rkey".  Never calls back from
 * inside. */
struct record_read *record_read_start(struct records_link *link, struct str did,
    struct str path, record_read_cb *cb, void *arg);

/* Drop it, without a callback; sets *read to NULL.  NULL is fine. */
void record_read_cancel(struct record_read **read);

#endif

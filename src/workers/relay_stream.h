/*
 * relay_stream.h - how the firehose of the configured relay is opened, for those who
 * read it: relay.c and relay_note.c.  Process: workers.
 */
#ifndef BF_WORKERS_RELAY_STREAM_H
#define BF_WORKERS_RELAY_STREAM_H

#include "common/buf.h"
#include "fetch/subscribe.h"

struct sync_env;

/* Its limits on time and size; points into env.  The relay stands in the
 * configuration, so where it is is its author's decision. */
struct subscribe_options relay_stream_options(const struct sync_env *env);

/* Append the URL, with this query ("" or "?cursor=7"), and a NUL. */
void relay_stream_url(struct buf *to, const char *relay_url, const char *query);

#endif

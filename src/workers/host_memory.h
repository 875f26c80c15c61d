/*
 * host_memory.h - the hosts that are known, between operations.
 *
 * The rows of the table `host` in memory: what fetch/polite.h learned of each is
 * given to it at the start, and written back about every ten seconds and at the
 * end.  Who meets a server or two has the rows of those alone, each read when it is
 * met (identity_memory.c).  Bounded by LIMIT_FETCH_HOSTS, those that only DID documents name by
 * LIMIT_HOSTS_OF_DOCUMENTS; of more hosts nothing is remembered, but the
 * operator's are always taken.
 */
#ifndef BF_WORKERS_HOST_MEMORY_H
#define BF_WORKERS_HOST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"
#include "fetch/url.h"
#include "rows/host_row.h"

struct host_memory;
struct row_writer;
struct sync_env;

/* The rows are read, or could not be (why is not NULL). */
typedef void host_memory_cb(const char *why, void *arg);

/* Begins to read.  Never calls back from inside. */
struct host_memory *host_memory_new(const struct sync_env *env,
    struct row_writer *writer, host_memory_cb *on_ready, void *arg);
struct host_memory *host_memory_new_of_met(const struct sync_env *env,
    struct row_writer *writer);
void host_memory_free(struct host_memory **memory);

/* Before a server's first request: is its row still to be read?  Then by this key,
 * and to be handed in; returns for how long it is to be let alone, in ms. */
bool host_memory_lacks(const struct host_memory *memory, struct str url,
    char origin_out[URL_ORIGIN_SIZE]);
int64_t host_memory_take(struct host_memory *memory, struct bytes key,
    struct bytes value);

/* A server was named; new ones get a row.  It may be any text. */
void host_memory_see(struct host_memory *memory, struct str url,
    enum host_source source);

/* Its list was read to its end, just now. */
void host_memory_listed(struct host_memory *memory, const char *origin, uint64_t repos);

/* Hand what changed to the writer. */
void host_memory_save(struct host_memory *memory);

size_t host_memory_count(const struct host_memory *memory);

/* The first origin behind this one in bytewise order, "" for the very first; NULL if
 * there is none.  Borrowed. */
const char *host_memory_next(const struct host_memory *memory, const char *after);

/* As struct host_row writes origins; -1: no server that may be asked. */
int host_memory_origin(const struct sync_env *env, struct str url,
    char origin_out[URL_ORIGIN_SIZE]) BF_MUSTCHECK;

#endif

/*
 * identity_memory.h - DID documents, remembered between operations.
 *
 * A look into the table `identity` before fetch/identity.h is asked, and a row for
 * each document that is fetched.  What is remembered is good for
 * env->document_max_age_ms, and never to conclude that an account is gone: for that
 * ask with is_fresh.
 */
#ifndef BF_WORKERS_IDENTITY_MEMORY_H
#define BF_WORKERS_IDENTITY_MEMORY_H

#include <stdbool.h>

#include "atproto/key.h"
#include "fetch/fetch_error.h"

struct host_memory;
struct identity_ask;
struct row_writer;
struct sync_env;

struct identity_answer {
	struct fetch_error error;
	int64_t retry_after_ms;		/* -1: the server did not say */
	bool is_remembered;
	/* With FETCH_OK; borrowed for the callback */
	const char *pds;		/* or NULL */
	bool has_key;
	struct key key;
	/* Its server is let alone for so long, by what an earlier operation met there. */
	int64_t host_pause_ms;
};

/* The ask is freed when this returns. */
typedef void identity_answer_cb(const struct identity_answer *answer, void *arg);

/* Never calls back from inside.  Without env->notes nothing is remembered. */
struct identity_ask *identity_ask_start(const struct sync_env *env, struct str did,
    bool is_fresh, identity_answer_cb *cb, void *arg);

/* Drop it, without a callback; sets *ask to NULL.  NULL is fine. */
void identity_ask_cancel(struct identity_ask **ask);

#endif

/*
 * sync_env.h - what all repository syncs of one worker share.
 *
 * Made once by a type's start() from its settings; each struct sync_repo of the
 * worker borrows it.  Process: workers.
 */
#ifndef BF_WORKERS_SYNC_ENV_H
#define BF_WORKERS_SYNC_ENV_H

#include <ev.h>

#include "atproto/filter.h"
#include "common/attr.h"
#include "common/err.h"
#include "common/settings.h"
#include "fetch/http.h"
#include "fetch/identity.h"

struct host_memory;
struct records_link;
struct room;
struct row_writer;

typedef void sync_env_cb(const char *why, void *arg);

#define SYNC_SELECTION_SIZE	17	/* 16 digits and the final NUL */

struct sync_env {
	/* borrowed, outlive us */
	struct ev_loop *loop;
	struct records_link *records;
	const struct settings *settings;
	uint64_t *answers_429;		/* http.h */
	/* owned */
	struct http *http;		/* politeness is per host and so shared */
	struct filter *filter;		/* the wanted collections; NULL: all */
	struct filter *governance_filter;	/* likewise, of governance_did; see below */
	char *user_agent;
	struct room *room;		/* what the disk has, for all who write */
	/* owned; what is remembered between operations; both NULL: nothing */
	struct row_writer *notes;
	struct host_memory *hosts;
	sync_env_cb *on_written;	/* of sync_env_write() */
	void *arg;
	int64_t document_max_age_ms;	/* of a DID document that is remembered */

	struct identity_options identity;
	char selection[SYNC_SELECTION_SIZE];	/* names the wanted collections */
	bool has_governance;	/* of the governance account other ones are wanted */
	char governance_selection[SYNC_SELECTION_SIZE];
	int64_t rate_limit_wait_ms;	/* after a 429 that does not say how long */
	uint64_t memory_bytes;		/* of one repository; then the spill file */
	uint64_t max_blocks;		/* of one repository; their index is in memory */

	/* Whoever runs these syncs has others to run meanwhile: one that its server
	 * makes wait ends, as rate-limited or unreachable, with retry_after_ms. */
	bool defers;
};

/*
 * The collections that are wanted of this repository, and their name.  They depend
 * on the settings and the DID, never on the type of operation: of governance_did
 * the collections of nodes and edges are always wanted beside `collections`.  If
 * only governance-sync wanted them, each did-sync of that account would delete them
 * again.  NULL: all.
 */
const struct filter *sync_env_filter(const struct sync_env *env, struct str did);
const char *sync_env_selection(const struct sync_env *env, struct str did);

/* What the settings say of requests; points into env. */
struct http_options sync_env_http_options(const struct sync_env *env);

/* ERR_INVALID: the setting `collections` has an item that is no pattern, or, with
 * governance_did, one of its collections is no NSID. */
int sync_env_init(struct sync_env *env, struct ev_loop *loop,
    struct records_link *records, const struct settings *settings,
    uint64_t *answers_429, struct err *err)
    BF_MUSTCHECK;

/* Before the first request: so many repositories are synced at a time, which share
 * the memory and do not hold one another up. */
void sync_env_share(struct sync_env *env, unsigned repos);

/* Behind that: remember hosts and DID documents, and read what is known of hosts.
 * Never calls back from inside; why is NULL if all went well. */
void sync_env_remember(struct sync_env *env, sync_env_cb *on_ready, void *arg);

/* Likewise for who syncs one repository: of hosts only those are read that it meets,
 * when it does. */
void sync_env_remember_met(struct sync_env *env);

/* Before the last words: write what was learned.  Why is what was refused, if
 * anything was.  Behind one of the two above.  Never calls back from inside. */
void sync_env_write(struct sync_env *env, sync_env_cb *on_written, void *arg);

/* The syncs must be gone.  Not from inside a callback of http. */
void sync_env_clear(struct sync_env *env);

#endif

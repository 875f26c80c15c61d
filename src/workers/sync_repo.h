/*
 * sync_repo.h - one repository, from its DID to the indexer's ack.
 *
 * The steps, each of which is a row of SYNC_STEPS in sync_repo_impl.h:
 *
 *	resolving    the DID's document: which server, which key
 *	claiming     the indexer gives us the repository and tells what it has
 *	comparing    getLatestCommit: the revision that is indexed, and the same
 *	             collections wanted as then?  Then done
 *	fetching     getRepo, hashed and kept as it comes
 *	confirming   only if the account is not to be had at the server that a
 *	             remembered document names: is it still that server?
 *	refreshing   only if the signature does not fit: the document again, since
 *	             the key may just have been changed; once
 *	checking     the whole tree
 *	counting     only if not all collections are wanted: how many records are
 *	diffing      a merge of the index's entries with the tree: put, delete
 *	purging      instead of all that, if the account is deleted: delete all
 *	committing   all of it at once, or none of it
 *	waiting      only if the disk is full: until there is room (room.h); then it
 *	             claims again, and what was fetched is still there
 *
 * What is fetched is always the whole repository.  `since` would leave out the
 * blocks that did not change, but those are what the tree's proof is made of: the
 * index keeps records, not tree nodes, and a part of a tree proves nothing.
 *
 * An account that is not active is an outcome and no failure: it is written as
 * the repository's status, the records stay (deleted: they go).  Nothing is
 * written for any failure, so the index keeps what it had.
 *
 * Many may run at once on one loop, each with its own lane.  Requests are
 * repeated by fetch/http.h (fetch_retries, Retry-After).  Begun again here are
 * only transfers that were cut, as often as fetch_retries says, and what http.h
 * gives up with a 429, without end, since a 429 is never a failure.
 */
#ifndef BF_WORKERS_SYNC_REPO_H
#define BF_WORKERS_SYNC_REPO_H

#include <stdbool.h>
#include <stdint.h>

#include "atproto/fault.h"
#include "common/err.h"
#include "common/str.h"
#include "common/tid.h"

struct sync_env;
struct sync_repo;

/* Absolute numbers of this repository. */
struct sync_progress {
	/* "resolving", "fetching", "verifying", "indexing", "waiting for room" */
	const char *stage;
	uint64_t processed;	/* wanted records that were compared */
	uint64_t total;		/* wanted records; 0 until the tree is checked */
	uint64_t failed;	/* of them refused, each told by on_bad_record */
	uint64_t bytes;		/* of repositories, fetched */
};

enum sync_result {
	SYNC_DONE,		/* the index is what the repository says, but for `failed` */
	SYNC_UNCHANGED,		/* it was already, at the same revision */
	SYNC_INACTIVE,		/* `status` says why, and is written */
	SYNC_FAILED,		/* error_class and error_text; the index is as before */
};

#define SYNC_CLASS_SIZE	48

struct sync_outcome {
	enum sync_result result;
	struct sync_progress progress;
	uint64_t created, updated, deleted;	/* by the indexer's count */
	char rev[TID_SIZE];			/* that is indexed now; or "" */
	const char *status;			/* account status that was written, or NULL */
	const char *pds;			/* origin of its server, if it was found; or NULL */
	/* With SYNC_FAILED: the server asks for this pause, -1: it does not; and
	 * whether it was the DID's document that could not be had. */
	int64_t retry_after_ms;
	bool is_about_document;
	/*
	 * A word: of fetch_error.h ("unreachable", ...), of fault.def
	 * ("BadSignature", ...), the indexer's own, or one of
	 * "busy"	another operation has this repository
	 * "no-server"	its DID document names no PDS
	 * "no-key"	its DID document has no key to verify with
	 */
	char error_class[SYNC_CLASS_SIZE];
	char error_text[ERR_TEXT_SIZE];
};

struct sync_repo_events {
	void (*on_progress)(struct sync_repo *sync, const struct sync_progress *progress,
	    void *arg);
	/* A record is refused and not in the index; path is good for the call. */
	void (*on_bad_record)(struct sync_repo *sync, struct str path,
	    const struct fault *fault, void *arg);
	/* Something for the operation's history. */
	void (*on_note)(struct sync_repo *sync, const char *text, void *arg);
	/* The end; the sync is freed when this returns. */
	void (*on_done)(struct sync_repo *sync, const struct sync_outcome *outcome,
	    void *arg);
};

struct sync_order {
	struct str did;			/* copied */
	int spill_fd;			/* this sync's alone; -1: memory_bytes is all */
	bool is_forced;			/* fetch it, whatever the revision */
	bool wants_fresh_document;	/* ask for it although one is remembered */
	/* Believe the account's own server if its revision is older than ours, as
	 * after a restore from a backup. */
	bool accepts_older;
};

/* Begin.  env and events are borrowed.  Never calls back from inside. */
struct sync_repo *sync_repo_start(const struct sync_env *env,
    const struct sync_order *order, const struct sync_repo_events *events, void *arg);

/* Stop at once, without a callback: transfers are dropped, the indexer forgets
 * what was put.  Sets *sync to NULL; NULL is fine. */
void sync_repo_cancel(struct sync_repo **sync);

struct str sync_repo_did(const struct sync_repo *sync);

/* For room on the disk: nobody knows how long.  Told by on_progress when it begins. */
bool sync_repo_is_waiting(const struct sync_repo *sync);

#endif

/*
 * fake_indexer.h - an indexer in memory, on the test's own loop.
 *
 * Speaks the record channel's protocol for one worker and keeps one index; what
 * a lane puts is in it after its commit only.  The knobs make it busy, silent or
 * unwilling.
 */
#ifndef BF_T_FAKE_INDEXER_H
#define BF_T_FAKE_INDEXER_H

#include <ev.h>
#include <stdbool.h>

#include "atproto/cid.h"
#include "proto/channel.h"
#include "proto/msg.h"

#define FAKE_LANES	16

struct fake_record {
	char *path;		/* owned */
	struct cid cid;
	size_t bytes;		/* of the record */
};

/* A sorted list. */
struct fake_records {
	struct fake_record *items;	/* owned */
	size_t count, room;
};

/* What is committed of one repository. */
struct fake_repo {
	char did[128], pds_url[256], rev[16], status[32], selection[32];
	struct cid commit, data;
	bool has_cids;
	struct fake_records records;
};

/* An open repository. */
struct fake_lane {
	uint64_t id;			/* 0: free */
	struct fake_repo *repo;
	struct fake_records staged;	/* what it will be */
	bool is_scanning;		/* staged is untouched; `at` is next */
	struct fake_records scanned;
	size_t at;
};

struct fake_indexer {
	struct ev_loop *loop;
	struct channel *channel;	/* owned; NULL: gone */
	struct fake_repo repos[FAKE_LANES];
	size_t repo_count;
	struct fake_lane lanes[FAKE_LANES];

	/* the ledger */
	unsigned begins, scans, puts, deletes, commits, aborts;
	unsigned bad_cids;		/* puts whose CID is not that of the bytes */

	/* the knobs */
	unsigned busy;			/* so many claims are refused */
	bool is_silent;			/* hears, but never answers */
	const char *refuse_commit;	/* with this class */
};

/* Takes ownership of fd. */
void fake_indexer_init(struct fake_indexer *indexer, struct ev_loop *loop, int fd);
void fake_indexer_clear(struct fake_indexer *indexer);

/* The repository of this DID, made if it is new; for looking and for preparing. */
struct fake_repo *fake_indexer_repo(struct fake_indexer *indexer, const char *did);
void fake_records_put(struct fake_records *records, struct str path,
    const struct cid *cid, size_t bytes);
bool fake_records_delete(struct fake_records *records, struct str path);
const struct fake_record *fake_records_get(const struct fake_records *records,
    const char *path);

#endif
